"""What this room holds about a person, for the copy of their data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.appointments.models import Appointment
from services.appointments.wording import CHANNELS, STATES


def declare() -> None:
    export.contribute("appointments", part)


def part(patient_id: UUID) -> Part:
    """Every appointment, cancelled ones included."""
    rows = session.scalars(
        select(Appointment)
        .options(
            joinedload(Appointment.establishment),
            joinedload(Appointment.unit),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.reason),
        )
        .where(Appointment.patient_id == patient_id)
        .order_by(Appointment.start_at)
    )
    return Part("appointments", _l("Appointments"), [_entry(each) for each in rows])


def _entry(each: Appointment) -> Entry:
    facts = [
        Fact("reference", _l("Reference"), each.reference),
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("unit", _l("Unit"), each.unit.name),
        Fact("practitioner", _l("Practitioner"), each.practitioner.full_name),
        Fact("reason", _l("Reason"), each.reason.name),
        Fact("start_at", _l("Begins"), each.start_at.astimezone(each.tz)),
        Fact("end_at", _l("Ends"), each.end_at.astimezone(each.tz)),
        Fact("state", _l("State"), each.state, STATES.get(each.state, "")),
        Fact("channel", _l("Booked by"), each.channel, CHANNELS.get(each.channel, "")),
        Fact("booked_at", _l("Booked on"), each.booked_at),
        Fact("cancel_reason", _l("Why it was cancelled"), each.cancel_reason),
    ]
    return Entry(f"{each.unit.name} – {each.reference}", facts)
