"""What tests of the desk stand on: a unit, a practitioner, an agent, and a session that runs now."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.models import Patient
from portal import calendar, db
from portal.establishments import Practitioner
from services.appointments import actions
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.slots import Slot
from tests.factories import appointments
from tests.factories.hospitals import Hospital
from tests.ground import prepared

_QUARTER = timedelta(minutes=15)
_BEFORE, _AFTER = timedelta(hours=3), timedelta(hours=6)
_FIRST_VISITS = timedelta(minutes=90)


@dataclass(frozen=True)
class Desk:
    hospital: Hospital
    reason: Reason
    opened: ConsultationSession
    patient: Patient
    agent: FlaskClient

    @property
    def day(self) -> str:
        """The list of the day of the session of next week."""
        return f"/admin/rendez-vous?unit={self.hospital.unit.id}&day={self.opened.local_date}"

    def day_of(self, visit: Appointment, page: str = "") -> str:
        """A page about the day of this visit."""
        day = calendar.civil_day(visit.start_at, self.hospital.establishment.tz)
        return f"/admin/rendez-vous{page}?unit={self.hospital.unit.id}&day={day}"

    def book(self, cell: int = 0, *, beyond: bool = False) -> Appointment:
        with prepared():
            return actions.book_by_phone(self.patient.id, self.reason.id, Slot(self.opened.id, cell), beyond=beyond)

    def say(self, gesture: str, visit: Appointment) -> TestResponse:
        """Press a button of the list."""
        return self.agent.post(self.day_of(visit, "/accueil"), data={gesture: str(visit.id)})


def once(page: TestResponse) -> dict[str, str]:
    """The key that makes a post count once."""
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page.text)
    assert found
    return {"once": found[1]}


def running(
    where: Hospital, reasons: list[Reason], practitioner: Practitioner | None = None, *, capacity: int = 1
) -> ConsultationSession:
    """A session that began three hours ago and lasts six more, by quarters of an hour, whatever the time is now.

    It began somewhat earlier where midnight would have parted its first visits: they are of one civil day.
    """
    tz = where.establishment.tz
    begins, ends = (_to_the_quarter(db.now() + shift).astimezone(tz) for shift in (-_BEFORE, _AFTER))
    if (begins + _FIRST_VISITS).date() != begins.date():
        begins -= _FIRST_VISITS
    return appointments.consultation(
        where, reasons, begins.date(), begins.time(), ends.time(), practitioner=practitioner, capacity=capacity
    )


def _to_the_quarter(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % _QUARTER.total_seconds())


def cell_of(opened: ConsultationSession, at: datetime) -> int:
    """The cell that runs at this moment."""
    return (at - opened.start_at) // timedelta(minutes=opened.step_min)
