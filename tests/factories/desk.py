"""What the desk said of the visits of yesterday and of this morning."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle

from sqlalchemy import select

from auth.models import Patient
from portal import calendar, db
from portal.db import session
from portal.establishments import Practitioner, Unit
from services.appointments import actions
from services.appointments.models import ConsultationSession, Reason
from tests.factories import appointments
from tests.factories.demonstration import World

_UNIT = "Cardiologie"
_EVERY = 8
"""One visit each forty minutes."""
_SAID = ("done", "done", "missed", "done", "booked")


def demonstrate(world: World) -> None:
    """A day that is over and, on a working day, a morning that runs: seen, missed, and two still to fill in."""
    ward = session.scalars(
        select(Unit).where(Unit.name == _UNIT, Unit.establishment_id == world.north.establishment.id)
    ).one()
    reasons = session.scalars(select(Reason).where(Reason.unit_id == ward.id).order_by(Reason.position)).all()
    doctor = session.scalars(select(Practitioner).where(Practitioner.unit_id == ward.id).limit(1)).one()
    morning, _afternoon = appointments.HOURS
    yesterday = calendar.civil_day(db.now(), ward.establishment.tz) - timedelta(days=1)
    actions.open_session(doctor, ward, yesterday, *morning, reasons, step_min=5)
    people = _passers_by()
    for opened in _begun(ward):
        for rank, cell in enumerate(range(0, opened.n_cells - _EVERY, _EVERY)):
            if opened.at(cell + _EVERY) < db.now():
                _visit(next(people), reasons[0], opened, cell, _SAID[rank % len(_SAID)])


def _begun(ward: Unit) -> Iterator[ConsultationSession]:
    """Sessions of yesterday and today."""
    now = db.now()
    since = now - timedelta(days=2)
    found = select(ConsultationSession).where(
        ConsultationSession.unit_id == ward.id, ConsultationSession.start_at.between(since, now)
    )
    yield from session.scalars(found.order_by(ConsultationSession.start_at)).all()


def _passers_by() -> Iterator[Patient]:
    found = session.scalars(select(Patient).where(Patient.birth_name.in_(appointments.NAMES)))
    return cycle(sorted(found, key=lambda each: each.birth_name))


def _visit(person: Patient, why: Reason, opened: ConsultationSession, cell: int, state: str) -> None:
    arrived_at = opened.at(cell) - timedelta(minutes=6) if state == "done" else None
    missed_because = "transport" if state == "missed" else ""
    appointments.past(person, why, opened, cell, state=state, arrived_at=arrived_at, missed_because=missed_because,
                      channel="phone")  # fmt: skip
