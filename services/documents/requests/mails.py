"""Messages about requests: that something waits, never what was asked nor of whom."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_HELLO = _l("Hello,")
_THERE = _l("To protect your privacy, it can only be read there, after you sign in.")
NEWS: Mapping[str, tuple[Any, Any]] = {
    "received": (
        _l("Your request has reached the hospital"),
        _l("The hospital has received your request. Its date of answer is in your area."),
    ),
    "missing": (
        _l("The hospital needs something from you"),
        _l("To go on with your request, the hospital needs something from you. Until then, its time is stopped."),
    ),
    "written": (_l("The hospital has written to you"), _l("The hospital has written to you about your request.")),
    "resumed": (_l("Your request goes on"), _l("The hospital has what it needed, and goes on with your request.")),
    "answered": (_l("The hospital has answered your request"), _l("The answer to your request is in your area.")),
}


@message(
    "documents.request",
    at_hospital=True,
    sample={"request_id": UUID(int=0)},
    each={news: {"news": news} for news in NEWS},
    which=lambda given: given["news"],
    values=lambda _given: {},
)
def of(request_id: Any, news: str) -> Mail:
    """To the applicant."""
    subject, text = NEWS[news]
    return Mail(subject, (_HELLO, text, _THERE), f"/documents/demandes/{request_id}")


@message("documents.request_at_desk", "staff")
def to_desk(path: str) -> Mail:
    """To the office's mailbox: an applicant sent or wrote something."""
    return Mail(
        _l("A request waits for your office"),
        (_HELLO, _l("Somebody has sent a request, or added to theirs. It waits in your tray.")),
        path,
    )


@message("documents.requests_due", "staff")
def due(path: str, late: int, soon: int) -> Mail:
    """To the office's mailbox, each morning that something presses."""
    return Mail(
        _l("Requests whose date is near"),
        (
            _HELLO,
            _l("Requests whose date has passed: %(late)s.", late=late),
            _l("Requests due within two days: %(soon)s.", soon=soon),
        ),
        path,
    )
