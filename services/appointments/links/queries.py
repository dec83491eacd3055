"""What a link leads to. As the system: whoever holds it is nobody, and sees nothing by themselves."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal import db
from portal.db import session
from services.appointments import states, tokens
from services.appointments.links.models import AppointmentLink
from services.appointments.models import Appointment, Reason


def usable(token: str) -> AppointmentLink | None:
    """The link of this secret while its appointment is to come, at the time it was made for, and not masked since.

    Cancelled, it may still be looked at: whoever cancelled sees that it is done.
    """
    if not tokens.is_well_formed(token):
        return None
    found = session.scalar(
        select(AppointmentLink)
        .options(
            joinedload(AppointmentLink.appointment).options(
                joinedload(Appointment.establishment),
                joinedload(Appointment.patient),
                joinedload(Appointment.reason).joinedload(Reason.establishment),
            )
        )
        .where(AppointmentLink.digest == tokens.digest(token))
        .execution_options(populate_existing=True)
    )
    return found if found is not None and _stands(found) else None


def _stands(link: AppointmentLink) -> bool:
    appointment = link.appointment
    return (
        appointment.start_at == link.start_at > db.now()
        and appointment.state in (states.BOOKED, states.CANCELLED)
        and not appointment.masked
        and appointment.patient.deceased_on is None
    )
