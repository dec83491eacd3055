"""A document as an MDM message (HL7 v2.6, chapter 9; CI-SIS, transmission of documents in HL7 v2). Pure.

Built by the index of each field, never by counting bars. The bytes of the document come last, when it leaves.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Component, Message, Segment, header, segment
from services.documents.his.message import META
from services.exchanges.dialect import Dialect

PORTAL: Final = "PARVIS"
PROFILE: Final = ("1.1", "CISIS_CDA_HL7_LPS")
_RELIABILITY: Final = {"QUAL": "VALI", "VALI": "VALI"}
"""PID-32 (table 0445). A qualified identity is a validated one that bears its INS."""
_DATA: Final = {
    "text/xml": ("text", "XML"),
    "application/pdf": ("application", "PDF"),
    "image/jpeg": ("image", "JPEG"),
    "image/png": ("image", "PNG"),
}
"""Media type → OBX-5.2 and OBX-5.3."""


@dataclass(frozen=True)
class Person:
    """Of whom it is. ins: "" unless the identity is qualified. status: of our identities."""

    ipp: str
    portal_id: str
    ins: str
    ins_oid: str
    birth_name: str
    first_names: Sequence[str]
    used_name: str
    birth_on: date
    sex: str
    status: str


@dataclass(frozen=True)
class Telling:
    """What is told. event: T02, T10 or T04. number: TXA-12. parent: of the version it replaces, TXA-13."""

    event: str
    control_id: str
    sent_at: datetime
    tz: ZoneInfo
    person: Person
    number: str
    parent: str
    type_code: str
    title: str
    author: str
    authored_at: datetime
    media_type: str
    visibility: Sequence[str] = ()


def write(telling: Telling, dialect: Dialect, content: bytes = b"") -> bytes:
    """MDM^T02^MDM_T02, T10 or T04; without content, what is kept to be looked at."""
    return Message(tuple(_lines(telling, dialect, content))).write()


def _lines(telling: Telling, dialect: Dialect, content: bytes) -> list[Segment]:
    lines = [
        _header(telling, dialect),
        segment("EVN", {2: hl7v2.stamp(telling.sent_at, telling.tz, with_offset=dialect.with_offset)}),
        _patient(telling.person, dialect),
        segment("PV1", {1: "1", 2: "N"}),
        _document(telling, dialect),
    ]
    if telling.event != "T04":
        lines.append(_content(telling, content))
        lines += [_mark(rank, code) for rank, code in enumerate(telling.visibility, start=2)]
    return lines


def _header(telling: Telling, dialect: Dialect) -> Segment:
    return header(
        {
            3: dialect.application,
            4: dialect.facility,
            5: dialect.receiving_application,
            6: dialect.receiving_facility,
            7: hl7v2.stamp(telling.sent_at, telling.tz, with_offset=dialect.with_offset),
            9: ("MDM", telling.event, "MDM_T02" if telling.event != "T04" else "MDM_T01"),
            10: telling.control_id,
            11: dialect.processing,
            12: "2.6",
            17: "FRA",
            18: dialect.charset,
            21: PROFILE,
        }
    )


def _patient(person: Person, dialect: Dialect) -> Segment:
    numbers: list[Sequence[Component]] = []
    if person.ipp:
        numbers.append((person.ipp, "", "", dialect.ipp_authority or (dialect.facility,), "PI"))
    numbers.append((person.portal_id, "", "", (PORTAL,), "PT"))
    if dialect.with_ins and person.ins and person.status == "QUAL":
        numbers.append((person.ins, "", "", ("ASIP-SANTE-INS-NIR", person.ins_oid, "ISO"), "INS"))
    first = person.first_names[0] if person.first_names else ""
    names: list[Sequence[Component]] = [(person.birth_name, first, " ".join(person.first_names), "", "", "", "L")]
    if person.used_name:
        names.append((person.used_name, first, "", "", "", "", "D"))
    return segment(
        "PID",
        {
            1: "1",
            3: numbers,
            5: names,
            7: person.birth_on.strftime("%Y%m%d"),
            8: person.sex if person.sex in ("F", "M") else "U",
            32: _RELIABILITY.get(person.status, "PROV"),
        },
    )


def _document(telling: Telling, dialect: Dialect) -> Segment:
    written = hl7v2.stamp(telling.authored_at, telling.tz, with_offset=dialect.with_offset)
    return segment(
        "TXA",
        {
            1: "1",
            2: telling.type_code or "DOC",
            3: "TEXT" if telling.media_type == "text/xml" else "AP",
            4: written,
            6: written,
            9: ("", telling.author),
            12: (telling.number, PORTAL),
            13: (telling.parent, PORTAL) if telling.parent else "",
            17: "AU",
            19: "CA" if telling.event == "T04" else "AV",
        },
    )


def _content(telling: Telling, content: bytes) -> Segment:
    kind, subtype = _DATA.get(telling.media_type, ("application", "octet-stream"))
    code = (telling.type_code or "DOC", telling.title, "LN")
    data = base64.b64encode(content).decode("ascii")
    return segment("OBX", {1: "1", 2: "ED", 3: code, 5: ("", kind, subtype, "Base64", data), 11: "F"})


def _mark(rank: int, code: str) -> Segment:
    said = ("Y", "", "expandedYes-NoIndicator")
    return segment("OBX", {1: str(rank), 2: "CWE", 3: (code, "", META), 5: said, 11: "F"})
