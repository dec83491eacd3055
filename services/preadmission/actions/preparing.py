"""What the patient does before the file is sent, or an agent for somebody on the phone."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select

from auth import records
from auth.identity import nir
from portal import calendar, catalog, db
from portal.db import session
from portal.establishments import Unit
from services.pieces import actions as piece_actions
from services.pieces import queries as piece_queries
from services.preadmission import asked, queries, states
from services.preadmission.actions import counting, filled, traces
from services.preadmission.actions.facts import (
    ChangedMeanwhile,
    Incomplete,
    NotEditable,
    NotOpenYet,
    StayInThePast,
    UnitNotOpen,
)
from services.preadmission.answers import Answers, Choices, Coverage
from services.preadmission.calendars import queries as calendars
from services.preadmission.models import THE_HOSPITALS, Preadmission, StepAnswers, new_reference

SERVICE = RIGHT = "preadmission"


@dataclass(frozen=True)
class Stay:
    """unit_id: where the patient is expected. stay_kind: a key of `kinds.KINDS`."""

    unit_id: UUID
    planned_on: date
    stay_kind: str


def start(patient_id: UUID, stay: Stay, *, origin: str = "patient", account_id: UUID | None = None) -> Preadmission:
    """Open a draft and ask for its pieces. origin: of `models.ORIGINS`.

    Raises UnitNotOpen, StayInThePast, NotOpenYet (the patient is early for what the hospital does not know yet).

    account_id: the person's account when an agent or the hospital's system begins it; the actor's own otherwise.
    """
    unit = _open_unit(stay)
    if origin == "patient":
        _refuse_too_early(unit, stay)
    preadmission = Preadmission(
        id=uuid4(),
        establishment_id=unit.establishment_id,
        patient_id=patient_id,
        account_id=account_id or (db.current_actor().account_id if origin != "desk" else None),
        reference=new_reference(),
        state="",
        origin=origin,
        version=0,
        unit_id=unit.id,
        planned_on=stay.planned_on,
        stay_kind=stay.stay_kind,
    )
    first = states.change(preadmission, "draft", db.current_actor())
    session.add(preadmission)
    session.flush()
    session.add(first)
    traces.tell(preadmission)
    _ask(preadmission)
    session.flush()
    return preadmission


def change_stay(preadmission: Preadmission, stay: Stay) -> None:
    """Another unit of the same hospital, another day. Raises UnitNotOpen, StayInThePast, NotOpenYet,
    NotEditable (sent, or the stay is the hospital's own)."""
    unit = _open_unit(stay)
    if unit.establishment_id != preadmission.establishment_id:
        raise UnitNotOpen(stay.unit_id)
    if preadmission.origin in THE_HOSPITALS:
        raise NotEditable(preadmission.id)
    if preadmission.origin == "patient":
        _refuse_too_early(unit, stay)
    _open_for_answers(preadmission)
    preadmission.unit_id, preadmission.planned_on = stay.unit_id, stay.planned_on
    preadmission.stay_kind = stay.stay_kind
    _saved(preadmission, "stay")


def fill(preadmission: Preadmission, answers: Answers, version: int | None = None) -> None:
    """Save one step, whole. version: of that step as the person read it (0: it was empty).

    Raises NotEditable, ChangedMeanwhile (it was saved on another device since).
    """
    _open_for_answers(preadmission)
    write_answers(preadmission, answers, version)
    if isinstance(answers, Coverage):
        preadmission.nir_digest = nir.index(answers.nir) if answers.nir else None
    if isinstance(answers, Choices):
        preadmission.confidential = answers.confidential
    filled.tell(preadmission, answers)
    _saved(preadmission, answers.step)


def submit(preadmission: Preadmission, *, late: bool = False) -> None:
    """Send the file: from now on the hospital sees it and knows the patient. After the hospital's cut-off, by its own
    clock at this moment, it is taken all the same, and marked late. late: it is, whatever the clock says.

    Raises Incomplete, TransitionRefused (already sent), StayInThePast.
    """
    traces.lock(preadmission)
    if preadmission.state == "draft" and (missing := missing_from(preadmission)):
        raise Incomplete(missing)
    _refuse_past(preadmission.planned_on, preadmission.unit)
    row = states.change(preadmission, "submitted", db.current_actor())
    preadmission.submitted_at = row.at
    preadmission.late = late or calendars.deadlines_of(preadmission).is_late(row.at)
    preadmission.version += 1
    session.add(row)
    records.open_record(preadmission.patient_id, preadmission.establishment_id)
    piece_actions.share(preadmission.id, preadmission.patient_id, preadmission.establishment_id)
    traces.tell(preadmission)
    counting.sent(preadmission)


def missing_from(preadmission: Preadmission) -> frozenset[str]:
    """Steps not filled, and `pieces` when a needed one was not sent."""
    pieces = piece_queries.of_folder(preadmission.id)
    return asked.missing(queries.facts(preadmission), pieces_lack=any(piece.is_lacking for piece in pieces))


def cancel(preadmission: Preadmission) -> None:
    """The patient gives the file up. Raises TransitionRefused."""
    traces.lock(preadmission)
    traces.move(preadmission, "cancelled_by_patient")


def _open_unit(stay: Stay) -> Unit:
    unit = session.get(Unit, stay.unit_id)
    if unit is None or SERVICE not in catalog.open_codes(unit.establishment_id):
        raise UnitNotOpen(stay.unit_id)
    _refuse_past(stay.planned_on, unit)
    return unit


def _refuse_too_early(unit: Unit, stay: Stay) -> None:
    days = calendars.deadlines_at(unit, stay.stay_kind, stay.planned_on)
    if days.opens_on is not None and not days.is_open_on(calendar.civil_day(db.now(), unit.establishment.tz)):
        raise NotOpenYet(days.opens_on)


def _refuse_past(planned_on: date, unit: Unit) -> None:
    if planned_on < calendar.civil_day(db.now(), unit.establishment.tz):
        raise StayInThePast(planned_on)


def _open_for_answers(preadmission: Preadmission) -> None:
    traces.lock(preadmission)
    if preadmission.state != "draft":
        raise NotEditable(preadmission.id)


def write_answers(preadmission: Preadmission, answers: Answers, version: int | None) -> None:
    """Write one step, whole, in a file that the caller has locked. Raises ChangedMeanwhile."""
    row = session.scalar(
        select(StepAnswers)
        .where(StepAnswers.preadmission_id == preadmission.id, StepAnswers.step == answers.step)
        # As it is now that the file is locked, whatever this request had read before.
        .execution_options(populate_existing=True)
    )
    if row is None:
        row = StepAnswers(id=uuid4(), preadmission_id=preadmission.id, step=answers.step, version=0)
        session.add(row)
    if version is not None and version != row.version:
        raise ChangedMeanwhile(answers.step)
    actor = db.current_actor()
    row.answers, row.version, row.filled_at = answers.model_dump_json(), row.version + 1, db.now()
    row.filled_by, row.filled_by_name = actor.label, actor.name


def _saved(preadmission: Preadmission, step: str) -> None:
    session.flush()
    _ask(preadmission)
    preadmission.changed_at = db.now()
    traces.record("preadmission.filled", preadmission, step=step)


def _ask(preadmission: Preadmission) -> None:
    """Ask for the pieces that this person needs now: an answer may add some and make others needless."""
    wanted = asked.pieces(queries.facts(preadmission))
    piece_actions.require(preadmission.id, preadmission.establishment_id, preadmission.patient_id, wanted)
