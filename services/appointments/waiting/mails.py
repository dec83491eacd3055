"""The message that an earlier time may be taken. Neither when, nor where, nor for what."""

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail
from services.appointments.waiting.models import WaitingOffer


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
