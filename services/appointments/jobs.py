"""What happens after a booking or a cancellation: a message to the patient."""

from collections.abc import Callable
from uuid import UUID

from portal import jobs, notifications
from portal.notifications import Mail
from services.appointments import mails, queries, states
from services.appointments.models import Appointment


@jobs.task("appointments.confirm_by_mail")
def confirm_by_mail(appointment_id: str, account_id: str) -> None:
    """Tell the patient that the appointment exists."""
    _tell(appointment_id, account_id, states.BOOKED, mails.confirmed)


@jobs.task("appointments.tell_cancelled_by_mail")
def tell_cancelled_by_mail(appointment_id: str, account_id: str) -> None:
    """Tell the patient that it is cancelled, whoever cancelled it."""
    _tell(appointment_id, account_id, states.CANCELLED, mails.cancelled)


def _tell(appointment_id: str, account_id: str, state: str, mail: Callable[[Appointment], Mail]) -> None:
    with jobs.effect() as current:
        appointment = current.get_one(Appointment, UUID(appointment_id))
        if appointment.state != state:
            return  # cancelled meanwhile: the other message says so
        to = queries.recipient(appointment, UUID(account_id) if account_id else None)
        notifications.tell(mail(appointment), recipient=to.email, account_id=to.account_id, locale=to.locale)
