"""What happens after a booking, a move or a cancellation: a message to the patient, or to who acts for them."""

from collections.abc import Callable
from uuid import UUID

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from auth.models import Professional
from auth.news import actions as news
from portal import jobs, notifications
from portal.notifications import Mail
from services.appointments import mails, states
from services.appointments.city.models import SentAppointment
from services.appointments.mails import Told
from services.appointments.models import Appointment


@jobs.task("appointments.confirm_by_mail")
def confirm_by_mail(appointment_id: str, account_id: str) -> None:
    """Tell the patient that the appointment exists."""
    _tell(appointment_id, account_id, states.BOOKED, mails.confirmed)


@jobs.task("appointments.tell_moved_by_mail")
def tell_moved_by_mail(appointment_id: str, account_id: str) -> None:
    """Tell the patient that it is at another time, whoever moved it."""
    _tell(appointment_id, account_id, states.BOOKED, mails.moved)


@jobs.task("appointments.tell_cancelled_by_mail")
def tell_cancelled_by_mail(appointment_id: str, account_id: str) -> None:
    """Tell the patient that it is cancelled, whoever cancelled it."""
    _tell(appointment_id, account_id, states.CANCELLED, mails.cancelled)


@jobs.task("appointments.tell_practitioner")
def tell_practitioner(appointment_id: str) -> None:
    """Tell the practitioner of the city who follows it that somebody else has moved or cancelled it."""
    with jobs.effect() as current:
        followed = current.get(SentAppointment, UUID(appointment_id))
        if followed is not None:
            account_id = current.get_one(Professional, followed.professional_id).account_id
            news.write(account_id, "appointments", f"/pro/rendez-vous/{appointment_id}")


def _tell(appointment_id: str, account_id: str, state: str, mail: Callable[[Told], Mail]) -> None:
    with jobs.effect() as current:
        appointment = current.get_one(Appointment, UUID(appointment_id))
        if appointment.state != state:
            return  # cancelled meanwhile: the other message says so
        to = recipient(appointment, UUID(account_id) if account_id else None)
        if to is None or not to.email:
            start = int(appointment.start_at.timestamp())  # moved meanwhile, another message tells of it
            jobs.enqueue("appointments.tell_by_text", appointment_id=appointment_id, start=start)
            return
        notifications.tell(
            mail(mails.told(appointment, to.account_id)),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=appointment.patient_id,
            establishment_id=appointment.establishment_id,
            locale=to.locale,
        )


def recipient(appointment: Appointment, account_id: UUID | None) -> Address | None:
    """The account that acted, else the patient's own, else the address the hospital was given."""
    found = mandates.address_for(
        appointment.patient_id, "administrative", masked=appointment.masked, account_id=account_id
    )
    given = appointment.patient.email
    return found or (Address(given) if given and not appointment.masked else None)
