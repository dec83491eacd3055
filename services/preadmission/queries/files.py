"""A patient's files, what each holds, and what the clock closes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal import catalog, establishments
from portal.db import session
from portal.establishments import Establishment, Unit
from services.preadmission import asked
from services.preadmission.answers import STEPS, Answers, Relative
from services.preadmission.asked import Facts
from services.preadmission.models import OPEN_STATES, Preadmission, PreadmissionChange, StepAnswers
from services.preadmission.states import READY

OPTIONS = "preadmission_options"
"""Setting of a hospital: what it asks besides, as codes separated by spaces (`address_proof`)."""
PLACE = (
    joinedload(Preadmission.establishment),
    joinedload(Preadmission.unit).joinedload(Unit.site),
    joinedload(Preadmission.unit).joinedload(Unit.establishment),
)
"""What every page says of where the stay is."""
TODAY_THERE: Any = establishments.today_at(Preadmission.establishment_id)
"""Today's date where the hospital is: the group may have one in La Réunion."""


def of_patient(patient_id: UUID) -> Sequence[Preadmission]:
    """The patient's files, the next stay first, past and closed ones last."""
    files = session.scalars(
        select(Preadmission)
        .options(*PLACE)
        .where(Preadmission.patient_id == patient_id, Preadmission.state != "cancelled_by_patient")
        .order_by(Preadmission.planned_on)
        .limit(100)
    ).all()
    return sorted(files, key=lambda each: (not each.is_open and each.state not in READY, each.planned_on))


def one_of_patient(patient_id: UUID, preadmission_id: UUID) -> Preadmission | None:
    return session.scalar(
        select(Preadmission)
        .options(*PLACE, joinedload(Preadmission.patient))
        .where(Preadmission.id == preadmission_id, Preadmission.patient_id == patient_id)
    )


def units_on_offer(establishment_id: UUID | None = None) -> Sequence[Unit]:
    """Units that are not closed of the hospitals that take pre-admissions online today, by hospital then name."""
    wanted = (
        select(Unit)
        .options(joinedload(Unit.establishment))
        .join(Establishment, Establishment.id == Unit.establishment_id)
        .where(
            catalog.open_at("preadmission", Establishment.id),
            establishments.goes_on(Unit.closes_on, establishments.today_in(Establishment.time_zone)),
        )
        .order_by(Establishment.name, Unit.name)
    )
    if establishment_id is not None:
        wanted = wanted.where(Unit.establishment_id == establishment_id)
    return session.scalars(wanted).all()


def history(preadmission_id: UUID) -> Sequence[PreadmissionChange]:
    """Every change of one file, the latest first; the caller has found the file under its own rules."""
    return session.scalars(
        select(PreadmissionChange)
        .where(PreadmissionChange.preadmission_id == preadmission_id)
        .order_by(PreadmissionChange.at.desc(), PreadmissionChange.id)
    ).all()


def answers_of(preadmission_id: UUID) -> Mapping[str, Answers]:
    """Step → what was answered there; the caller has found the file under its own rules."""
    return read(steps_of(preadmission_id))


def sent_of(preadmission: Preadmission) -> Mapping[str, Answers]:
    """Step → what the hospital is told: the answers to what this person is asked, and no other."""
    born_on = preadmission.patient.birth_on
    return asked.sent(Facts(preadmission.stay_kind, preadmission.planned_on, born_on, answers_of(preadmission.id)))


def read(rows: Mapping[str, StepAnswers]) -> Mapping[str, Answers]:
    """Step → the answers that its row holds; none in support mode, where they are read as empty."""
    return {step: STEPS[step].model_validate_json(row.answers) for step, row in rows.items() if row.answers}


def relatives(preadmission_ids: Iterable[UUID]) -> Mapping[UUID, Relative]:
    """File → whom it names to be told, for lists, in one statement."""
    wanted = select(StepAnswers).where(
        StepAnswers.preadmission_id.in_(list(preadmission_ids)), StepAnswers.step == Relative.step
    )
    return {row.preadmission_id: Relative.model_validate_json(row.answers) for row in session.scalars(wanted)}


def steps_of(preadmission_id: UUID) -> Mapping[str, StepAnswers]:
    """Step → its row, with its version."""
    rows = session.scalars(select(StepAnswers).where(StepAnswers.preadmission_id == preadmission_id))
    return {row.step: row for row in rows}


def facts(preadmission: Preadmission, rows: Mapping[str, StepAnswers] | None = None) -> Facts:
    """What decides what this person is asked. rows: `steps_of` the file, when they were read already."""
    return Facts(
        preadmission.stay_kind,
        preadmission.planned_on,
        preadmission.patient.birth_on,
        read(steps_of(preadmission.id) if rows is None else rows),
        frozenset(establishments.setting(preadmission.establishment_id, OPTIONS).split()),
    )


def overdue() -> Sequence[UUID]:
    """Files still open although the day of the stay is over, at the hospital's own time."""
    return session.scalars(
        select(Preadmission.id)
        .where(Preadmission.state.in_(OPEN_STATES), Preadmission.planned_on < TODAY_THERE)
        .limit(500)
    ).all()
