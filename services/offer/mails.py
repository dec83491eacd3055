"""Messages to those who reported a mistake. Nothing about anybody's health: it is about the directory."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message
from services.offer.models import ErrorReport

_NEWS: dict[str, Any] = {
    "corrected": _l("The page that you reported to us has been corrected. Thank you for your help."),
    "declined": _l("We have checked the page that you reported to us: what it says is right."),
}


@dataclass(frozen=True)
class _Sample:
    """A report of nobody, for the list of messages."""

    state: str
    answer: str = ""


@message(
    "offer.report",
    "anybody",
    each={state: {"report": _Sample(state)} for state in _NEWS},
    which=lambda given: given["report"].state,
    values=lambda _given: {},
)
def answered(report: ErrorReport, path: str) -> Mail:
    """What became of a report."""
    words = (report.answer,) if report.answer else ()
    return Mail(
        subject=_l("Your report about a page of our directory"),
        paragraphs=(_l("Hello,"), _NEWS[report.state], *words),
        path=path,
    )
