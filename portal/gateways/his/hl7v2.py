"""HL7 v2 messages, read and written: segments, repetitions, components, escapes, character sets. Pure.

HL7 v2.5, chapter 2: 2.5 (delimiters), 2.7 (escape sequences), 2.9.2 (the acknowledgement), 2.A.88 (time stamps). Lines
that end by LF or CRLF, as many systems write them, are read as if they ended by CR.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from portal import calendar

MAX_BYTES: Final = 1024 * 1024
MAX_CARRYING_BYTES: Final = 40 * 1024 * 1024
"""Of a message that carries documents: files of 25 MiB, a third larger in base64, with room around them."""
_CARRYING: Final = (b"MDM", b"ORU")
MAX_SEGMENTS: Final = 2000
CHARACTER_SETS: Final[Mapping[str, str]] = {
    "ASCII": "ascii",
    "8859/1": "iso-8859-1",
    "8859/15": "iso-8859-15",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
}
"""Table 0211, the part that French hospitals use; UTF-8 without UNICODE is a frequent mistake."""

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
_STAMP = re.compile(
    r"(?P<day>\d{8})(?:(?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>\d\d)(?:\.\d{1,4})?)?)?(?P<zone>[+-]\d{4})?",
    re.ASCII,
)

Component = str | Sequence[str]
"""A text, or its subcomponents."""
Value = str | Sequence[Component] | list[Sequence[Component]]
"""A text, a tuple of components, or a list of such tuples: repetitions."""


class NotHl7(Exception):
    """What cannot be read. code: of table 0357, for the acknowledgement; the message never repeats the content."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delimiters:
    """MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"

    @classmethod
    def read(cls, header: str) -> "Delimiters":
        """Raises NotHl7."""
        found = header[3:8]
        # A fifth one, of version 2.7, marks a cut value; we cut none.
        if len(found) < 5 or len(set(found)) < 5 or any(each.isalnum() or each.isspace() for each in found):
            raise NotHl7("101", "MSH-1 and MSH-2 do not give five delimiters")
        return cls(*found)

    @property
    def listed(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.sub

    def protect(self, text: str) -> str:
        """A text in which nothing is a delimiter, nor the end of a line or of a block."""
        names = {self.field: "F", self.component: "S", self.sub: "T", self.repetition: "R", self.escape: "E"}
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        return "".join(self._protected(each, names) for each in lines)

    def _protected(self, each: str, names: Mapping[str, str]) -> str:
        if each in names:
            return f"{self.escape}{names[each]}{self.escape}"
        if each == "\n":
            return f"{self.escape}.br{self.escape}"
        return f"{self.escape}X{ord(each):02X}{self.escape}" if ord(each) < 32 else each

    def plain(self, text: str) -> str:
        """The text again. Escapes we do not know, such as highlighting, leave nothing."""
        if self.escape not in text:
            return text
        mark = re.escape(self.escape)
        return re.sub(f"{mark}([^{mark}]*){mark}", lambda found: self._meaning(found[1]), text)

    def _meaning(self, code: str) -> str:
        known = {"F": self.field, "S": self.component, "T": self.sub, "R": self.repetition, "E": self.escape}
        if code in known:
            return known[code]
        if code == ".br":
            return "\n"
        if code.startswith("X"):
            try:
                # A text of ours holds no NUL, nor does the database.
                return bytes.fromhex(code[1:]).decode("latin-1").replace("\0", "")
            except ValueError:
                return ""
        return ""


@dataclass(frozen=True, slots=True)
class Segment:
    """One line. fields: as they were written, the first one being the segment's field 1."""

    name: str
    fields: tuple[str, ...]
    delimiters: Delimiters = Delimiters()

    def raw(self, field: int) -> str:
        return self.fields[field - 1] if 0 < field <= len(self.fields) else ""

    def value(self, field: int, component: int = 1, repetition: int = 1, sub: int = 1) -> str:
        """A value in plain text, "" when there is none; numbers begin at 1, as in the standard."""
        found = self.raw(field)
        for separator, wanted in (
            (self.delimiters.repetition, repetition),
            (self.delimiters.component, component),
            (self.delimiters.sub, sub),
        ):
            parts = found.split(separator)
            found = parts[wanted - 1] if wanted <= len(parts) else ""
        # Two double quotes mean "there is none, and forget what you had".
        return "" if found == '""' else self.delimiters.plain(found).strip()

    def repetitions(self, field: int) -> int:
        """How many times a field is given."""
        found = self.raw(field)
        return found.count(self.delimiters.repetition) + 1 if found else 0


