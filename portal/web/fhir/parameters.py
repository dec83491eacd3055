"""What a search asks (R4, 3.1.1): pairs in the order they came, each understood, refused, or ignored and told so."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from flask import request

from portal.web.fhir.negotiation import is_strict
from portal.web.fhir.outcomes import Issue, Refused

PARIS = ZoneInfo("Europe/Paris")
_MOST_PAIRS, _MOST_VALUES, _MOST_SIGNS = 60, 100, 8192
_SILENT = {"_format", "_pretty", "_total"}
"""Accepted, and without effect on what is found."""
_RESERVED = {"_count", "_offset", "_sort", "_include", "_include:iterate", "_include:recurse"}
_DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d{1,9})?)?"
    r"(?P<zone>Z|[+\- ]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Token:
    """`system|value`. system: None for any, "" for none."""

    system: str | None
    value: str


@dataclass(frozen=True)
class Between:
    """Moments from `since` on and before `until`; None where there is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def and_(self, other: "Between") -> "Between":
        return Between(_latest(self.since, other.since), _earliest(self.until, other.until))

    def holds(self, at: datetime) -> bool:
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Search:
    """A search: the pairs that count, what was left aside, how many matches to give from which one on.

    includes: `_include` and `_include:iterate` values that are known.
    """

    pairs: tuple[tuple[str, str], ...]
    issues: tuple[Issue, ...]
    includes: frozenset[str]
    count: int
    offset: int

    def values(self, name: str) -> list[str]:
        return [value for known, value in self.pairs if known == name]

    def tokens(self, name: str) -> list[list[Token]]:
        """Each pair's alternatives: one of each must hold."""
        return [[_token(each) for each in _alternatives(name, value)] for value in self.values(name)]

    def codes(self, name: str, known: Collection[str]) -> frozenset[str] | None:
        """The values asked for among those known; None when nothing is asked. Raises Refused."""
        groups = self.tokens(name)
        for token in (each for group in groups for each in group):
            if token.value not in known:
                raise Refused.because(400, f"{name}: one of {', '.join(sorted(known))}", "value")
        found = [frozenset(token.value for token in group) for group in groups]
        return frozenset.intersection(*found) if found else None

    def ids(self, name: str, kind: str) -> list[list[str]]:
        """The ids of references: `Slot/123`, `123`, or the whole address."""
        return [
            [each.rpartition("/")[2] for each in _alternatives(name, value) if _names(each, kind)]
            for value in self.values(name)
        ]

    def between(self, name: str, tz: tzinfo = PARIS) -> Between:
        """Every bound of a date parameter together. Raises Refused."""
        found = Between()
        for value in self.values(name):
            found = found.and_(moment(name, value, tz))
        return found

    def also(self, name: str, value: str) -> "Search":
        """With a bound that we added ourselves: the self link says so."""
        return replace(self, pairs=(*self.pairs, (name, value)))

    def address(self, offset: int | None = None) -> str:
        """The query, as a link carries it; offset: of another page."""
        kept = [pair for pair in self.pairs if pair[0] != "_offset"]
        at = self.offset if offset is None else offset
        return urlencode([*kept, *([("_offset", str(at))] if at else [])], safe=":,/")


def asked(known: Collection[str], includes: Collection[str], *, sorts: Collection[str] = (), most: int) -> Search:
    """Read the request's search. What is not understood is told in the answer, or refused when the caller is strict
    (`Prefer: handling=strict`). Raises Refused (400).

    known: names of parameters, modifiers and chains written out. most: matches on a page, whatever is asked.
    """
    pairs = _pairs()
    understood, issues = [], []
    for name, value in pairs:
        if (problem := _problem(name, value, known, includes, sorts)) is None:
            understood.append((name, value))
        else:
            issues.append(Issue("not-supported", problem, "warning"))
    if issues and is_strict():
        raise Refused(400, *(replace(issue, severity="error") for issue in issues))
    wanted = frozenset(value for name, value in understood if name.startswith("_include"))
    count = _number("_count", understood, most)
    return Search(tuple(understood), tuple(issues), wanted, min(count, most), _number("_offset", understood, 0))


def _pairs() -> list[tuple[str, str]]:
    text = request.query_string.decode("ascii", "replace")
    if request.method == "POST":
        text = "&".join(filter(None, (text, request.get_data(cache=False).decode("utf-8", "replace"))))
    if len(text) > _MOST_SIGNS:
        raise Refused.because(400, "the query is too long", "too-long")
    found = [(name, value) for name, value in parse_qsl(text, keep_blank_values=True) if value]
    if len(found) > _MOST_PAIRS or any("\x00" in name + value or "\ufffd" in name + value for name, value in found):
        raise Refused.because(400, "the query cannot be read", "value")
    return found


