"""Which figure stands side by side at which hospitals, over which month, quarter or year."""

from collections.abc import Mapping
from datetime import date

from babel.dates import format_date as written_date
from flask_babel import format_date, get_locale
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.validators import Optional

from admin import spans
from admin.spans import Days
from portal.web.fields import choices
from portal.web.forms import Form

MONTHS, QUARTERS, YEARS = 13, 5, 2
LAST = {"last-month": _l("Last month"), "last-quarter": _l("Last quarter"), "last-year": _l("Last year")}
DEFAULT = "last-quarter"


class ComparisonForm(Form):
    """In the address. Whole months, quarters and years alone: what two of them differ by tells nothing more."""

    class Meta:
        csrf = False

    figure = SelectField(_l("Figure"), [Optional()])
    period = SelectField(_l("Period"), [Optional()])

    def offer(self, figures: Mapping[str, str], usual: str, today: date) -> None:
        """figures: code → title of those that can be compared. An unknown choice is the usual one."""
        self.periods = periods(today)
        if self.figure.data not in figures:
            self.figure.data = usual
        if self.period.data not in self.periods:
            self.period.data = DEFAULT
        self.figure.choices = choices((code, f"{title} ({code})") for code, title in figures.items())
        self.period.choices = choices((name, label(name, days)) for name, days in self.periods.items())

    @property
    def days(self) -> Days:
        return self.periods[self.period.data]


def periods(today: date) -> dict[str, Days]:
    """Name → days: those that move on with the days first, then each month, quarter and year that is over."""
    found = {
        "last-month": spans.last_month(today),
        "last-quarter": spans.last_quarter(today),
        "last-year": spans.last_year(today),
    }
    month = quarter = today
    for _number in range(QUARTERS):
        days = spans.last_quarter(quarter)
        found[f"{days.first:%Y}-T{days.last.month // 3}"] = days
        quarter = days.first
    for _number in range(MONTHS):
        days = spans.last_month(month)
        found[f"{days.first:%Y-%m}"] = days
        month = days.first
    for back in range(1, YEARS + 1):
        found[str(today.year - back)] = Days(date(today.year - back, 1, 1), date(today.year - back, 12, 31))
    return found


def label(name: str, days: Days) -> str:
    """`Last month (October 2026)`, `3rd quarter 2026`."""
    written = period_name(days)
    return f"{LAST[name]} ({written})" if name in LAST else written


def period_name(days: Days) -> str:
    """`October 2026`, `3rd quarter 2026`, `2026`, in the reader's language."""
    if len(days) > 300:
        return str(days.first.year)
    if len(days) > 31:
        return str(written_date(days.first, "QQQQ y", locale=get_locale() or "fr"))
    return str(format_date(days.first, "LLLL y"))
