"""Messages about a request: that there is news, and its reference. Neither the unit, nor why, nor when."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message
from services.appointments.requests.models import AppointmentRequest

_SUBJECTS: Mapping[str, Any] = {
    "received": _l("Your request has arrived"),
    "more_asked": _l("The hospital asks you for something more"),
    "proposed": _l("The hospital proposes times to you"),
    "taken_back": _l("The times proposed to you have changed"),
    "proposal_expired": _l("The times proposed to you are no longer kept"),
    "refused": _l("The hospital has answered your request"),
    "expired": _l("Your request is closed"),
}
_NEWS: Mapping[str, Any] = {
    "received": _l("The hospital answers within two working days. You can follow your request in your account."),
    "more_asked": _l("The question is in your account: the hospital goes on as soon as you have answered."),
    "proposed": _l(
        "They are kept for you until the date written in your account: choose one there, or ask for others."
    ),
    "taken_back": _l(
        "The hospital had to take back the times it proposed. It looks for others: nothing is asked of you."
    ),
    "proposal_expired": _l("The date to answer has passed. Your request is not lost: the hospital looks at it again."),
    "refused": _l("The answer, and what you can do now, are in your account."),
    "expired": _l("The hospital’s question has had no answer for a month. You can send another request at any time."),
}


class _Sample:
    """A request of nobody, for the list of messages."""

    id, reference = UUID(int=0), "{reference}"


@message(
    "appointments.request",
    at_hospital=True,
    sample={"request": _Sample()},
    each={news: {"news": news} for news in _NEWS},
    which=lambda given: given["news"],
    values=lambda given: {"reference": given["request"].reference},
)
def of(request: AppointmentRequest, news: str) -> Mail:
    """news: what happened, a key of the messages above."""
    return Mail(
        subject=_SUBJECTS[news],
        paragraphs=(
            _l("Hello,"),
            _l("This is about your request with reference %(reference)s.", reference=request.reference),
            _NEWS[news],
        ),
        path=f"/rendez-vous/demandes/{request.id}",
    )
