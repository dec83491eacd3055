"""What a hospital system says of a document: HL7 v2 MDM (T02, T10, T04) and ORU (R01), read. Pure.

HL7 v2.5 and v2.6, chapters 9 (TXA) and 7 (OBX); CI-SIS, "transmission de documents CDA en HL7 v2" 2.1 (MetaDMPMSS).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Message, NotHl7, Segment
from services.documents import cda
from services.documents.his import person
from services.documents.his.states import CHANNEL
from services.documents.matching import HIDES

NEW, REPLACED, WITHDRAWN, RESULT = "T02", "T10", "T04", "R01"
META: Final = "MetaDMPMSS"
ASKS: Final = frozenset(
    {"DESTDMP", "DESTMSSANTEPS", "DESTMSSANTEPAT", "ACK_RECEPTION", "ACK_LECTURE_MSS", "MODIF_CONF_CODE"}
)
"""Codes of MetaDMPMSS that ask the receiver for something; those that hide are `matching.HIDES`."""
VISIBILITY_ONLY: Final = "MODIF_CONF_CODE"
MAX_DOCUMENTS: Final = 10
_FINAL: Final = frozenset({"", "AU", "LA", "F", "C"})
"""Table 0271 (TXA-17) and 0123 (OBR-25): what its author has signed."""
_GONE: Final = frozenset({"CA", "OB"})  # table 0273 (TXA-19): cancelled, obsolete
_RESTRICTED: Final = {"R": "R", "V": "V", "UV": "V"}
_LONGEST: Final = 128
_SIGNS: Final = re.compile(r"[^0-9A-Za-z._-]+")


@dataclass(frozen=True)
class Carried:
    """A document in a message. code, label: of its type (OBX-3)."""

    data: bytes
    code: str
    label: str

    @property
    def suffix(self) -> str:
        """By its first bytes: xml, pdf, zip, jpg, png; "bin" when it is none of them."""
        return next((suffix for start, suffix in _STARTS if self.data.startswith(start)), "bin")

    @property
    def is_plain(self) -> bool:
        """Whether it is a file without envelope, whose patient the message alone names."""
        return self.suffix in ("pdf", "jpg", "png")


_STARTS: Final = (
    (b"<", "xml"), (b"\xef\xbb\xbf<", "xml"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"), (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG", "png"),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What one message says. number: TXA-12 or OBR-3, by which it names the document; parent: TXA-13.

    status: TXA-17 or OBR-25. sender: MSH-3 and MSH-4. created_at: when the document was written. channel: of arrivals.
    """

    trigger: str
    sender: str
    number: str
    parent: str
    person: cda.Patient
    identity_status: str
    author: cda.Author
    status: str
    availability: str
    confidentiality: str
    said_at: datetime
    created_at: datetime
    documents: tuple[Carried, ...]
    visibility: tuple[str, ...]
    wishes: tuple[str, ...]
    channel: str = CHANNEL

    @property
    def withdraws(self) -> bool:
        return self.trigger == WITHDRAWN or self.availability in _GONE

    @property
    def replaces(self) -> bool:
        """Whether it takes the place of what this sender said before."""
        return self.trigger == REPLACED or (self.trigger == RESULT and self.status == "C")

    @property
    def doubt(self) -> str:
        """Our word for why a person must look at it, whatever the identity is."""
        if self.status not in _FINAL:
            return "not_final"
        # A sender that has not validated an identity knows less than the INS suggests (table 0445, RNIV).
        return "identity_not_validated" if self.identity_status not in ("", "VALI", "QUAL") else ""


def read(message: Message, tz: ZoneInfo) -> Told:
    """What an MDM or an ORU says. Raises NotHl7 with the code of the acknowledgement."""
    trigger = message.trigger
    if trigger not in (NEW, REPLACED, WITHDRAWN, RESULT):
        raise NotHl7("201", "only MDM T02, T10, T04 and ORU R01 are taken here")
    if len(message.all("PID")) != 1:
        raise NotHl7("102", "a message is about one patient: exactly one PID is needed")
    txa, obr = message.first("TXA"), message.first("OBR")
    number = _number(txa, 12) or _number(obr, 3)
    if not number:
        raise NotHl7("101", "TXA-12 (MDM) or OBR-3 (ORU) is needed: the number of the document")
    said_at = _moment(tz, message.first("EVN").value(2), message.header.value(7))
    if said_at is None:
        raise NotHl7("101", "EVN-2 or MSH-7 is needed: when the message was written")
    marks = dict(_marks(message))
    return Told(
        trigger=trigger,
        sender=f"{message.header.value(3)}|{message.header.value(4)}"[:_LONGEST],
        number=number,
        parent=_number(txa, 13),
        person=person.read(message.first("PID")),
        identity_status=message.first("PID").value(32).upper(),
        author=person.author(txa, obr),
        status=(txa.value(17) or obr.value(25)).upper(),
        availability=txa.value(19).upper(),
        confidentiality=_RESTRICTED.get(txa.value(18).upper(), "N"),
        said_at=said_at,
        created_at=_moment(tz, txa.value(6), txa.value(4), obr.value(22), obr.value(7)) or said_at,
        documents=tuple(_documents(message)),
        visibility=tuple(sorted(code for code, said in marks.items() if said and code in HIDES)),
        wishes=tuple(sorted(code for code, said in marks.items() if said and code in ASKS)),
    )


def _number(line: Segment, field: int) -> str:
    """An entity identifier (EI); the namespace beside it is a name, which senders spell as they like."""
    return line.value(field)[:_LONGEST]


def _moment(tz: ZoneInfo, *given: str) -> datetime | None:
    found = next(filter(None, given), "")
    return hl7v2.moment(found, tz) if found else None


def _marks(message: Message) -> Iterator[tuple[str, bool]]:
    for line in message.all("OBX"):
        if line.value(2) in ("CE", "CWE") and line.value(3, 3) == META:
            yield line.value(3), line.value(5).upper() == "Y"


def _documents(message: Message) -> Iterator[Carried]:
    found = [line for line in message.all("OBX") if line.value(2) == "ED" and not _is_mail(line)]
    if len(found) > MAX_DOCUMENTS:
        raise NotHl7("102", f"a message carries {MAX_DOCUMENTS} documents at most")
    for line in found:
        yield Carried(_bytes(line), line.value(3)[:100], line.value(3, 2)[:300])


def _is_mail(line: Segment) -> bool:
    """The words of a mail travel beside its documents: they are for the mail, and not a document."""
    return line.value(3, 3) == META or line.value(3, 2).startswith("XDM/")


def _bytes(line: Segment) -> bytes:
    """OBX-5.5, in base64; lines may be broken anywhere, and the signs of its end left out, as official examples do."""
    if line.value(5, 4).lower() != "base64":
        raise NotHl7("102", "OBX-5.4 is not Base64: documents travel in no other way")
    written = re.sub(r"\s+", "", line.value(5, 5))
    try:
        return base64.b64decode(written + "=" * (-len(written) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise NotHl7("102", "OBX-5.5 is not base64") from None


def name_of(told: Told, rank: int, carried: Carried) -> str:
    """The name of the file of a document: its number, without the signs that a path would read."""
    number = _SIGNS.sub("-", told.number).strip("-.")[:80] or "document"
    return f"{number}{f'-{rank}' if rank > 1 else ''}.{carried.suffix}"
