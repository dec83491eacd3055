"""Messages to those who reported a mistake. Nothing about anybody's health: it is about the directory."""

from typing import Any

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail
from services.offer.models import ErrorReport

_NEWS: dict[str, Any] = {
    "corrected": _l("The page that you reported to us has been corrected. Thank you for your help."),
    "declined": _l("We have checked the page that you reported to us: what it says is right."),
}


def answered(report: ErrorReport, path: str) -> Mail:
    """What became of a report."""
    words = (report.answer,) if report.answer else ()
    return Mail(
        subject=_l("Your report about a page of our directory"),
        paragraphs=(_l("Hello,"), _NEWS[report.state], *words),
        path=path,
    )
