"""Brings a file of duties: line by line, the same file twice changes nothing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from portal import delimited
from portal.db import session
from portal.establishments import Establishment, Unit
from services.directory.folding import key
from services.lines import actions, queries, rows
from services.lines.actions import DutyTaken, Wanted
from services.lines.models import Line
from services.lines.rows import DutyRow, NotADuty

_MOST_SAMPLES = 20


@dataclass
class Report:
    """What a file gave. removed: duties of earlier files that this one, which replaces them, does not have.
    refused: lines that changed nothing; samples: the first of them, with why."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    refused: int = 0
    samples: list[dict[str, object]] = field(default_factory=list)

    def refuse(self, number: int, why: str) -> None:
        self.refused += 1
        if len(self.samples) < _MOST_SAMPLES:
            self.samples.append({"line": number, "why": why})


@dataclass(frozen=True)
class _Hospital:
    establishment: Establishment
    units: Mapping[str, Unit]
    lines: Mapping[tuple[UUID, str], Line]


def load(source: Path | bytes, establishment: Establishment, *, replace: bool = False) -> Report:
    """Put a file's duties in, in the current transaction. Raises NotSuchAFile.

    replace: earlier imported duties of the units of the file, that begin within the time that it tells, and that it
    does not have any more, are taken away first. What somebody entered by hand is never taken away.
    """
    report, hospital = Report(), _hospital(establishment)
    with delimited.opened(source) as file:
        file.need(rows.NEEDED)
        read = [each for row in file if (each := _read(row, hospital, report)) is not None]
    if replace and read:
        report.removed = _remove_others(hospital, read)
    given: Counter[str] = Counter()
    for each in read:
        try:
            given[actions.put_in(_wanted(each, hospital), each.key)] += 1
        except DutyTaken as taken:
            report.refuse(each.number, f"{taken.other.from_at.isoformat()}: somebody else is on duty there already")
    report.added, report.changed, report.unchanged = given["added"], given["changed"], given["unchanged"]
    return report


def _hospital(establishment: Establishment) -> _Hospital:
    units, lines = queries.for_file(establishment.id)
    return _Hospital(establishment, units, lines)


def _read(row: delimited.Row, hospital: _Hospital, report: Report) -> DutyRow | None:
    try:
        found = rows.read(row, hospital.establishment.tz)
        if found.unit not in hospital.units:
            raise NotADuty("no unit of this hospital has this code")
        if found.line and (hospital.units[found.unit].id, key(found.line)) not in hospital.lines:
            raise NotADuty("the unit has no direct line of this name")
    except NotADuty as why:
        report.refuse(row.number, str(why))
        return None
    return found


def _wanted(row: DutyRow, hospital: _Hospital) -> Wanted:
    unit = hospital.units[row.unit]
    line = hospital.lines[unit.id, key(row.line)] if row.line else None
    known = queries.practitioner(hospital.establishment.id, row.rpps)
    return Wanted(
        hospital.establishment.id, unit.id, line.id if line else None, row.name, row.from_at, row.until_at, row.role,
        row.rpps, row.phone, known.id if known else None,
    )  # fmt: skip


def _remove_others(hospital: _Hospital, read: list[DutyRow]) -> int:
    within = (min(each.from_at for each in read), max(each.until_at for each in read))
    kept, unit_ids = {each.key for each in read}, {hospital.units[each.unit].id for each in read}
    gone = [
        duty for duty in queries.imported_within(hospital.establishment.id, unit_ids, within) if duty.key not in kept
    ]
    for duty in gone:
        actions.remove_duty(duty)
    session.flush()
    return len(gone)
