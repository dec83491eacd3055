"""The mail that says that the figures of a month are ready: no number in it, the page asks who reads."""

from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

PAGE = "/admin/chiffres/rapports"


class _Month:
    """The name of a month, in the language of the moment when the mail is written."""

    def __init__(self, month: date, hospital: str) -> None:
        self._month, self._hospital = month, hospital

    def __str__(self) -> str:
        month: Any = format_date(self._month, "LLLL y")
        return str(_("The figures of %(month)s are ready for %(hospital)s.", month=month, hospital=self._hospital))


@message("agents.figures_ready", "staff", sample={"month": date(2026, 1, 1)})
def ready(report_id: UUID, month: date, hospital: str) -> Mail:
    """The report can be read. hospital: its name, which is no secret."""
    return Mail(
        _l("The figures of the month on the hospital’s portal"),
        (
            _l("Hello,"),
            _Month(month, hospital),
            _l("You asked to be told. The page of the report says how to stop."),
            _l("To read it:"),
        ),
        f"{PAGE}/{report_id}",
    )
