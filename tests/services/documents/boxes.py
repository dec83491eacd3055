"""A twin operator, two boxes of two hospitals, and correspondents, for the tests of mails."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from auth.models import Patient
from portal import db, establishments, files
from portal.db import session
from portal.gateways.mssante import operators, revocation
from portal.gateways.mssante.twin import Kind, RunningTwin, TwinBox, start_in_thread
from services.documents.exchanges.actions import Draft, Words, answer, send_to_address
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.mailboxes import actions, jobs, polling
from services.documents.mailboxes import operators as doors
from services.documents.mailboxes.actions import BoxDraft, reading
from services.documents.mailboxes.models import Mailbox, ReceivedMail, Transmission
from tests.factories import people
from tests.services.documents.conftest import Ground

OURS = "cardiologie@ch-essai.mssante.fr"
THEIRS = "adam.hoda@medecin.mssante.fr"
STRANGER = "quelqu.un@medecin.mssante.fr"
CITIZEN = "279035121518989@patient.mssante.fr"
PASSWORD = "un-mot-de-passe"


def opening() -> AbstractContextManager[Any]:
    return db.transaction(db.system("tests.mails"))


@dataclass
class Post:
    """What a test of mails stands on. ours, theirs: boxes at the operator; box_id: ours as the portal knows it."""

    ground: Ground
    twin: RunningTwin
    ours: TwinBox
    theirs: TwinBox
    box_id: UUID

    # -- what leaves

    def write(self, said: str = "Bonjour", to: str = THEIRS, *, about: Patient | None = None, **words: Any) -> UUID:
        """A unit begins a thread; nothing has left yet. Returns the thread's id."""
        with db.transaction(people.as_agent(self.ground.agent, self.ground.here, "documents")):
            file_ids = [self._upload(*each) for each in words.pop("joined", ())]
            draft = Draft("Avis", text=said, file_ids=file_ids, about_id=about.id if about else None, **words)
            box = session.get_one(Mailbox, self.box_id)
            return send_to_address(self.ground.hospital.unit, box, to, "Dr Adam HODA", draft).id

    def answer(self, exchange_id: UUID, words: Words) -> UUID:
        with db.transaction(people.as_agent(self.ground.agent, self.ground.here, "documents")):
            return answer(session.get_one(Exchange, exchange_id), words).id

    def _upload(self, name: str, data: bytes) -> UUID:
        return files.receive(files.from_bytes([data]), name).id

    def send(self) -> None:
        """Send all that waits."""
        with opening():
            waits = Transmission.state.in_(("waiting", "uncertain"))
            waiting = session.scalars(select(Transmission.id).where(waits).order_by(Transmission.created_at)).all()
        for each in waiting:
            jobs.send(each, opening, opening)

    def in_time(self) -> None:
        """The waits are over: of mails, of operators, of boxes."""
        with opening():
            for statement in (
                "update transmission set next_at = null, begun_at = begun_at - interval '1 hour'",
                "delete from mail_operator",
                "update mailbox_reading set again_at = null, leased_until = null",
            ):
                session.execute(text(statement))
        operators._doors.clear()
        doors._doors.known.clear()

    # -- what comes

    def poll(self, budget: polling.Budget = polling.USUAL_BUDGET) -> None:
        with opening():
            lent = reading.lease_due(db.now())
        for mailbox_id, lease in lent:
            polling.poll(mailbox_id, lease, opening, budget)

    def deliver(self, raw: bytes, sender: str = THEIRS, to: str = OURS) -> None:
        """As if its author had just sent it."""
        self.twin.post.take(sender, [(to, "")], raw)

    # -- what is known

    def transmissions(self) -> list[Transmission]:
        with opening():
            return list(session.scalars(select(Transmission).order_by(Transmission.created_at)))

    @property
    def transmission(self) -> Transmission:
        (only,) = self.transmissions()
        return only

    def received(self) -> list[ReceivedMail]:
        with opening():
            return list(session.scalars(select(ReceivedMail).order_by(ReceivedMail.received_at)))

    def threads(self) -> list[Exchange]:
        with opening():
            return list(session.scalars(select(Exchange).order_by(Exchange.created_at)))

    def messages(self) -> list[ExchangeMessage]:
        with opening():
            return list(session.scalars(select(ExchangeMessage).order_by(ExchangeMessage.sent_at)))


def mail(
    said: str = "Bonjour",
    *,
    sender: str = THEIRS,
    subject: str = "Avis",
    key: str = "",
    answers: str = "",
    joined: tuple[tuple[str, str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    """A mail as a correspondent's software writes it. joined: name, media type, bytes."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Dr Adam HODA <{sender}>", OURS, subject
    made["Message-ID"] = key or f"<{uuid4().hex}@medecin.mssante.fr>"
    made["Date"] = "Mon, 05 Jan 2026 10:00:00 +0100"
    if answers:
        made["In-Reply-To"], made["References"] = answers, answers
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(said)
    for name, media_type, data in joined:
        kind, _, subtype = media_type.partition("/")
        made.add_attachment(data, maintype=kind, subtype=subtype, filename=name)
    return made.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.fixture
def post(ground: Ground) -> Iterator[Post]:
    operators._doors.clear()
    revocation._published.clear()
    doors._doors.known.clear()
    with start_in_thread() as twin:
        twin.post.size_limit = 30 * 2**20
        ours, theirs = twin.open_box(OURS, Kind.ORG, PASSWORD), twin.open_box(THEIRS, Kind.PER, "autre")
        with opening():
            establishments.change_setting(ground.here, "mssante_url", twin.url(user=f":{PASSWORD}"))
            draft = BoxDraft(OURS, "ORG", "Cardiologie – Hôpital d’essai", ground.hospital.unit.uf)
            box_id = actions.add_box(ground.hospital.establishment, draft).id
        yield Post(ground, twin, ours, theirs, box_id)
