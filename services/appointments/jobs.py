"""What happens after a booking or a cancellation: a message to the patient."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from auth.models import Account, PatientAccess
from portal import jobs, notifications
from portal.db import session
from portal.notifications import Mail
from services.appointments import mails, states
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
        to = _recipient(appointment, UUID(account_id) if account_id else None)
        notifications.tell(mail(appointment), recipient=to.email, account_id=to.account_id, locale=to.locale)


@dataclass(frozen=True)
class _Recipient:
    """Where to write about an appointment."""

    email: str
    locale: str = ""
    account_id: UUID | None = None


def _recipient(appointment: Appointment, account_id: UUID | None) -> _Recipient:
    """The account that acted, else the patient's own account, else the address the hospital was given."""
    query = (
        select(Account).where(Account.id == account_id)
        if account_id
        else (
            select(Account)
            .join(PatientAccess, PatientAccess.account_id == Account.id)
            .where(
                PatientAccess.patient_id == appointment.patient_id,
                PatientAccess.relation == "self",
                PatientAccess.revoked_at.is_(None),
                Account.closed_at.is_(None),
            )
            .order_by(Account.created_at)
            .limit(1)
        )
    )
    account = session.scalar(query)
    if account and account.email:
        return _Recipient(account.email, account.locale, account.id)
    return _Recipient(appointment.patient.email)
