"""One line of a file of duties. Pure: columns, and how each cell is read."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from portal import calendar
from portal.delimited import Row
from services.lines import numbers

NEEDED: Final = ("unit", "from", "until", "name")
OPTIONAL: Final = ("line", "role", "rpps", "phone", "key")
ROLES: Final = {"": "first", "first": "first", "1": "first", "backup": "backup", "2": "backup"}


class NotADuty(ValueError):
    """The line cannot be read; says why."""


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class DutyRow:
    """What a line says. unit: its UF. line: the name of a direct line, "" for the whole unit. key: what the file calls
    it, or else what it is about: unit, line, place and beginning."""

    number: int
    unit: str
    line: str
    role: str
    name: str
    rpps: str
    phone: str
    from_at: datetime
    until_at: datetime
    key: str


def read(row: Row, tz: ZoneInfo) -> DutyRow:
    """Raises NotADuty."""
    if row.wrong:
        raise NotADuty(row.wrong)
    cells = {name: row.cells.get(name, "") for name in (*NEEDED, *OPTIONAL)}
    if missing := [name for name in NEEDED if not cells[name]]:
        raise NotADuty(f"empty: {', '.join(missing)}")
    if cells["role"].lower() not in ROLES:
        raise NotADuty("role is neither first nor backup")
    if cells["rpps"] and not (cells["rpps"].isascii() and cells["rpps"].isdecimal() and len(cells["rpps"]) == 11):
        raise NotADuty("rpps is not eleven digits")
    from_at, until_at = _moment(cells["from"], "from", tz), _moment(cells["until"], "until", tz)
    if until_at <= from_at:
        raise NotADuty("until is not after from")
    role = ROLES[cells["role"].lower()]
    return DutyRow(
        row.number, cells["unit"], cells["line"], role, cells["name"][:100], cells["rpps"], _phone(cells["phone"]),
        from_at, until_at, cells["key"][:100] or _own_key(cells, role, from_at),
    )  # fmt: skip


def _own_key(cells: dict[str, str], role: str, from_at: datetime) -> str:
    told = "\n".join((cells["unit"], cells["line"].lower(), role, from_at.isoformat()))
    return "row:" + hashlib.sha256(told.encode()).hexdigest()[:32]


def _moment(written: str, column: str, tz: ZoneInfo) -> datetime:
    """`2026-11-28 20:00`, on the clock of the hospital; or with an offset, as ISO 8601 writes it."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise NotADuty(f"{column} is not a moment such as 2026-11-28 20:00") from error
    if not 2000 <= moment.year <= 2100:
        raise NotADuty(f"{column} is too far")
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return calendar.to_utc_or_after(moment.date(), moment.time(), tz)


def _phone(written: str) -> str:
    try:
        return numbers.dialled(written) if written else ""
    except numbers.NotANumber as error:
        raise NotADuty("phone is not a telephone number") from error
