"""Which figures to show: the days, how they are cut and compared, and the hospital, chosen in the address."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, get_args

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import DateField, SelectField
from wtforms.validators import Optional, ValidationError

from admin import spans
from admin.spans import Comparison, Days, Grain
from portal.web.fields import choices
from portal.web.forms import Form

QUICK = {
    "7-days": _l("7 days"),
    "30-days": _l("30 days"),
    "this-month": _l("This month"),
    "last-month": _l("Last month"),
    "last-quarter": _l("Last quarter"),
    "this-year": _l("This year"),
    "13-months": _l("13 months"),
}
DEFAULT = "30-days"
_DAYS: Mapping[str, Callable[[date], Days]] = {
    "7-days": partial(spans.last_days, count=7),
    "30-days": partial(spans.last_days, count=30),
    "this-month": spans.this_month,
    "last-month": spans.last_month,
    "last-quarter": spans.last_quarter,
    "this-year": spans.this_year,
    "13-months": spans.thirteen_months,
}
GRAINS = {"": _l("As the period allows"), "day": _l("Days"), "week": _l("Weeks"), "month": _l("Months")}
COMPARISONS = {"before": _l("The same length of time before"), "year": _l("The same days last year")}
EARLIEST = date(2020, 1, 1)
_day: dict[str, Any] = {"invalid_value_message": _l("This is not a day: choose it in the calendar")}


class DaysForm(Form):
    """From one day to another, in the address: `from` and `to`. Give it `today`, then validate."""

    class Meta:
        csrf = False

    first = DateField(_l("From"), [Optional()], name="from", **_day)
    last = DateField(_l("To"), [Optional()], name="to", **_day)

    today = date.max

    def validate_first(self, field: DateField) -> None:
        if field.data is not None and not EARLIEST <= field.data <= self.today:
            raise ValidationError(_("Choose a day between 2020 and today"))

    def validate_last(self, field: DateField) -> None:
        first, last = self.first.data, field.data
        if last is not None and last < EARLIEST:
            raise ValidationError(_("Choose a day between 2020 and today"))
        if first is None or last is None:
            return
        if first > last:
            raise ValidationError(_("The last day comes before the first one"))
        if len(Days(first, last)) > spans.MOST_DAYS:
            raise ValidationError(_("Choose three years at most"))

    def days(self) -> Days | None:
        """The chosen days, up to today; None when none are chosen or the choice makes no sense."""
        if self.errors or not (self.first.data or self.last.data):
            return None
        last = min(self.last.data or self.today, self.today)
        first = self.first.data or last - timedelta(days=29)
        return Days(max(first, last - timedelta(days=spans.MOST_DAYS - 1)), last)


class FiguresForm(DaysForm):
    """The days, their bars, what they are compared with, and one of the hospitals that the reader administers."""

    grain = SelectField(_l("Bars"), [Optional()], choices=choices(GRAINS.items()), default="")
    compared = SelectField(_l("Compared with"), [Optional()], choices=choices(COMPARISONS.items()), default="before")
    establishment = SelectField(_l("Hospital"), [Optional()])

    @property
    def asked_grain(self) -> Grain | None:
        """What each bar shall stand for; None as the length of the period allows."""
        return next((each for each in get_args(Grain) if each == self.grain.data), None)

    @property
    def comparison(self) -> Comparison:
        return "year" if self.compared.data == "year" else "before"


def figures_form(arguments: MultiDict[str, str], hospitals: Mapping[str, str], today: date) -> FiguresForm:
    """The form, read and checked. hospitals: FINESS → name of those the reader may choose."""
    form = FiguresForm(formdata=arguments)
    form.today = today
    everyone = {"": _("All my hospitals")} if len(hospitals) > 1 else {}
    form.establishment.choices = choices((everyone | dict(hospitals)).items())
    for field, known, usual in ((form.grain, GRAINS, ""), (form.compared, COMPARISONS, "before")):
        if field.data not in known:
            field.data = usual
    form.validate()
    return form


def quick_days(name: str, today: date) -> Days:
    """The days of a ready-made period; the default one for a name we do not know."""
    return _DAYS.get(name, _DAYS[DEFAULT])(today)
