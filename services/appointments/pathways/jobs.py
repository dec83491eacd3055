"""One message for all the visits booked or cancelled together."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from portal import jobs, notifications
from portal.notifications import Mail
from services.appointments import states
from services.appointments.jobs import recipient
from services.appointments.models import Appointment
from services.appointments.pathways import mails


@jobs.task("pathways.tell_booked")
def tell_booked(chain_id: str, account_id: str) -> None:
    """Tell the patient that the visits exist."""
    _tell(chain_id, account_id, states.BOOKED, mails.booked)


@jobs.task("pathways.tell_cancelled")
def tell_cancelled(chain_id: str, account_id: str) -> None:
    """Tell the patient that they are cancelled, whoever cancelled them."""
    _tell(chain_id, account_id, states.CANCELLED, mails.cancelled)


def _tell(chain_id: str, account_id: str, state: str, mail: Callable[[UUID], Mail]) -> None:
    with jobs.effect() as current:
        of_chain = select(Appointment).where(Appointment.chain_id == UUID(chain_id), Appointment.state == state)
        visit = current.scalars(of_chain.order_by(Appointment.start_at).limit(1)).one_or_none()
        to = recipient(visit, UUID(account_id) if account_id else None) if visit else None
        if visit is None or to is None:
            return
        notifications.tell(
            mail(UUID(chain_id)),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=visit.patient_id,
            establishment_id=visit.establishment_id,
            locale=to.locale,
        )
