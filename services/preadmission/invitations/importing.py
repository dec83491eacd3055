"""Stays of the hospital's file, taken one transaction a line: safe to run twice, and again after a cut."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.preadmission.actions import Stay, StayInThePast, UnitNotOpen
from services.preadmission.invitations import actions, queries, stay_file
from services.preadmission.invitations.states import InvitationOver
from services.preadmission.invitations.stay_file import Refusal, StayLine


@dataclass
class Report:
    """How many stays were made, moved, same, cancelled or refused, and each refusal."""

    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)


def import_stays(path: Path) -> Report:
    """Raises NotSuchAFile."""
    report = Report()
    with db.transaction(db.system("preadmission.import_stays")):
        units = _units()
    for line in stay_file.read(path):
        done = line if isinstance(line, Refusal) else _take(line, units)
        if isinstance(done, Refusal):
            report.refusals.append(done)
        report.counts["refused" if isinstance(done, Refusal) else done] += 1
    return report


def _units() -> Mapping[tuple[str, str], UUID]:
    rows = session.execute(
        select(Establishment.finess, Unit.uf, Unit.id).join(Unit, Unit.establishment_id == Establishment.id)
    )
    return {(finess, uf): unit_id for finess, uf, unit_id in rows}


def _take(line: StayLine, units: Mapping[tuple[str, str], UUID]) -> str | Refusal:
    unit_id = units.get((line.finess, line.uf))
    if unit_id is None:
        return Refusal(line.line, line.expected.visit_number, "uf: no such unit at this hospital")
    try:
        with db.transaction(db.system("preadmission.import_stays")):
            return _do(line, unit_id)
    except UnitNotOpen:
        why = "uf: this hospital does not take files online"
    except StayInThePast:
        why = "planned_on: this day is over"
    except actions.VisitOfAnother:
        why = "visit_number: somebody born another day prepares this stay"
    except InvitationOver:
        why = "visit_number: this stay is over"
    return Refusal(line.line, line.expected.visit_number, why)


def _do(line: StayLine, unit_id: UUID) -> str:
    if not line.is_cancelled:
        return actions.invite(Stay(unit_id, line.planned_on, line.stay_kind), line.expected, "file")[1]
    unit = session.get_one(Unit, unit_id)
    known = queries.of_visit(unit.establishment_id, line.expected.visit_number)
    if known is None or known.state == "cancelled":
        return "same"
    actions.cancel(known)
    return "cancelled"


def told(report: Report) -> Iterator[dict[str, object]]:
    """One line a refusal, then the counts."""
    for refusal in report.refusals:
        yield {"line": refusal.line, "visit_number": refusal.visit_number, "refused": refusal.why}
    names = ("made", "moved", "same", "cancelled", "refused")
    yield {name: report.counts[name] for name in names}
