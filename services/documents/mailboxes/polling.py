"""Reading boxes: each mail in a transaction of its own, said to the operator only once it is committed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid4

import structlog

from portal import db, files, jobs
from portal.db import session
from portal.file_sniffing import FileRefused, Kind, clean_name, sniff
from portal.files import DOCUMENTS, FileInfected
from portal.gateways import DoorError, Refused, UnsupportedUrl
from portal.gateways.mssante import NotLetIn, Place, Reading, Waiting
from services.documents import jobs as intake
from services.documents import mss
from services.documents.actions import Came as ParcelCame
from services.documents.actions import storing
from services.documents.jobs import Parcel, Prepared
from services.documents.mailboxes import operators
from services.documents.mailboxes.actions import reading, receiving, sending
from services.documents.mailboxes.actions.reading import Turn
from services.documents.mailboxes.actions.receiving import Came, Carried
from services.documents.mailboxes.models import Mailbox, ReceivedMail
from services.documents.mailboxes.operators import NoOperator, PersonalBox, Way
from services.documents.mss import Joined, Mail, MailKind, MailUnreadable

log = structlog.get_logger(__name__)
Opening = Callable[[], AbstractContextManager[object]]
_PARCELS = frozenset({Kind.CDA, Kind.XDM})
_HEAD = 8192


@dataclass(frozen=True)
class Budget:
    """How much of a box is read at once: the others wait for their turn. marked: how many are said together."""

    mails: int = 200
    total_bytes: int = 100 * 2**20
    marked: int = 20


USUAL_BUDGET = Budget()


class LeaseLost(Exception):
    """Somebody else reads this box now."""


@jobs.periodic("* * * * *", "documents.read_boxes")
def read_boxes() -> None:
    """Lend each box that waits to a reader."""
    with jobs.reading():
        for mailbox_id, lease in reading.lease_due(db.now()):
            jobs.enqueue("documents.read_box", mailbox_id=str(mailbox_id), lease=str(lease))


@jobs.task("documents.read_box")
def read_box(mailbox_id: str, lease: str) -> None:
    """Read what waits in a box, up to a budget; the rest follows."""
    poll(UUID(mailbox_id), UUID(lease), jobs.reading)


def poll(mailbox_id: UUID, lease: UUID, opening: Opening, budget: Budget = USUAL_BUDGET) -> None:
    """Read a box that was lent, and give it back."""
    with opening():
        begun = _begin(mailbox_id, lease)
    if begun is None:
        return
    turn, way = begun
    trouble, away, is_whole = "", False, True
    try:
        with way.operator.read(way.box, turn.place) as box:
            is_whole = _read(turn, box, opening, budget)
    except LeaseLost:
        return
    except DoorError as error:
        trouble = operators.trouble_of(error)
        away = not isinstance(error, Refused)
        log.info("mailbox.not_read", operator=way.host, trouble=trouble, closed=isinstance(error, NotLetIn))
    with opening():
        if not is_whole:
            jobs.enqueue("documents.read_box", mailbox_id=str(mailbox_id), lease=str(lease))
        else:
            reading.end_turn(turn, way.host, trouble, db.now(), away=away)


def _begin(mailbox_id: UUID, lease: UUID) -> tuple[Turn, Way] | None:
    box, now = session.get_one(Mailbox, mailbox_id), db.now()
    turn = reading.turn_of(box, lease)
    if turn is None:
        return None
    try:
        way = operators.way_to(box)
    except (PersonalBox, NoOperator, UnsupportedUrl) as error:
        reading.put_off(mailbox_id, lease, None, operators.trouble_of(error), now)
        return None
    if (again_at := sending.rests_until(box.establishment_id, way.host, now)) is not None:
        reading.put_off(mailbox_id, lease, again_at, "away", now)
        return None
    return turn, way


def _read(turn: Turn, box: Reading, opening: Opening, budget: Budget) -> bool:
    """Take mails in their order; whether all were taken."""
    place, spent, count = box.place, 0, 0
    unmarked: list[int] = []
    for waiting in box.waiting(budget.mails):
        place = Place(place.validity, waiting.uid)
        take(turn, place, waiting, opening)
        unmarked.append(waiting.uid)
        spent, count = spent + (len(waiting.raw) if waiting.raw else 0), count + 1
        if len(unmarked) >= budget.marked:
            _mark(box, unmarked)
            unmarked = []
        if spent >= budget.total_bytes:
            break
    _mark(box, unmarked)
    return count < budget.mails and spent < budget.total_bytes


def _mark(box: Reading, uids: list[int]) -> None:
    """What cannot be said is not lost: the place is remembered, and a mail that comes twice is known."""
    if not uids:
        return
    try:
        box.mark(uids)
    except Refused:
        log.warning("mailbox.not_marked")


# -- one mail ------------------------------------------------------------------------------------------------------


def take(turn: Turn, place: Place, waiting: Waiting, opening: Opening) -> None:
    """Take one mail; whatever it holds, the next ones come. Raises LeaseLost, DoorError (the storage is away)."""
    came, reason = _look(turn, place, waiting)
    with opening():
        came = receiving.told_apart(turn, came)
        if receiving.is_known(turn, came.key):
            _go_on(turn, place)
            return
        came = _kept(came, waiting)
    try:
        if came.mail is not None:
            _take(turn, place, came, opening)
            return
    except (LeaseLost, DoorError):
        raise
    except Exception as error:  # whatever breaks us in one mail must not keep the others waiting
        log.error("mail.broke_us", error=type(error).__name__)
        reason = "broke_us"
    with opening():
        _go_on(turn, place)
        receiving.put_aside(turn, came, reason)


def _look(turn: Turn, place: Place, waiting: Waiting) -> tuple[Came, str]:
    """The mail and, when it cannot be read, why."""
    if waiting.raw is None:
        return Came(f"<{place.validity}.{place.uid}@{turn.mailbox_id}.invalid>", waiting.size), "too_large"
    try:
        mail = mss.read_mail(waiting.raw)
        return Came(mail.message_id, waiting.size, mail=mail), ""
    except MailUnreadable as error:
        return Came(f"<{sha256(waiting.raw).hexdigest()}@unreadable.invalid>", waiting.size), str(error.reason)


def _kept(came: Came, waiting: Waiting) -> Came:
    """With its bytes kept, sealed."""
    if waiting.raw is None:
        return came
    stored = storing.set_aside(waiting.raw, "courriel.eml", mss.incoming.MAX_BYTES)
    return Came(came.key, came.size, stored.id, came.mail)


def _take(turn: Turn, place: Place, came: Came, opening: Opening) -> None:
    assert came.mail is not None, "what cannot be read is put aside"
    with opening():
        carried = prepare(turn.establishment_id, came.mail, production=operators.is_production())
    with opening():
        _go_on(turn, place)
        received = receiving.take_in(turn, came, carried)
        _tell_refusal(received)


def _go_on(turn: Turn, place: Place) -> None:
    if not reading.go_on(turn, place, db.now()):
        raise LeaseLost


def _tell_refusal(received: ReceivedMail) -> None:
    """A receipt says that a letter was not filed, when the hospital wants it."""
    if received.outcome == "message" and received.receipt_code:
        jobs.enqueue("documents.send_receipt", received_id=str(received.id), kind="refusal")


# -- what it carries -----------------------------------------------------------------------------------------------


def prepare(establishment_id: UUID, mail: Mail, *, production: bool) -> Carried:
    """Scan and store what a mail carries: all that needs the antivirus and the storage."""
    message_id = uuid4()
    if mail.kind not in (MailKind.MESSAGE, MailKind.AUTOMATIC):
        return Carried(message_id)
    parcels = [
        _parcel(establishment_id, message_id, each, production=production)
        for each in mail.attachments
        if not mail.patient_number and _kind(each) in _PARCELS
    ]
    carried: list[Prepared | UUID] = [*parcels]
    for each in _for_people(mail, letters=sum(len(parcel.kept) for parcel in parcels)):
        carried.append(_file(establishment_id, message_id, each, by_citizen=bool(mail.patient_number)))
    return Carried(
        message_id,
        [each for each in carried if isinstance(each, Prepared)],
        [each for each in carried if isinstance(each, UUID)],
    )


def _for_people(mail: Mail, letters: int) -> Iterator[Joined]:
    """The files that are no parcel; beside letters that were read, their PDF copies are not shown twice (ECO.2.1.1)."""
    others = [each for each in mail.attachments if mail.patient_number or _kind(each) not in _PARCELS]
    copies = [each for each in others if _kind(each) is Kind.PDF]
    are_copies = bool(letters) and len(copies) <= letters
    return (each for each in others if not (are_copies and each in copies))


def _kind(joined: Joined) -> Kind | None:
    """What its bytes say that it is."""
    try:
        return sniff(joined.data[:_HEAD], joined.name)
    except FileRefused:
        return Kind.XDM if joined.is_package else None


def _parcel(establishment_id: UUID, message_id: UUID, joined: Joined, *, production: bool) -> Prepared:
    name = clean_name(joined.name or "document.zip")
    arriving = files.from_bytes([joined.data])
    parcel = Parcel(establishment_id, "mssante", name, joined.data, arriving, message_id)
    return intake.prepare(parcel, production=production)


def _file(establishment_id: UUID, message_id: UUID, joined: Joined, *, by_citizen: bool) -> UUID | Prepared:
    """A file that people open; what is none is put in quarantine with a reason."""
    name = clean_name(joined.name or "document")
    came = ParcelCame(
        establishment_id, "mssante", name, len(joined.data), sha256(joined.data).digest(), message_id
    )  # fmt: skip
    try:
        return files.receive(files.from_bytes([joined.data]), name, kinds=DOCUMENTS).id
    except FileInfected:
        return Prepared(came, refusal="infected")
    except FileRefused:
        pass
    reason = "citizen_file" if by_citizen else "file_type"
    if not joined.data:
        return Prepared(came, refusal="empty")
    try:
        return Prepared(came, storing.set_aside(joined.data, name).id, refusal=reason)
    except FileRefused:
        return Prepared(came, refusal="too_large")


# -- the way out of quarantine -------------------------------------------------------------------------------------


@jobs.task("documents.read_again")
def read_again(received_id: str) -> None:
    """Read anew, from its kept bytes, a mail that an agent asks for; what still cannot be read stays aside."""
    with jobs.reading():
        received = session.get_one(ReceivedMail, UUID(received_id))
        box = session.get_one(Mailbox, received.mailbox_id)
        stored = session.get(files.StoredFile, received.file_id) if received.file_id else None
    if stored is None or received.outcome != "quarantined":
        return
    try:
        mail = mss.read_mail(files.read_set_aside(stored))
    except MailUnreadable:
        return
    turn = Turn(box.id, box.establishment_id, box.address, box.unit_id, uuid4(), Place())
    with jobs.reading():
        carried = prepare(box.establishment_id, mail, production=operators.is_production())
    key = f"{received.message_key} {received.id.hex}"  # its own name stays with the row that was put aside
    with jobs.effect():
        receiving.release(session.get_one(ReceivedMail, received.id, with_for_update={"key_share": True}))
        receiving.take_in(turn, Came(key, received.size, stored.id, mail), carried)
