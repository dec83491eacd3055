"""Messages for people: each segment named, each field in words, without the bars. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from auth.identity import nir
from portal.gateways.his.hl7v2 import Message, NotHl7, Segment, read
from services.preadmission.exchanges.wording import SEGMENTS

Lines = Sequence[tuple[str, str]]

_FIELDS: Final[Mapping[tuple[str, int], Any]] = {
    ("MSH", 3): _l("From"),
    ("MSH", 5): _l("To"),
    ("MSH", 7): _l("Written"),
    ("MSH", 9): _l("Kind of message"),
    ("MSH", 10): _l("Number of the message"),
    ("MSH", 18): _l("Character set"),
    ("EVN", 2): _l("Recorded"),
    ("EVN", 3): _l("Planned for"),
    ("EVN", 6): _l("Happened"),
    ("PID", 3): _l("Numbers of the patient"),
    ("PID", 5): _l("Names"),
    ("PID", 7): _l("Born on"),
    ("PID", 8): _l("Sex"),
    ("PID", 11): _l("Addresses"),
    ("PID", 13): _l("Telephone, e-mail"),
    ("PID", 18): _l("Number of the account"),
    ("PID", 32): _l("Reliability of the identity"),
    ("PID", 33): _l("Changed"),
    ("MRG", 1): _l("Former number"),
    ("PD1", 12): _l("Protected"),
    ("ROL", 4): _l("Doctor"),
    ("ROL", 11): _l("Address"),
    ("NK1", 2): _l("Name"),
    ("NK1", 3): _l("Link"),
    ("NK1", 5): _l("Telephone"),
    ("NK1", 7): _l("Role (C: to call, K: of trust)"),
    ("NK1", 33): _l("Number"),
    ("PV1", 2): _l("Class (I: inpatient, O: outpatient)"),
    ("PV1", 3): _l("Place"),
    ("PV1", 4): _l("Kind of admission"),
    ("PV1", 5): _l("Our pre-admission"),
    ("PV1", 16): _l("Confidentiality"),
    ("PV1", 19): _l("Number of the stay"),
    ("PV1", 44): _l("Admitted"),
    ("PV1", 45): _l("Discharged"),
    ("PV2", 8): _l("Expected on"),
    ("PV2", 22): _l("Protected"),
    ("PV2", 38): _l("How they arrive"),
    ("ZBE", 1): _l("Movement"),
    ("ZBE", 2): _l("At"),
    ("ZBE", 4): _l("Action"),
    ("ZBE", 6): _l("Of which event"),
    ("ZBE", 7): _l("Unit"),
    ("ZFA", 9): _l("Feeding (INO: informed, not opposed)"),
    ("ZFA", 11): _l("Consultation (IC: consents)"),
    ("ZFD", 3): _l("Accepts text messages"),
    ("IN1", 2): _l("Kind of cover"),
    ("IN1", 3): _l("Code"),
    ("IN1", 4): _l("Name"),
    ("IN1", 13): _l("Until"),
    ("IN1", 16): _l("Insured person"),
    ("IN1", 17): _l("Who that is"),
    ("IN1", 18): _l("Born on"),
    ("IN1", 31): _l("Nature"),
    ("IN1", 36): _l("Number of the accident"),
    ("IN1", 45): _l("Proof"),
    ("IN1", 49): _l("Number of the insured person"),
    ("ACC", 1): _l("Happened"),
    ("ACC", 2): _l("Kind of accident"),
    ("MSA", 1): _l("Answer"),
    ("ERR", 8): _l("In their words"),
}
_SOCIAL_SECURITY: Final = ("IN1", 49)
"""Hidden, as on the file's own page: an agent reads it there, and gives a reason."""
_NIR_LENGTH: Final = 15
_TECHNICAL: Final[Mapping[str, frozenset[int]]] = {
    "MSH": frozenset({1, 2, 4, 6, 11, 12, 17, 19, 21}),
    "PID": frozenset({1}),
    "ROL": frozenset({2, 3}),
    "NK1": frozenset({1, 33}),
    "PV1": frozenset({1, 51}),
    "ZBE": frozenset({5, 8, 9}),
    "ZFA": frozenset({10, 12}),
    "IN1": frozenset({1}),
}
"""What serves machines alone."""
_PARTS: Final[Mapping[tuple[str, int], tuple[int, ...]]] = {
    ("MSH", 9): (1, 2),
    ("PID", 3): (1, 5),
    ("PID", 5): (1, 2),
    ("PID", 11): (1, 2, 5, 3, 6, 9),
    ("PID", 13): (4, 12),
    ("PID", 18): (1,),
    ("MRG", 1): (1, 5),
    ("ROL", 4): (1, 2, 3),
    ("ROL", 11): (1, 2, 5, 3),
    ("NK1", 2): (1, 2),
    ("NK1", 3): (1,),
    ("NK1", 5): (4, 12),
    ("PV1", 3): (1,),
    ("PV1", 5): (1,),
    ("PV1", 19): (1,),
    ("ZBE", 1): (1,),
    ("ZBE", 7): (1, 10),
}
"""The components that people read; of any other field, all of them."""
_STAMP: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)\d*(?:[+-]\d{4})?)?", re.ASCII)
_MOMENTS: Final = frozenset(
    {("MSH", 7), ("EVN", 2), ("EVN", 3), ("EVN", 6), ("PID", 7), ("PID", 33), ("PV1", 44), ("PV1", 45), ("PV2", 8),
     ("ZBE", 2), ("IN1", 12), ("IN1", 13), ("IN1", 18), ("ACC", 1)}
)  # fmt: skip


def in_words(body: bytes) -> Sequence[tuple[str, Lines]]:
    """Segment by segment, what it is and its fields; nothing when it cannot be read."""
    try:
        message: Message = read(body)
    except NotHl7:
        return ()
    found = [(str(SEGMENTS.get(each.name, each.name)), _lines(each)) for each in message.segments]
    return [(title, lines) for title, lines in found if lines]


def _lines(line: Segment) -> Lines:
    hidden = _TECHNICAL.get(line.name, frozenset())
    told = [number for number in range(1, len(line.fields) + 1) if line.raw(number) and number not in hidden]
    return [
        (str(_FIELDS.get((line.name, number), f"{line.name}-{number}")), value)
        for number in told
        if (value := _value(line, number))
    ]


def _value(line: Segment, field: int) -> str:
    ranks = range(1, line.repetitions(field) + 1)
    return " ; ".join(filter(None, (_one(line, field, rank) for rank in ranks)))


def _one(line: Segment, field: int, repetition: int) -> str:
    count = line.raw(field).count(line.delimiters.component) + 1
    wanted = _PARTS.get((line.name, field), range(1, count + 1))
    text = " ".join(filter(None, (line.value(field, component, repetition) for component in wanted)))
    if (line.name, field) == _SOCIAL_SECURITY and len(text) == _NIR_LENGTH:
        return nir.masked(text)
    return _moment(text) if (line.name, field) in _MOMENTS else text


def _moment(text: str) -> str:
    """20261201090000+0100 → 01/12/2026 09:00; as it is when it is no time stamp."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return text
    year, month, day, hour, minute = found.groups()
    return f"{day}/{month}/{year}" + (f" {hour}:{minute}" if hour else "")
