"""What the hospital system tells us: one message, one transaction, one acknowledgement.

Accepted once, a message is never applied twice: it gets the acknowledgement that it got. Refused, it is looked at
again when it comes again, since what stood in its way may be gone.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal import audit, db, establishments, kpi
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Acknowledgement, Message, NotHl7
from services.exchanges import dialect, states, subjects, wording
from services.exchanges.models import HisMessage
from services.exchanges.subjects import Hear, Heard, Subject

_KEPT_OF_A_WRONG_ONE = 20_000
_FILES = re.compile(rb"[A-Za-z0-9+/=]{2000,}")


@dataclass(frozen=True)
class _Arrived:
    """A message before it is understood. message: None when it cannot be read."""

    body: bytes
    via: str
    message: Message | None
    control_id: str
    sender: str
    wrong: NotHl7 | None = None

    @property
    def subject(self) -> Subject | None:
        """The room that takes messages of this type."""
        return subjects.taking(self.message.header.value(9)) if self.message else None

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body).digest()


def preparation(establishment_id: UUID, body: bytes) -> Callable[[], Hear] | None:
    """What to call before `receive`, with no transaction open, for a message whose room needs the outside to take it.
    None: nothing, or it was taken before."""
    arrived = _read(body, "")
    subject, message = arrived.subject, arrived.message
    if subject is None or subject.prepare is None or message is None or arrived.wrong is not None:
        return None
    known = session.scalar(
        select(HisMessage.answer).where(
            HisMessage.establishment_id == establishment_id,
            HisMessage.sender == arrived.sender,
            HisMessage.control_id == arrived.control_id,
        )
    )
    place = session.get_one(Establishment, establishment_id)
    return None if known == "AA" else partial(subject.prepare, place, message)


def receive(establishment_id: UUID, body: bytes, via: str, hear: Hear | None = None) -> bytes:
    """Take a message of a hospital's system (via: mllp, folder or http) and return its acknowledgement: AA (done, or
    nothing to do), AE (not done, and why) or AR (not a message that is taken here). As the system job of `job_for`.

    hear: what `preparation` gave, called."""
    arrived = _read(body, via)
    assert db.current_actor().label == f"system:{_job(arrived)}", "its changes are told apart from ours by this"
    place = session.get_one(Establishment, establishment_id)
    row, is_new = _write_down(place, arrived)
    if not is_new:
        row.times += 1
        if row.digest != arrived.digest:
            return _answered(place, arrived, Heard("AR", "205", "number_taken"))
        if row.answer == "AA":
            return row.acknowledgement.encode()
    heard = _hear(place, arrived, hear)
    answer = _answered(place, arrived, heard)
    row.answer, row.error, row.told = heard.answer, heard.error, heard.reason
    row.subject_id, row.external_id, row.said_at = heard.subject_id, heard.external_id, heard.said_at
    row.acknowledgement = answer.decode()
    session.flush()
    _count(row, heard)
    return answer


def job_for(body: bytes) -> str:
    """The system job as which a message is taken."""
    return _job(_read(body, ""))


def scope_for(body: bytes) -> str:
    """What a machine that posts this message must be allowed; "" when nobody takes such messages."""
    subject = _read(body, "").subject
    return subject.scope if subject else ""


def _job(arrived: _Arrived) -> str:
    return arrived.subject.job if arrived.subject else states.NOBODYS_JOB


def _read(body: bytes, via: str) -> _Arrived:
    nobody = f"unreadable-{hashlib.sha256(body).hexdigest()[:20]}"
    try:
        message = hl7v2.read(body)
    except NotHl7 as error:
        return _Arrived(body[:_KEPT_OF_A_WRONG_ONE], via, None, nobody, "", error)
    sender = f"{message.header.value(3)}|{message.header.value(4)}"[:200]
    if not message.control_id or len(message.control_id) > 199:
        wrong = NotHl7("101", "MSH-10 is needed: the number of the message")
        return _Arrived(body[:_KEPT_OF_A_WRONG_ONE], via, message, nobody, sender, wrong)
    return _Arrived(body, via, message, message.control_id, sender)


def _write_down(place: Establishment, arrived: _Arrived) -> tuple[HisMessage, bool]:
    """The message's row, locked; whether it is a new one. The same message twice at once: the second one waits."""
    made = insert(HisMessage).values(
        id=uuid4(),
        establishment_id=place.id,
        subject_kind=arrived.subject.kind if arrived.subject else "",
        sender=arrived.sender,
        control_id=arrived.control_id,
        digest=arrived.digest,
        trigger=arrived.message.trigger[:10] if arrived.message else "",
        via=arrived.via,
        body=_kept(arrived.body),
        received_at=db.now(),
    )
    is_new = session.scalar(made.on_conflict_do_nothing().returning(HisMessage.id)) is not None
    row = session.scalars(
        select(HisMessage)
        .where(
            HisMessage.establishment_id == place.id,
            HisMessage.sender == arrived.sender,
            HisMessage.control_id == arrived.control_id,
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    return row, is_new


def _kept(body: bytes) -> str:
    """A text column holds no NUL; what is no message is kept only to be looked at. Files in it are kept by whoever
    takes them: here, their size says that they came."""
    light = _FILES.sub(lambda found: b"(%d bytes)" % len(found[0]), body)
    return light.decode("utf-8", errors="replace").replace("\0", "�")


def _hear(place: Establishment, arrived: _Arrived, prepared: Hear | None) -> Heard:
    if arrived.wrong is not None or arrived.message is None:
        return _wrong(arrived.wrong)
    if arrived.subject is None:
        return _wrong(NotHl7("200", "messages of this type are not taken here"))
    codes = dialect.read(establishments.setting(place.id, dialect.SETTING)).named(place.finess)
    try:
        return (prepared or arrived.subject.hear)(place, arrived.message, codes)
    except NotHl7 as error:
        return _wrong(error)


def _wrong(error: NotHl7 | None) -> Heard:
    code = error.code if error else "207"
    return Heard("AR", code, f"wrong_{code}")


def _answered(place: Establishment, arrived: _Arrived, heard: Heard) -> bytes:
    control_id = arrived.message.control_id if arrived.message else ""
    with force_locale("fr"):
        told = wording.reason(arrived.subject.kind if arrived.subject else "", heard.reason)
    told = arrived.wrong.reason if arrived.wrong and not told else told
    answer = Acknowledgement(heard.answer, control_id, heard.error, told)
    header = arrived.message.header if arrived.message else None
    return hl7v2.acknowledge(header, answer, hl7v2.stamp(db.now(), place.tz), uuid4().hex[:20])


def _count(row: HisMessage, heard: Heard) -> None:
    audit.record(
        "his_message.received",
        patient_id=heard.patient_id,
        establishment_id=row.establishment_id,
        object_kind="his_message",
        object_id=row.id,
        trigger=row.trigger,
        answer=heard.answer,
    )
    subject = subjects.of(row.subject_kind)
    kpi.count(
        f"{subject.message_type.lower() if subject else 'his'}_received",
        establishment_id=row.establishment_id,
        channel=row.via,
        dimension=f"{row.trigger} {heard.answer}",
    )


def settle_message(message: HisMessage) -> None:
    """An agent has done by hand what the message asked for, or found that nothing is to do. It can come again."""
    message.settled_at = message.settled_at or db.now()
    session.flush()
    audit.record(
        "his_message.settled",
        establishment_id=message.establishment_id,
        object_kind="his_message",
        object_id=message.id,
    )


def open_message(message: HisMessage) -> None:
    """An agent looks at what a message says: a patient's name and why they come may be in it."""
    subject = subjects.of(message.subject_kind)
    patient_id = subject.patient_of(message.subject_id) if subject and message.subject_id else None
    audit.record(
        "his_message.opened",
        patient_id=patient_id,
        establishment_id=message.establishment_id,
        object_kind="his_message",
        object_id=message.id,
    )
