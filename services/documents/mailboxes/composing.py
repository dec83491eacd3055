"""From a message of a unit to the mail that leaves: letters as documents with their package, or plain files.

`gather` reads what the mail is made of; `compose` makes it, with no transaction open, the same bytes at each try.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import select

from auth.models import Patient, PatientRecord
from portal import establishments, files
from portal.db import session
from portal.establishments import Establishment
from portal.files import StoredFile
from services.documents import cda, matching, mss, pdfa, value_sets, xdm
from services.documents.cda import Author, Organization
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage
from services.documents.mailboxes import operators, oppositions
from services.documents.mailboxes.models import Mailbox, Transmission
from services.documents.models import Document
from services.documents.mss import Copy, Outgoing, Pair, Sender
from services.documents.shelf.mes import queries as national_record
from services.exchanges import dialect

TYPE_CODE: Final = "mssante_type_code"
"""A hospital's setting: the national type of a letter that a unit joins, when nobody said which."""
USUAL_TYPE: Final = "11488-4"
_SOURCE: Final = "2.25.213717486212479571893064287190735210743"  # of the portal as a software, once and for all
_KEY: Final = re.compile(r"<[!-;=?A-~]{1,250}@[!-;=?A-~]{1,250}>")
_ONLY_FILES: Final = "Bonjour,\n\nvous trouverez ci-joint un document.\n"
_MOST_REFERENCES: Final = 20


