"""Taking in what comes through a door, and telling people. Doors are called first, then one action."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final
from uuid import UUID

from auth.mandates import queries as mandates
from portal import db, establishments, files, jobs, notifications
from portal.establishments import Establishment
from portal.file_sniffing import FileEmpty, FileRefused, Kind, clean_name
from portal.files import Arriving, FileInfected, FileTooLarge, StoredFile
from services.documents import actions, mails, matching, parcels, tracing
from services.documents.actions import Came, Kept, Outcome, storing
from services.documents.cda import CdaReason
from services.documents.models import Document, Misfiling
from services.documents.parcels import Letter, ParcelReason, ParcelRefused
from services.documents.shelf import showing

DATA_PROTECTION: Final = "data_protection_email"
"""A hospital's setting: who is told when a letter was given to the wrong person; else its public address."""
_PARCELS: Final = frozenset({Kind.CDA, Kind.XDM})
_PLAIN: Final = frozenset({Kind.PDF, Kind.JPEG, Kind.PNG})
_CONTENTS: Final = {"application/pdf": Kind.PDF, "image/jpeg": Kind.JPEG}


@dataclass(frozen=True)
class Parcel:
    """A file at the door of a hospital. arriving: its bytes on their way in. message_id: the mail that carried it."""

    establishment_id: UUID
    channel: str
    name: str
    data: bytes
    arriving: Arriving
    message_id: UUID | None = None

    @property
    def came(self) -> Came:
        digest = sha256(self.data).digest()
        return Came(self.establishment_id, self.channel, self.name, len(self.data), digest, self.message_id)


@dataclass(frozen=True)
class Prepared:
    """A parcel that was scanned, stored and read: what is left is to write down. refusal: why it goes to quarantine."""

    came: Came
    stored_id: UUID | None = None
    kept: tuple[Kept, ...] = ()
    refusal: str = ""


def take_in_file(establishment_id: UUID, channel: str, name: str, data: bytes, *, production: bool) -> list[Outcome]:
    """Take in a file, or each letter that a mail carries; whatever the bytes, there is an outcome."""
    if not parcels.is_mail(name):
        arriving = files.from_bytes([data])
        return take_in(Parcel(establishment_id, channel, name, data, arriving), production=production)
    try:
        carried = parcels.attachments(data)
    except ParcelRefused as refusal:
        came = Came(establishment_id, channel, name, len(data), sha256(data).digest())
        return [actions.quarantine(came, refusal.reason, _set_aside(data, name))]
    return [
        outcome
        for each in carried
        for outcome in take_in_file(establishment_id, channel, each.name, each.data, production=production)
    ]


def take_in(parcel: Parcel, *, production: bool) -> list[Outcome]:
    """Scan, store and read a letter or a package, then file what it holds.

    production: whether this instance holds real identities. A parcel of the other world is not kept.
    """
    return settle(prepare(parcel, production=production))


def settle(prepared: Prepared) -> list[Outcome]:
    """Write down what became of a parcel."""
    if prepared.refusal or prepared.stored_id is None:
        return [actions.quarantine(prepared.came, prepared.refusal, prepared.stored_id)]
    return actions.receive(prepared.came, prepared.stored_id, prepared.kept)


def prepare(parcel: Parcel, *, production: bool, letter: Letter | None = None) -> Prepared:
    """Scan, store and read a parcel: all that needs the antivirus and the storage. To call before anything is written.

    letter: when the parcel is a plain file, what a message says of it.
    """
    came, taken = parcel.came, _Taken()
    try:
        kinds = _PLAIN if letter is not None else _PARCELS
        own = taken.inspect(parcel.arriving, parcel.name, kinds)
        found = [letter] if letter is not None else parcels.letters(parcel.data, parcel.name)
        if not all(matching.belongs_here(each.header.patient.ins_oid, production=production) for each in found):
            return taken.drop(came, "test_identity" if production else "real_identity")
        kept = tuple(_keep(each, own if each.data == parcel.data else None, taken) for each in found)
    except ParcelRefused as refusal:
        return taken.aside(came, refusal.reason)
    except FileInfected:
        return taken.drop(came, "infected")
    except FileRefused as refusal:
        if not taken.files:
            return Prepared(came, _set_aside(parcel.data, parcel.name), refusal=_reason_of(parcel, refusal))
        return taken.aside(came, _reason_of(parcel, refusal))
    files.register(taken.files)
    return Prepared(came, own.id, kept)


