"""Fictional messages of hospital systems about documents: MDM and ORU."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from portal import db, establishments
from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import Acknowledgement, Segment, Value
from services.documents import cda
from services.documents.his import states
from services.exchanges import listening
from tests.factories import exchanges

Parts = Mapping[int, Value]


def mdm(
    trigger: str,
    about: cda.Patient,
    *documents: bytes,
    number: str = "1.2.250.1.999.1^DPI",
    parent: str = "",
    control_id: str = "",
    status: str = "AU",
    availability: str = "",
    confidentiality: str = "",
    identity: str = "VALI",
    marks: Sequence[str] = (),
    said_at: datetime | None = None,
    sender: str = "DPI",
) -> bytes:
    """A message about a document, in UTC with its offset."""
    stamp = (said_at or db.now()).strftime("%Y%m%d%H%M%S%z")
    txa: dict[int, Value] = {
        1: "1", 2: "11490-0", 3: "TEXT", 4: stamp, 9: ("810000000009", "MERCIER", "Hélène"),
        12: tuple(number.split("^")), 13: tuple(parent.split("^")) if parent else "", 17: status, 18: confidentiality,
        19: availability,
    }  # fmt: skip
    lines = [
        _header("MDM", trigger, control_id, stamp, sender),
        hl7v2.segment("EVN", {2: stamp}),
        _pid(about, identity),
        hl7v2.segment("PV1", {1: "1", 2: "I"}),
        hl7v2.segment("TXA", txa),
        *(_ed(rank, each) for rank, each in enumerate(documents, start=1)),
        *(_mark(rank, each) for rank, each in enumerate(marks, start=20)),
    ]
    return hl7v2.joined(lines)


def oru(
    about: cda.Patient,
    *documents: bytes,
    results: Sequence[Parts] = (),
    order: str = "1001-E1^labo",
    status: str = "F",
    control_id: str = "",
) -> bytes:
    """Results of a laboratory: a report, and the values beside it."""
    stamp = db.now().strftime("%Y%m%d%H%M%S%z")
    code = ("11502-2", "CR d’examens biologiques", "LN")
    lines = [
        _header("ORU", "R01", control_id, stamp, "SIL"),
        _pid(about, "VALI"),
        hl7v2.segment("OBR", {1: "1", 3: tuple(order.split("^")), 4: code, 25: status}),
        *(_ed(rank, each) for rank, each in enumerate(documents, start=1)),
        *(hl7v2.segment("OBX", each) for each in results),
    ]
    return hl7v2.joined(lines)


def _header(kind: str, trigger: str, control_id: str, stamp: str, sender: str) -> Segment:
    return hl7v2.header(
        {3: sender, 4: "CHU", 5: "PARVIS", 6: "990000017", 7: stamp, 9: (kind, trigger, f"{kind}_{trigger}"),
         10: control_id or uuid4().hex[:16], 11: "P", 12: "2.6", 18: "UNICODE UTF-8"}
    )  # fmt: skip


def _pid(about: cda.Patient, identity: str) -> Segment:
    numbers: list[Any] = [(about.ipp, "", "", ("CHU", "1.2.250.1.999", "ISO"), "PI")] if about.ipp else []
    if about.ins:
        numbers.append((about.ins, "", "", ("ASIP-SANTE-INS-NIR", about.ins_oid, "ISO"), "INS"))
    return hl7v2.segment(
        "PID",
        {
            1: "1",
            3: numbers or "",
            5: [(about.birth_name, about.first_name, about.first_names, "", "", "", "L")],
            7: about.birth_on.strftime("%Y%m%d") if about.birth_on else "",
            8: about.sex,
            32: identity,
        },
    )


def _ed(rank: int, data: bytes) -> Segment:
    kind = ("application", "PDF") if data.startswith(b"%PDF") else ("text", "XML")
    code = ("11490-0", "Lettre de liaison", "LN")
    content = base64.b64encode(data).decode()
    return hl7v2.segment("OBX", {1: str(rank), 2: "ED", 3: code, 5: ("", *kind, "Base64", content), 11: "F"})


def _mark(rank: int, code: str) -> Segment:
    said = ("Y", "", "expandedYes-NoIndicator")
    return hl7v2.segment("OBX", {1: str(rank), 2: "CWE", 3: (code, "", "MetaDMPMSS"), 5: said, 11: "F"})


def hear(establishment_id: UUID, message: bytes, via: str = "mllp") -> Acknowledgement:
    """Take a message as the listener does; what we answer."""
    return hl7v2.read_acknowledgement(listening.take(establishment_id, message, via))


def follow(establishment_id: UUID, url: str) -> None:
    """The hospital's system listens there, and takes documents."""
    establishments.change_setting(establishment_id, states.FORMAT, states.HL7)
    exchanges.set_his(establishment_id, url)