@dataclass(frozen=True, slots=True)
class Message:
    """Segments, the first of which is MSH."""

    segments: tuple[Segment, ...]

    def first(self, name: str) -> Segment:
        """The first segment of that name, or one where every field is empty."""
        return next((each for each in self.segments if each.name == name), Segment(name, ()))

    def all(self, name: str) -> Sequence[Segment]:
        return [each for each in self.segments if each.name == name]

    @property
    def header(self) -> Segment:
        return self.segments[0]

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.value(10)

    @property
    def trigger(self) -> str:
        """MSH-9.2: S12, S13…"""
        return self.header.value(9, 2)

    def write(self) -> bytes:
        """As sent: UTF-8 unless MSH-18 says otherwise, each segment ended by CR."""
        encoding = CHARACTER_SETS.get(self.header.value(18).upper(), "utf-8")
        return "".join(_line(each) for each in self.segments).encode(encoding, errors="replace")


def segment(name: str, fields: Mapping[int, Value]) -> Segment:
    """A segment from its fields by number; what is not given is empty."""
    delimiters = Delimiters()
    last = max((number for number, value in fields.items() if value), default=0)
    return Segment(name, tuple(_written(fields.get(number, ""), delimiters) for number in range(1, last + 1)))


def header(fields: Mapping[int, Value]) -> Segment:
    """MSH, from MSH-3 on."""
    rest = segment("MSH", fields)
    return Segment("MSH", ("|", Delimiters().listed, *rest.fields[2:]))


def _written(value: Value, delimiters: Delimiters) -> str:
    if isinstance(value, str):
        return delimiters.protect(value)
    if isinstance(value, list):
        return delimiters.repetition.join(_written(tuple(each), delimiters) for each in value)
    return delimiters.component.join(_component(each, delimiters) for each in value).rstrip(delimiters.component)


def _component(value: Component, delimiters: Delimiters) -> str:
    if isinstance(value, str):
        return delimiters.protect(value)
    return delimiters.sub.join(delimiters.protect(each) for each in value).rstrip(delimiters.sub)


def _line(each: Segment) -> str:
    mark = each.delimiters.field
    fields = each.fields[1:] if each.name == "MSH" else each.fields
    return mark.join((each.name, *fields)).rstrip(mark if each.name != "MSH" else "") + "\r"


def limit_for(beginning: bytes) -> int:
    """How many bytes a message that begins so may have: more when it carries documents (MSH-9: MDM, ORU)."""
    line = beginning[:1000].lstrip(b"\r\n\t \x0b")
    fields = line.split(line[3:4], 9) if line[:3] == b"MSH" and len(line) > 3 else []
    return MAX_CARRYING_BYTES if len(fields) > 8 and fields[8].startswith(_CARRYING) else MAX_BYTES


def read(body: bytes) -> Message:
    """A message from what was received. Raises NotHl7."""
    limit = limit_for(body)
    if len(body) > limit:
        raise NotHl7("102", f"the message is over {limit} bytes")
    text = _decoded(body.lstrip(b"\r\n\t \x0b").rstrip(b"\r\n\t \x1c"))
    lines = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    if not lines or not lines[0].startswith("MSH"):
        raise NotHl7("100", "the message does not begin with MSH")
    if "\0" in text:
        raise NotHl7("102", "the message holds a NUL")
    if len(lines) > MAX_SEGMENTS:
        raise NotHl7("102", f"the message has over {MAX_SEGMENTS} segments")
    delimiters = Delimiters.read(lines[0])
    return Message(tuple(_segment(line, delimiters) for line in lines))


def _segment(line: str, delimiters: Delimiters) -> Segment:
    name, _mark, rest = line.partition(delimiters.field)
    if not _NAME.fullmatch(name):
        raise NotHl7("100", "a line does not begin with the name of a segment")
    fields = rest.split(delimiters.field)
    return Segment(name, (delimiters.field, *fields) if name == "MSH" else tuple(fields), delimiters)