@dataclass
class _Taken:
    """The files of a parcel, the parcel's own bytes first: registered together, or not at all."""

    files: list[StoredFile] = field(default_factory=list)

    def inspect(self, arriving: Arriving, name: str, kinds: frozenset[Kind]) -> StoredFile:
        """Raises FileRefused."""
        self.files.append(files.inspect(arriving, name, kinds=kinds))
        return self.files[-1]

    def aside(self, came: Came, reason: str) -> Prepared:
        """Keep the parcel alone, for quarantine."""
        self._forget(self.files[1:])
        files.register(self.files[:1])
        return Prepared(came, self.files[0].id, refusal=reason)

    def drop(self, came: Came, reason: str) -> Prepared:
        """Keep nothing of it."""
        self._forget(self.files)
        return Prepared(came, refusal=reason)

    def _forget(self, some: Sequence[StoredFile]) -> None:
        for each in some:
            files.discard(each.storage_key)


def _set_aside(data: bytes, name: str) -> UUID | None:
    """Keep what is refused, sealed, for whoever decides about it; what is empty or too large stays with its sender."""
    try:
        return storing.set_aside(data, name).id
    except FileRefused:
        return None


def _keep(letter: Letter, own: StoredFile | None, taken: _Taken) -> Kept:
    """Store a letter's own bytes unless they are the parcel's, and the file of its envelope.

    Raises FileRefused, ParcelRefused.
    """
    if own is None:
        own = taken.inspect(files.from_bytes([letter.data]), letter.name, frozenset({Kind.CDA}))
    return Kept(letter, own.id, _keep_content(letter, taken), own.sha256)


def _keep_content(letter: Letter, taken: _Taken) -> UUID | None:
    """Store the file of an envelope when it is one that people open. Raises FileInfected, ParcelRefused."""
    kind = _CONTENTS.get(letter.content[0]) if letter.content else None
    if letter.content is None or kind is None:
        return None
    name = clean_name(f"{letter.header.created_at:%Y%m%d} {letter.header.title}") + f".{kind}"
    try:
        return taken.inspect(files.from_bytes([letter.content[1]]), name, frozenset({kind})).id
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
    """Tell everyone who may read it that something waits: once, and not before they see it."""
    with jobs.effect() as current:
        document = current.get(Document, UUID(document_id), with_for_update={"key_share": True})
        if document is None or document.state != "filed" or document.patient_id is None:
            return
        if document.told_at is not None or not showing.is_shown(document):
            return
        document.told_at = db.now()
        if not showing.rules_for(document.establishment_id, document.type_code).notifies:
            return
        for account in mandates.accounts_to_tell(document.patient_id, "medical", masked=document.masked):
            notifications.tell(
                mails.new_document(),
                recipient=account.email,
                account_id=account.account_id,
                patient_id=document.patient_id,
                establishment_id=document.establishment_id,
                locale=account.locale,
            )


# -- a letter that was on the wrong shelf --------------------------------------------------------------------------


@jobs.task("documents.trace_misfiling")
def trace_misfiling(misfiling_id: str) -> None:
    """Write down who opened a misfiled letter while it was there; tell those who saw it that it is gone, and whoever
    looks after the protection of data at the hospital that it happened."""
    with jobs.effect() as current:
        misfiling = current.get_one(Misfiling, UUID(misfiling_id))
        hospital = current.get_one(Establishment, misfiling.establishment_id)
        misfiling.openings = [each.facts for each in tracing.openings(misfiling)]
        for account in tracing.readers(misfiling):
            notifications.tell(
                mails.letter_taken_back(),
                recipient=account.email,
                account_id=account.id,
                patient_id=misfiling.patient_id,
                locale=account.locale,
            )
        officer = establishments.setting(hospital.id, DATA_PROTECTION) or hospital.email
        if officer:
            notifications.tell(mails.misfiling(f"/admin/documents/{misfiling.document_id}"), recipient=officer)
