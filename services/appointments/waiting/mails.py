"""Messages about the waiting list: an earlier time may be taken, a place has ended. Neither when, where, nor why."""

from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message, named
from services.appointments.waiting.models import WaitingOffer


class _Sample:
    """An offer to nobody, for the list of messages."""

    entry_id = UUID(int=0)


@message("appointments.earlier_time", at_hospital=True, sample={"offer": _Sample()}, values=lambda _given: {})
def offered(offer: WaitingOffer) -> Mail:
    return Mail(
        subject=_l("An earlier time is kept for you"),
        paragraphs=(
            _l("Hello,"),
            _l("You asked to be told when an earlier time comes free: one is kept for you for a short while."),
            _l("Your account says when it is, and until when you may take it. Nothing changes unless you say yes."),
        ),
        path=f"/rendez-vous/plus-tot/{offer.entry_id}",
    )


LIST_ENDED: Final = named(
    "appointments.list_ended",
    Mail(
        subject=_l("Your place on a waiting list has ended"),
        paragraphs=(
            _l("Hello,"),
            _l("You asked to be told when an earlier time comes free: nothing will be proposed to you there any more."),
            _l("Your account says what it was about. The appointments that you have stay as they are."),
        ),
        path="/rendez-vous",
    ),
    at_hospital=True,
)
