"""Messages about a question: that there is news. Neither the bill, nor the amount, nor what was written."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_SUBJECTS: Mapping[str, Any] = {
    "received": _l("Your question has arrived"),
    "answered": _l("The hospital has answered your question"),
    "closed": _l("Your question is closed"),
}
_NEWS: Mapping[str, Any] = {
    "received": _l("The billing office answers within five working days. You can follow your question in your space:"),
    "answered": _l("The answer of the billing office is in your space. You can write again there:"),
    "closed": _l("The billing office has closed your question. What was written stays in your space:"),
}


@message(
    "billing.question",
    at_hospital=True,
    each={news: {"news": news} for news in _NEWS},
    which=lambda given: given["news"],
    values=lambda _given: {},
)
def of(question_id: UUID, news: str) -> Mail:
    """news: what happened, a key of the messages above."""
    return Mail(_SUBJECTS[news], (_l("Hello,"), _NEWS[news]), path=f"/factures/questions/{question_id}")
