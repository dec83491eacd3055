"""Taking in what comes through a door, and telling people. Doors are called first, then one action."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from auth.mandates import queries as mandates
from auth.models import Account, Professional
from portal import establishments, files, jobs, notifications
from portal.file_sniffing import FileEmpty, FileRefused, Kind, clean_name
from portal.files import Arriving, FileInfected, FileTooLarge
from services.documents import actions, mails, matching, parcels
from services.documents.actions import Came, Kept, Outcome
from services.documents.cda import CdaReason
from services.documents.models import Document, Exchange
from services.documents.parcels import Letter, ParcelReason, ParcelRefused

MAILBOX_SETTING: Final = "documents_email"
"""The address of a hospital that is told when a practitioner writes."""

_PARCELS: Final = frozenset({Kind.CDA, Kind.XDM})
_CONTENTS: Final = {"application/pdf": Kind.PDF, "image/jpeg": Kind.JPEG}


@dataclass(frozen=True)
class Parcel:
    """A file at the door of a hospital. arriving: its bytes on their way to the store."""

    establishment_id: UUID
    channel: str
    name: str
    data: bytes
    arriving: Arriving

    @property
    def came(self) -> Came:
        return Came(self.establishment_id, self.channel, self.name, len(self.data), sha256(self.data).digest())


def take_in_file(establishment_id: UUID, channel: str, name: str, data: bytes, *, production: bool) -> list[Outcome]:
    """Take in a file, or each letter that a mail carries; whatever the bytes, there is an outcome."""
    if not parcels.is_mail(name):
        arriving = files.from_bytes([data])
        return take_in(Parcel(establishment_id, channel, name, data, arriving), production=production)
    try:
        carried = parcels.attachments(data)
    except ParcelRefused as refusal:
        came = Came(establishment_id, channel, name, len(data), sha256(data).digest())
        return [actions.quarantine(came, refusal.reason)]
    return [
        outcome
        for each in carried
        for outcome in take_in_file(establishment_id, channel, each.name, each.data, production=production)
    ]


def take_in(parcel: Parcel, *, production: bool) -> list[Outcome]:
    """Scan, store and read a letter or a package, then file what it holds.

    production: whether this instance holds real identities. A parcel of the other world is not kept.
    """
    stored_id: UUID | None = None
    try:
        stored_id = files.receive(parcel.arriving, parcel.name, kinds=_PARCELS).id
        found = parcels.letters(parcel.data, parcel.name)
        if not all(matching.belongs_here(each.header.patient.ins_oid, production=production) for each in found):
            return [actions.quarantine(parcel.came, "test_identity" if production else "real_identity")]
        kept = [_keep(each, stored_id if each.data == parcel.data else None) for each in found]
    except ParcelRefused as refusal:
        return [actions.quarantine(parcel.came, refusal.reason, stored_id)]
    except FileInfected:
        return [actions.quarantine(parcel.came, "infected")]
    except FileRefused as refusal:
        return [actions.quarantine(parcel.came, _reason_of(parcel, refusal), stored_id)]
    return actions.receive(parcel.came, stored_id, kept)


def _keep(letter: Letter, stored_id: UUID | None) -> Kept:
    """Store a letter's own bytes unless they are the parcel's, and the file of its envelope.

    Raises FileRefused, ParcelRefused.
    """
    if stored_id is None:
        arriving = files.from_bytes([letter.data])
        stored_id = files.receive(arriving, letter.name, kinds=frozenset({Kind.CDA})).id
    return Kept(letter, stored_id, _keep_content(letter))


def _keep_content(letter: Letter) -> UUID | None:
    """Store the file of an envelope when it is one that people open. Raises FileInfected, ParcelRefused."""
    kind = _CONTENTS.get(letter.content[0]) if letter.content else None
    if letter.content is None or kind is None:
        return None
    name = clean_name(f"{letter.header.created_at:%Y%m%d} {letter.header.title}") + f".{kind}"
    try:
        return files.receive(files.from_bytes([letter.content[1]]), name, kinds=frozenset({kind})).id
    except FileInfected:
        raise
    except FileRefused:  # it says PDF and is none, or does not open
        raise ParcelRefused(CdaReason.BODY_UNREADABLE) from None


def _reason_of(parcel: Parcel, refusal: FileRefused) -> str:
    if isinstance(refusal, FileTooLarge):
        return ParcelReason.TOO_LARGE
    if isinstance(refusal, FileEmpty):
        return "empty"
    return ParcelReason.HL7 if parcels.is_hl7(parcel.data) else ParcelReason.NOT_CDA


# -- telling people ------------------------------------------------------------------------------------------------


@jobs.task("documents.tell_patient")
def tell_patient(document_id: str) -> None:
    """Tell everyone who may read it that something waits."""
    with jobs.effect() as current:
        document = current.get(Document, UUID(document_id))
        if document is None or document.state != "filed" or document.patient_id is None:
            return
        for account in mandates.accounts_to_tell(document.patient_id, "medical", masked=document.masked):
            notifications.tell(
                mails.new_document(),
                recipient=account.email,
                account_id=account.account_id,
                patient_id=document.patient_id,
                locale=account.locale,
            )


@jobs.task("documents.tell_professional")
def tell_professional(exchange_id: str) -> None:
    """Tell the practitioner that a unit has written, when their account has an address."""
    with jobs.effect() as current:
        exchange = current.get_one(Exchange, UUID(exchange_id))
        account = current.get_one(Account, current.get_one(Professional, exchange.professional_id).account_id)
        notifications.tell(
            mails.new_answer(f"/pro/echanges/{exchange.id}"),
            recipient=account.email,
            account_id=account.id,
            locale=account.locale,
        )


@jobs.task("documents.tell_unit")
def tell_unit(exchange_id: str) -> None:
    """Tell the hospital's documents mailbox, when it has one, that a practitioner has written."""
    with jobs.effect() as current:
        exchange = current.get_one(Exchange, UUID(exchange_id))
        mailbox = establishments.setting(exchange.establishment_id, MAILBOX_SETTING)
        notifications.tell(mails.new_exchange(f"/admin/documents/echanges/{exchange.id}"), recipient=mailbox)
