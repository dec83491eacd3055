"""What practitioners of the city booked for their patients, and free times open to other systems."""

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from auth.models import Professional
from portal import db, establishments
from portal.db import session
from portal.establishments import Unit
from services.appointments import actions as visits
from services.appointments import queries as offers
from services.appointments.city import actions
from services.appointments.city.models import SentAppointment
from services.appointments.fhir.offer import OPEN_TO_ALL
from services.appointments.models import Appointment, Reason
from services.sent_patients import actions as describing
from services.sent_patients.actions import Described
from services.sent_patients.models import SentPatient
from tests.factories import people

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_SENT = (
    ("FERRAND", "Odile", date(1951, 2, 3), "F", "Cardiologie", 6),
    ("ABITBOL", "Marc", date(1964, 11, 20), "M", "Ophtalmologie", 9),
    ("DE LA ROCHE-VERNAY", "Marie-Charlotte", date(1988, 7, 14), "F", "Imagerie médicale", 12),
    ("NICOLAS", "Théo", date(2001, 4, 9), "M", "Cardiologie", 15),
)


def sent_patient(by: Professional, establishment_id: UUID, **facts: object) -> SentPatient:
    """Somebody a practitioner described to a hospital."""
    told: dict[str, object] = {"birth_name": "FERRAND", "first_name": "Odile", "birth_on": date(1951, 2, 3), "sex": "F"}
    return describing.describe(by.id, establishment_id, Described(**told | facts))  # type: ignore[arg-type]  # facts of any field


def demonstrate(world: "World") -> None:
    """Dr Roumillac has sent four patients; one appointment was cancelled."""
    for hospital in (world.north, world.south):
        establishments.change_setting(hospital.establishment.id, OPEN_TO_ALL, "yes")
    doctor = world.professionals["roumillac"]
    system = db.current_actor()
    made = []
    for birth_name, first_name, birth_on, sex, unit, days in _SENT:
        reason = session.scalars(
            select(Reason).join(Unit, Unit.id == Reason.unit_id).where(Unit.name == unit).order_by(Reason.position)
        ).first()
        if reason is None:
            continue
        db.act_as(people.as_professional(doctor))
        window = reason.window("city", db.now())
        near = offers.nearest(reason, window, db.now() + timedelta(days=days))
        if near:
            told = Described(birth_name, first_name, birth_on, sex, "", f"{first_name.lower()}@exemple.test")
            sent = describing.describe(doctor.id, reason.establishment_id, told)
            made.append(actions.book(sent, reason.id, near[0].slot))
        db.act_as(system)
    if len(made) > 3:
        last = session.get_one(SentAppointment, made[-1].id)
        visits.cancel_for_patient(session.get_one(Appointment, last.appointment_id), "patient_asked")