def _problem(
    name: str, value: str, known: Collection[str], includes: Collection[str], sorts: Collection[str]
) -> str | None:
    """Why a pair is left aside; None when it is not."""
    if name.startswith("_include"):
        fine = name in _RESERVED and value in includes
        return None if fine else f"{name}={value[:80]} is not known here"
    if name == "_sort":
        return None if value in sorts else f"_sort: only {', '.join(sorts) or 'our own order'}"
    if name in _RESERVED or name in _SILENT or name in known:
        return None
    return f"the parameter {name[:80]} is not known here"


def _number(name: str, pairs: Sequence[tuple[str, str]], default: int) -> int:
    values = [value for known, value in pairs if known == name]
    if not values:
        return default
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,7}", values[0], re.ASCII):
        raise Refused.because(400, f"{name} is one whole number", "value")
    return int(values[0])


def _alternatives(name: str, value: str) -> list[str]:
    """What a comma separates, unless it is escaped (R4, 3.1.1.4.0.1)."""
    found = [each for each in re.split(r"(?<!\\),", value) if each]
    if len(found) > _MOST_VALUES:
        raise Refused.because(400, f"{name}: {_MOST_VALUES} values at most", "too-costly")
    return found


def _token(text: str) -> Token:
    system, bar, value = _split(text)
    return Token(_plain(system), _plain(value)) if bar else Token(None, _plain(system))


def _split(text: str) -> tuple[str, str, str]:
    found = re.search(r"(?<!\\)\|", text)
    return (text[: found.start()], "|", text[found.end() :]) if found else (text, "", "")


def _plain(text: str) -> str:
    return re.sub(r"\\([,$|\\])", r"\1", text)


def _names(reference: str, kind: str) -> bool:
    return "/" not in reference or reference.rpartition("/")[0].rpartition("/")[2] == kind


# -- moments -----------------------------------------------------------------------------------------------------


def moment(name: str, value: str, tz: tzinfo = PARIS) -> Between:
    """One date parameter (R4, 3.1.1.4.7): a day or a moment is a stretch of time, and the prefix compares with it.

    tz: of days and of moments without an offset. Raises Refused (400).
    """
    found = _DATE.fullmatch(value)
    if found is None:
        raise Refused.because(400, f"{name}: not a date", "value")
    try:
        begins, ends = _stretch(found.groupdict(), tz)
    except (ValueError, OverflowError) as error:
        raise Refused.because(400, f"{name}: no such date", "value") from error
    compared = {
        "": Between(begins, ends),
        "eq": Between(begins, ends),
        "ge": Between(begins, None),
        "gt": Between(ends, None),
        "sa": Between(ends, None),
        "le": Between(None, ends),
        "lt": Between(None, begins),
        "eb": Between(None, begins),
    }
    prefix = found["prefix"] or ""
    if prefix not in compared:
        raise Refused.because(400, f"{name}: the prefix {prefix} is not known here", "not-supported")
    return compared[prefix]


def _stretch(parts: dict[str, str | None], tz: tzinfo) -> tuple[datetime, datetime]:
    year, month, day = (int(parts[name] or 1) for name in ("year", "month", "day"))
    if not 1900 <= year < 2200:
        raise ValueError
    at = datetime(year, month, day, tzinfo=_zone(parts["zone"], tz))
    if parts["month"] is None:
        return _utc(at), _utc(at.replace(year=year + 1))
    if parts["day"] is None:
        return _utc(at), _utc((at.replace(day=28) + timedelta(days=4)).replace(day=1))
    if parts["hour"] is None:
        return _utc(at), _utc(at + timedelta(days=1))
    at = at.replace(hour=int(parts["hour"]), minute=int(parts["minute"] or 0))
    if parts["second"] is None:
        return _utc(at), _utc(at) + timedelta(minutes=1)
    at = at.replace(second=int(parts["second"]))
    if parts["fraction"] is None:
        return _utc(at), _utc(at) + timedelta(seconds=1)
    at += timedelta(microseconds=int(float(parts["fraction"]) * 1_000_000))
    return _utc(at), _utc(at) + _MILLISECOND


def _zone(text: str | None, tz: tzinfo) -> tzinfo:
    if not text:
        return tz
    # A plus that was not escaped arrives as a space.
    offset = datetime.strptime(text.replace(" ", "+"), "%z").tzinfo
    return offset or tz


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def instant(at: datetime, tz: tzinfo) -> str:
    """An instant (R4, 2.24.0.1) as the national platform checks it: milliseconds and an offset, never Z."""
    return at.astimezone(tz).isoformat(timespec="milliseconds")


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other