class NotSent(Exception):
    """This mail may not leave. reason: our word (`wording.REFUSALS`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotYet(Exception):
    """A joined file waits for the antivirus."""


@dataclass(frozen=True)
class Joining:
    """A file that the mail carries. number, version, replaces: of the letter it becomes."""

    stored: StoredFile
    number: UUID
    type_code: str
    set_number: UUID
    version: int = 1
    replaces: str = ""


@dataclass(frozen=True)
class About:
    """The patient whom the mail is about, as its letters name them."""

    traits: cda.Patient
    has_ins: bool


@dataclass(frozen=True)
class Gathered:
    """All that a mail is made of. hospital, finess: who keeps its letters."""

    transmission_id: UUID
    message_key: str
    sender: Sender
    address: str
    text: str
    subject: str
    author: str
    sent_at: datetime
    hospital: str
    finess: str
    zone: ZoneInfo
    product: str
    thread: tuple[str, ...] = ()
    answered: str = ""
    receipt_asked: bool = False
    replaces: bool = False
    closes: bool = False
    about: About | None = None
    qualified_ins: str = ""
    joined: tuple[Joining, ...] = ()


# -- reading -------------------------------------------------------------------------------------------------------


def gather(transmission: Transmission, *, production: bool) -> Gathered:
    """Read what this mail is made of. Raises NotSent, NotYet."""
    message = session.get_one(ExchangeMessage, transmission.message_id)
    exchange = session.get_one(Exchange, message.exchange_id)
    box = session.get_one(Mailbox, transmission.mailbox_id)
    _check(exchange, box, transmission.address)
    hospital = session.get_one(Establishment, transmission.establishment_id)
    about_id = exchange.about_id or exchange.patient_id
    patient = session.get(Patient, about_id) if about_id else None
    about = _about(patient, hospital, production=production) if patient else None
    thread = _thread(exchange, message)
    return Gathered(
        transmission_id=transmission.id,
        message_key=transmission.message_key,
        sender=Sender(box.address, box.label),
        address=transmission.address,
        text=message.text or _ONLY_FILES,
        subject=exchange.subject,
        author=message.author_name,
        sent_at=message.sent_at,
        hospital=hospital.name,
        finess=hospital.finess,
        zone=hospital.tz,
        product=establishments.setting(hospital.id, operators.PRODUCT) or operators.USUAL_PRODUCT,
        thread=thread,
        answered=_replaced_key(message) or (thread[-1] if thread else ""),
        receipt_asked=transmission.receipt_asked,
        replaces=message.replaces_id is not None,
        closes=exchange.state == "closed" and mss.is_citizen(transmission.address),
        about=about,
        qualified_ins=about.traits.ins if about and about.has_ins else "",
        joined=tuple(_joined(message)),
    )


def _check(exchange: Exchange, box: Mailbox, address: str) -> None:
    if not box.is_open:
        raise NotSent("box_closed")
    about_id = exchange.about_id or exchange.patient_id
    audience = "patient" if mss.is_citizen(address) else "professional"
    if audience == "patient" and about_id and national_record.opposes(about_id):
        raise NotSent("opposed")
    if about_id and oppositions.stands(about_id, exchange.establishment_id, audience):
        raise NotSent("opposed")


def _about(patient: Patient, hospital: Establishment, *, production: bool) -> About | None:
    """None when no number of the patient may leave: a letter needs one."""
    is_qualified = patient.identity_status == "QUAL" and bool(patient.ins and patient.ins_oid)
    has_ins = is_qualified and matching.belongs_here(patient.ins_oid, production=production)
    ipp = session.scalar(
        select(PatientRecord.ipp).where(
            PatientRecord.patient_id == patient.id, PatientRecord.establishment_id == hospital.id
        )
    )
    if not has_ins and not ipp:
        return None
    traits = cda.Patient(
        ins=patient.ins if has_ins else "",
        ins_oid=patient.ins_oid if has_ins else "",
        ipp=ipp or "",
        ipp_oid=_ipp_oid(hospital) if ipp else "",
        birth_name=patient.birth_name,
        used_name=patient.used_name,
        first_names=" ".join(patient.first_names),
        first_name=patient.first_name,
        sex=patient.sex,
        birth_on=patient.birth_on,
        birthplace_insee=patient.birthplace_insee,
    )
    return About(traits, has_ins)


def _ipp_oid(hospital: Establishment) -> str:
    """The authority of its numbers: the one its own system names, else one made of its key (ITU-T X.667)."""
    authority = dialect.read(establishments.setting(hospital.id, dialect.SETTING)).ipp_authority
    return authority[1] if len(authority) > 1 and authority[1] else cda.identifier(hospital.id)


def _thread(exchange: Exchange, message: ExchangeMessage) -> tuple[str, ...]:
    """The mails of this thread that went before, the oldest first; those whose names no mail may write are left out."""
    keys = session.scalars(
        select(ExchangeMessage.message_key)
        .where(
            ExchangeMessage.exchange_id == exchange.id,
            ExchangeMessage.id != message.id,
            ExchangeMessage.sent_at <= message.sent_at,
            ExchangeMessage.message_key != "",
        )
        .order_by(ExchangeMessage.sent_at.desc(), ExchangeMessage.id)
        .limit(_MOST_REFERENCES)
    ).all()
    return tuple(key for key in reversed(keys) if _KEY.fullmatch(key))


def _replaced_key(message: ExchangeMessage) -> str:
    former = session.get(ExchangeMessage, message.replaces_id) if message.replaces_id else None
    return former.message_key if former and _KEY.fullmatch(former.message_key) else ""


def _joined(message: ExchangeMessage) -> Iterator[Joining]:
    usual = establishments.setting(message.establishment_id, TYPE_CODE) or USUAL_TYPE
    former = _files_of(message.replaces_id)
    chain = _depth(message)
    for each in _files_of(message.id):
        stored = session.get_one(StoredFile, each.file_id)
        if stored.state == "waiting":
            raise NotYet
        if stored.state != "clean":
            raise NotSent("file")
        before = next((other for other in former if other.position == each.position), None)
        yield Joining(
            stored=stored,
            number=each.id,
            type_code=_type_of(each, usual),
            set_number=_first(message, each).id,
            version=chain if before else 1,
            replaces=cda.identifier(before.id) if before else "",
        )


def _files_of(message_id: UUID | None) -> Sequence[ExchangeFile]:
    return session.scalars(
        select(ExchangeFile).where(ExchangeFile.message_id == message_id).order_by(ExchangeFile.position)
    ).all()


def _depth(message: ExchangeMessage) -> int:
    """Which version of itself a message is: the first one cancels nothing."""
    return len(_line_of(message))


def _line_of(message: ExchangeMessage) -> list[ExchangeMessage]:
    """A message and those that it cancels, the latest first."""
    line = [message]
    while (former_id := line[-1].replaces_id) and len(line) < 100:
        line.append(session.get_one(ExchangeMessage, former_id))
    return line


def _first(message: ExchangeMessage, joined: ExchangeFile) -> ExchangeFile:
    """The same file in the first of the messages that this one cancels: all versions bear its number (setId)."""
    found = joined
    for former in _line_of(message)[1:]:
        same = next((each for each in _files_of(former.id) if each.position == joined.position), None)
        if same is None:
            break
        found = same
    return found


def _type_of(joined: ExchangeFile, usual: str) -> str:
    """What an agent said of it when they filed it, if they did."""
    same = (Document.joined_id == joined.id) | (Document.file_id == joined.file_id)
    said = session.scalars(select(Document.type_code).where(same, Document.type_code != "").limit(1)).first()
    return said if said and value_sets.type_of(said) else usual


# -- making --------------------------------------------------------------------------------------------------------


def compose(gathered: Gathered) -> bytes:
    """The mail. Raises NotSent."""
    try:
        return mss.compose(outgoing(gathered))
    except mss.CitizenNotQualified:
        raise NotSent("not_qualified") from None
    except mss.MailTooLarge:
        raise NotSent("too_large") from None
    except mss.CannotSend:
        raise NotSent("not_a_mail") from None


def outgoing(gathered: Gathered) -> Outgoing:
    """What the mail says. Raises NotSent."""
    pair = _pair(gathered) if gathered.about and gathered.joined else None
    prefix = "[Annule et remplace] " if gathered.replaces and pair is None else ""
    return Outgoing(
        message_id=gathered.message_key,
        sender=gathered.sender,
        recipients=(gathered.address,),
        sent_at=gathered.sent_at,
        product=gathered.product,
        text=gathered.text,
        subject=prefix + " ".join(gathered.subject.split()),
        pair=pair,
        files=() if pair else tuple(Copy(_pdf_name(each.stored.name), _pdf(each.stored)) for each in gathered.joined),
        replaces=gathered.replaces,
        in_reply_to=gathered.answered,
        references=gathered.thread,
        reply_to=gathered.sender.address,
        receipt_to=gathered.sender.address if gathered.receipt_asked else "",
        qualified_ins=gathered.qualified_ins,
        closes=gathered.closes,
    )


def _pair(gathered: Gathered) -> Pair:
    """The documents as a package, and as people open them (ECO.2.1.1)."""
    assert gathered.about is not None, "a package is about somebody"
    letters = [_letter(gathered, gathered.about, each) for each in gathered.joined]
    submission = xdm.Submission(
        unique_id=cda.identifier(gathered.transmission_id),
        source_id=_SOURCE,
        sent_at=gathered.sent_at,
        sender=gathered.sender.label,
    )
    try:
        return mss.pair(letters, submission, gathered.zone)
    except (xdm.CannotPack, cda.CdaError, pdfa.CannotCopy):
        raise NotSent("documents") from None


def _letter(gathered: Gathered, about: About, joined: Joining) -> bytes:
    if joined.stored.media_type == "text/xml":
        return b"".join(files.open_(joined.stored))
    keeper = cda.structure_id(gathered.finess)
    number = uuid5(NAMESPACE_OID, gathered.author).hex[:12]  # a message keeps no more of who wrote it than a name
    author = Author(
        id=cda.staff_id(keeper, number),
        family=gathered.author,
        organization=gathered.hospital,
        organization_id=keeper,
    )
    return cda.write_letter(
        cda.Letter(
            unique_id=cda.identifier(joined.number),
            set_id=cda.identifier(joined.set_number),
            version=joined.version,
            replaces=joined.replaces or None,
            type_code=joined.type_code,
            title=value_sets.type_label(joined.type_code),
            created_at=gathered.sent_at,
            patient=about.traits,
            author=author,
            custodian=Organization(keeper, gathered.hospital),
            body=_pdf(joined.stored),
        )
    )


def _pdf(stored: StoredFile) -> bytes:
    """The file as a PDF: only these leave (a photograph becomes a page; a letter, what people open of it)."""
    data = b"".join(files.open_(stored))
    if stored.media_type == "application/pdf":
        return data
    if stored.media_type not in ("text/xml", "image/jpeg", "image/png"):
        raise NotSent("file")
    try:
        is_letter = stored.media_type == "text/xml"
        return (pdfa.copy_of(data) if is_letter else pdfa.picture(data, stored.name, stored.created_at)).data
    except (pdfa.CannotCopy, cda.CdaError):
        raise NotSent("documents") from None


def _pdf_name(name: str) -> str:
    return f"{name.rpartition('.')[0] or name}.pdf"
