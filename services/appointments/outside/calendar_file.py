"""A practitioner's own calendar (iCalendar, RFC 5545), of which only the busy times are read. Pure.

Start, end, identifier: titles, places and guests are none of our business. What repeats is refused, not guessed: a
calendar can be exported with its occurrences.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from portal import calendar
from portal.delimited import NotSuchAFile
from services.appointments.outside import spans
from services.appointments.outside.agenda_file import Refusal, Wrong

_LARGEST = 20 * 1024 * 1024
_LONGEST_UID = 300
_LONGEST_EVENT = timedelta(days=62)
_NAME = re.compile(r"([A-Z0-9-]{1,40})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_ZONE = re.compile(r";TZID=\"?([A-Za-z0-9_+/-]{1,60})\"?", re.IGNORECASE)
_DAY = re.compile(r"[0-9]{8}", re.ASCII)
_MOMENT = re.compile(r"([0-9]{8})T([0-9]{6})(Z?)", re.ASCII)
_DURATION = re.compile(r"P(?:(\d{1,2})W)?(?:(\d{1,2})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?", re.ASCII)
_YEARS = range(2020, 2100)


@dataclass(frozen=True)
class Busy:
    """One stretch of a day. uid: the event's, its occurrence's and its day's when it has several."""

    uid: str
    start_at: datetime
    end_at: datetime


@dataclass(frozen=True)
class _Property:
    parameters: str
    value: str


_Event = dict[str, _Property]


def read(path: Path, tz: ZoneInfo) -> Iterator[Busy | Refusal]:
    """Busy times, a day long at most each. tz: of what names no zone, the hospital's. Raises NotSuchAFile."""
    for number, event in _events(_content(path)):
        uid = event["UID"].value[:_LONGEST_UID] if "UID" in event else ""
        try:
            yield from _busy(event, tz)
        except Wrong as wrong:
            yield Refusal(number, uid, str(wrong))


def _content(path: Path) -> Sequence[str]:
    if path.stat().st_size > _LARGEST:
        raise NotSuchAFile("the calendar is larger than 20 MB: export fewer months")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotSuchAFile("the file is not encoded in UTF-8") from error
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        raise NotSuchAFile("the file is no calendar (BEGIN:VCALENDAR)")
    return lines


def _events(lines: Sequence[str]) -> Iterator[tuple[int, _Event]]:
    """Each event's own properties, the first of each name; what is nested in it (alarms) aside."""
    event: _Event | None = None
    depth = 0
    for number, line in enumerate(lines, 1):
        told = line.strip().upper()
        if event is None:
            event, depth = ({} if told == "BEGIN:VEVENT" else None), 0
        elif told.startswith("BEGIN:"):
            depth += 1
        elif depth:
            depth -= told.startswith("END:")
        elif told == "END:VEVENT":
            yield number, event
            event = None
        elif found := _NAME.fullmatch(line.strip()):
            event.setdefault(found[1].upper(), _Property(found[2], found[3]))


def _busy(event: _Event, tz: ZoneInfo) -> Iterator[Busy]:
    if _says(event, "STATUS") == "CANCELLED" or _says(event, "TRANSP") == "TRANSPARENT":
        return
    if "RRULE" in event or "RDATE" in event:
        raise Wrong("it repeats: export the calendar with its occurrences")
    uid = _uid(event)
    start_at, end_at = _ends(event, tz)
    if not start_at < end_at <= start_at + _LONGEST_EVENT:
        raise Wrong("it ends before it starts, or lasts longer than two months: enter an absence")
    yield from _days(uid, start_at, end_at)


def _says(event: _Event, name: str) -> str:
    return event[name].value.strip().upper() if name in event else ""


def _uid(event: _Event) -> str:
    uid = event["UID"].value.strip() if "UID" in event else ""
    if not uid or len(uid) > _LONGEST_UID or "\x00" in uid:
        raise Wrong("UID: missing, or too long")
    return f"{uid}/{_says(event, 'RECURRENCE-ID')}" if "RECURRENCE-ID" in event else uid


def _ends(event: _Event, tz: ZoneInfo) -> tuple[datetime, datetime]:
    if "DTSTART" not in event:
        raise Wrong("DTSTART: missing")
    start_at, is_day = _moment(event["DTSTART"], "DTSTART", tz)
    if "DTEND" in event:
        return start_at, _moment(event["DTEND"], "DTEND", tz)[0]
    if "DURATION" in event:
        return start_at, start_at + _duration(event["DURATION"].value.strip())
    if not is_day:
        raise Wrong("DTEND: missing")
    return start_at, _civil(calendar.civil_day(start_at, tz) + timedelta(days=1), time(), tz, "DTEND")


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise Wrong("DURATION: such as PT30M")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _moment(told: _Property, name: str, tz: ZoneInfo) -> tuple[datetime, bool]:
    """The moment, and whether a whole day was told."""
    text = told.value.strip()
    if _DAY.fullmatch(text):
        return _civil(_date(text, name), time(), tz, name), True
    found = _MOMENT.fullmatch(text)
    if not found:
        raise Wrong(f"{name}: not a moment")
    day, clock = _date(found[1], name), _time(found[2], name)
    if found[3]:
        return datetime.combine(day, clock, UTC), False
    return _civil(day, clock, _zone(told.parameters, tz, name), name), False


def _date(text: str, name: str) -> date:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise Wrong(f"{name}: not a day") from None
    if day.year not in _YEARS:
        raise Wrong(f"{name}: between {_YEARS.start} and {_YEARS.stop - 1}")
    return day


def _time(text: str, name: str) -> time:
    try:
        return time(int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise Wrong(f"{name}: not a time") from None


def _zone(parameters: str, tz: ZoneInfo, name: str) -> ZoneInfo:
    found = _ZONE.search(parameters)
    if "TZID" not in parameters.upper():
        return tz
    try:
        return ZoneInfo(found[1] if found else "")
    except (KeyError, ValueError, OSError):
        raise Wrong(f"{name}: a time zone that nobody knows") from None


def _civil(day: date, clock: time, tz: ZoneInfo, name: str) -> datetime:
    moment = calendar.to_utc(day, clock, tz)
    if moment is None:
        raise Wrong(f"{name}: the clocks skip this time on that day")
    return moment


def _days(uid: str, start_at: datetime, end_at: datetime) -> Iterator[Busy]:
    """Nothing is busy for more than a day at once: a week away is as many times as it has days."""
    if end_at <= start_at + spans.LONGEST:
        yield Busy(uid, start_at, end_at)
        return
    for number in range(-(-(end_at - start_at) // timedelta(days=1))):
        since = start_at + timedelta(days=number)
        yield Busy(f"{uid}#{number}", since, min(since + timedelta(days=1), end_at))
