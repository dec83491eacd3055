"""What came through a door, taken apart: a letter, a package of letters, or a mail that carries them.

Pure functions over bytes. A parcel is taken whole or refused whole: half of a mail in a patient's file would be read as
the whole of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from services.documents import cda, mss, xdm
from services.documents.cda import CdaRefused, CdaTooLarge, Header, NotCda
from services.documents.ins import INS_OIDS
from services.documents.mss import MailReason, MailUnreadable
from services.documents.xdm import NotXdm, XdmRefused, XdmTooLarge

MAX_ATTACHMENTS: Final = 20
_HL7_HEADER: Final = b"MSH|"
_ZIP: Final = b"PK\x03\x04"
# Types that the metadata of a package give to CDA documents.
_XML_TYPES: Final = frozenset({"text/xml", "application/xml"})


class ParcelReason(StrEnum):
    """Why a parcel is refused; `CdaReason` and `XdmReason` say the rest."""

    NOT_CDA = "not_cda"
    TOO_LARGE = "too_large"
    HL7 = "hl7_not_supported"
    NO_DOCUMENT = "no_document"
    TOO_MANY_DOCUMENTS = "too_many_documents"
    PATIENTS_DIFFER = "patients_differ"  # the letter names another patient than its package
    IDENTIFIERS_DIFFER = "identifiers_differ"


class ParcelRefused(Exception):
    """Nothing of this parcel is taken. `reason` is a word of ParcelReason, CdaReason or XdmReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = str(reason)


@dataclass(frozen=True)
class Said:
    """What the message around a letter says of it, when there is one.

    visibility, wishes: codes of MetaDMPMSS. doubt: our word for why a person must decide. replaces: the identifier of
    the version that it takes the place of, when the letter itself does not name it.
    """

    visibility: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()
    doubt: str = ""
    replaces: str = ""


@dataclass(frozen=True)
class Letter:
    """A clinical document as it came: its name, its bytes, what its header says, and the file in its envelope."""

    name: str
    data: bytes
    header: Header
    content: tuple[str, bytes] | None  # media type and bytes
    said: Said = Said()


@dataclass(frozen=True)
class Attachment:
    """A file that a mail carries."""

    name: str
    data: bytes


def is_mail(name: str) -> bool:
    return name.lower().endswith(".eml")


def is_hl7(data: bytes) -> bool:
    """Whether it is an HL7 v2 message, with or without the frame of its transport (MLLP)."""
    return data.lstrip(b"\x0b\r\n").startswith(_HL7_HEADER)


def letters(data: bytes, name: str) -> list[Letter]:
    """The letters of a CDA document or of an IHE_XDM package. Raises ParcelRefused; nothing else."""
    try:
        return _letters_of_package(data) if data.startswith(_ZIP) else [_letter(data, name)]
    except NotXdm:
        raise ParcelRefused(ParcelReason.NOT_CDA) from None
    except XdmTooLarge:
        raise ParcelRefused(ParcelReason.TOO_LARGE) from None
    except XdmRefused as refusal:
        raise ParcelRefused(refusal.reason) from None


def attachments(data: bytes) -> list[Attachment]:
    """The packages and letters that a mail carries (RFC 5322). Raises ParcelRefused.

    With a package, the other attachments are copies of its documents for people to read (MSSanté référentiel 2,
    ECO.2.1.1), and are left out.
    """
    try:
        mail = mss.read_mail(data)
    except MailUnreadable as error:
        raise ParcelRefused(_UNREADABLE.get(error.reason, ParcelReason.NO_DOCUMENT)) from None
    taken = mail.packages or [joined for joined in mail.attachments if joined.name.lower().endswith(".xml")]
    if not taken:
        raise ParcelRefused(ParcelReason.NO_DOCUMENT)
    if len(taken) > MAX_ATTACHMENTS:
        raise ParcelRefused(ParcelReason.TOO_MANY_DOCUMENTS)
    return [Attachment(joined.name or _PACKAGE, joined.data) for joined in taken]


_PACKAGE: Final = "IHE_XDM.ZIP"
_UNREADABLE: Final = {
    MailReason.TOO_LARGE: ParcelReason.TOO_LARGE,
    MailReason.TOO_DEEP: ParcelReason.TOO_MANY_DOCUMENTS,
    MailReason.TOO_MANY_PARTS: ParcelReason.TOO_MANY_DOCUMENTS,
    MailReason.TOO_MANY_ATTACHMENTS: ParcelReason.TOO_MANY_DOCUMENTS,
}


def _letters_of_package(data: bytes) -> list[Letter]:
    package = xdm.unpack(data)
    found = [_described_letter(entry) for entry in package.documents if entry.metadata.mime_type in _XML_TYPES]
    if not found:
        raise ParcelRefused(ParcelReason.NO_DOCUMENT)
    return found


def _described_letter(entry: xdm.Entry) -> Letter:
    """A letter of a package; the metadata must speak of the same patient and of the same document."""
    letter = _letter(entry.data, PurePosixPath(entry.name).name)
    patient, said = letter.header.patient, entry.metadata.patient
    if said.oid in INS_OIDS and (said.number, said.oid) != (patient.ins, patient.ins_oid):
        raise ParcelRefused(ParcelReason.PATIENTS_DIFFER)
    if entry.metadata.unique_id != letter.header.unique_id:
        raise ParcelRefused(ParcelReason.IDENTIFIERS_DIFFER)
    return letter


def _letter(data: bytes, name: str) -> Letter:
    if is_hl7(data):
        raise ParcelRefused(ParcelReason.HL7)
    try:
        return Letter(name, data, cda.read_header(data), cda.embedded(data))
    except NotCda:
        raise ParcelRefused(ParcelReason.NOT_CDA) from None
    except CdaTooLarge:
        raise ParcelRefused(ParcelReason.TOO_LARGE) from None
    except CdaRefused as refusal:
        raise ParcelRefused(refusal.reason) from None