def _decoded(body: bytes) -> str:
    """By MSH-18; without it UTF-8, or what French systems wrote before it."""
    line = re.split(rb"[\r\n]", body, maxsplit=1)[0].decode("latin-1")
    fields = line.split(line[3]) if len(line) > 3 else []
    named = fields[17].split("~")[0].strip().upper() if len(fields) > 17 else ""
    if named and named not in CHARACTER_SETS:
        raise NotHl7("103", "MSH-18 names a character set that is not read here")
    try:
        return body.decode(CHARACTER_SETS.get(named, "utf-8"))
    except UnicodeDecodeError:
        if named:
            raise NotHl7("102", "the message is not in the character set of MSH-18") from None
        return body.decode("iso-8859-15")


# -- moments -------------------------------------------------------------------------------------------------------


def moment(text: str, tz: ZoneInfo) -> datetime:
    """A time stamp (TS); without an offset it is the wall clock of the hospital. Raises NotHl7."""
    found = _STAMP.fullmatch(text)
    if found is None:
        raise NotHl7("102", "a time stamp is not in the form YYYYMMDDHHMM[SS][+ZZZZ]")
    try:
        day = date(int(found["day"][:4]), int(found["day"][4:6]), int(found["day"][6:]))
        at = time(int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0))
        if found["zone"]:
            return datetime.combine(day, at, tzinfo=_offset(found["zone"])).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotHl7("102", "a time stamp names a time that does not exist") from None
    known = calendar.to_utc(day, at, tz)
    if known is None:
        raise NotHl7("102", "a time stamp names an hour that a clock change skips")
    return known


def _offset(text: str) -> timezone:
    away = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return timezone(-away if text[0] == "-" else away)


def stamp(moment_: datetime, tz: ZoneInfo, *, with_offset: bool = True) -> str:
    """A moment on the hospital's wall clock; with its offset it is never ambiguous."""
    return moment_.astimezone(tz).strftime("%Y%m%d%H%M%S%z" if with_offset else "%Y%m%d%H%M%S")


# -- acknowledgements ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the receiver says of a message. code: AA, AE or AR. error: of table 0357. told: in the receiver's words."""

    code: str
    control_id: str
    error: str = ""
    told: str = ""

    @property
    def accepted(self) -> bool:
        return self.code == "AA"


_ENHANCED: Final = {"CA": "AA", "CE": "AE", "CR": "AR"}


def read_acknowledgement(body: bytes) -> Acknowledgement:
    """Raises NotHl7 when it is none."""
    message = read(body)
    msa, err = message.first("MSA"), message.first("ERR")
    code = _ENHANCED.get(msa.value(1), msa.value(1))
    if code not in ("AA", "AE", "AR"):
        raise NotHl7("103", "MSA-1 is not AA, AE or AR")
    words = (err.value(8), err.value(7), msa.value(3), err.value(3, 2), err.value(1, 4, sub=2))
    return Acknowledgement(code, msa.value(2), err.value(3) or err.value(1, 4), next(filter(None, words), ""))


def acknowledge(to: Segment | None, answer: Acknowledgement, at: str, own_id: str) -> bytes:
    """The answer to a message, whose header is `to` when it could be read; the places of both sides are swapped."""
    asked = to or header({})
    head = header(
        {
            3: _copied(asked, 5),
            4: _copied(asked, 6),
            5: _copied(asked, 3),
            6: _copied(asked, 4),
            7: at,
            9: ("ACK", asked.value(9, 2), "ACK") if asked.value(9, 2) else ("ACK",),
            10: own_id,
            11: asked.value(11) or "P",
            12: _copied(asked, 12) or ("2.5",),
            18: "UNICODE UTF-8",
        }
    )
    lines = [head, segment("MSA", {1: answer.code, 2: answer.control_id})]
    if answer.error:
        lines.append(segment("ERR", {3: (answer.error, "", "HL70357"), 4: "E", 8: answer.told}))
    return Message(tuple(lines)).write()


def _copied(asked: Segment, field: int) -> tuple[str, ...]:
    parts = asked.raw(field).split(asked.delimiters.component)
    return tuple(asked.delimiters.plain(each) for each in parts)


def joined(lines: Iterable[Segment]) -> bytes:
    """A message from its segments."""
    return Message(tuple(lines)).write()
