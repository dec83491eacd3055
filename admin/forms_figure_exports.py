"""Which figures are taken away: whose, of which months, by what, masked or not."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import SelectField
from wtforms.validators import Optional, ValidationError

from admin import figure_services
from portal.establishments import Establishment
from portal.kpi import disclosure
from portal.kpi.disclosure import Span
from portal.web.fields import choices
from portal.web.forms import Form

HOME, EVERYTHING = "home", "everything"
MONTHS_OFFERED = 36
_USUAL_MONTHS = 12
GRAINS = {1: _l("Months"), 3: _l("Quarters"), 12: _l("Years")}
SHARED, INTERNAL = "shared", "internal"
_USES = {
    SHARED: _l("To be shown to others: small numbers are hidden"),
    INTERNAL: _l("For the hospital’s own use: exact numbers"),
}


class ExportForm(Form):
    """Chosen in the address. Give it `whole_group`: whether the reader administers every hospital of the group."""

    class Meta:
        csrf = False

    figures = SelectField(_l("Figures"), [Optional()])
    establishment = SelectField(_l("Hospital"), [Optional()])
    first = SelectField(_l("From the month of"), [Optional()], name="from")
    last = SelectField(_l("To the month of"), [Optional()], name="to")
    grain = SelectField(
        _l("One number for each"), [Optional()], choices=choices((str(k), v) for k, v in GRAINS.items())
    )
    use = SelectField(_l("Use"), [Optional()], choices=choices(_USES.items()))

    whole_group = False
    hospitals: Sequence[Establishment] = ()

    def validate_last(self, field: SelectField) -> None:
        if (self.first.data or "") > (field.data or ""):
            raise ValidationError(_("The last month comes before the first one"))

    def validate_use(self, field: SelectField) -> None:
        if field.data == INTERNAL and not self.establishment.data and not self.whole_group:
            raise ValidationError(_("Exact numbers of the whole group are for those who administer all its hospitals"))

    @property
    def spans(self) -> list[Span]:
        """The whole months, quarters or years between the two months, oldest first."""
        first, last = date.fromisoformat(f"{self.first.data}-01"), _end(date.fromisoformat(f"{self.last.data}-01"))
        length = int(self.grain.data)
        return [span for span in disclosure.grid(first, last) if len(disclosure.months(*span)) == length]

    @property
    def hospital(self) -> Establishment | None:
        """The chosen one; None for the whole group."""
        return next((each for each in self.hospitals if each.finess == self.establishment.data), None)

    @property
    def is_exact(self) -> bool:
        return bool(self.use.data == INTERNAL)

    def arguments(self) -> dict[str, Any]:
        """The same choice, as an address says it."""
        return {field.name: field.data for field in self if field.data}


def export_form(
    arguments: MultiDict[str, str], hospitals: Sequence[Establishment], today: date, *, whole_group: bool
) -> ExportForm:
    """The form, read and checked. hospitals: those the reader administers."""
    form = ExportForm(formdata=arguments)
    form.whole_group, form.hospitals = whole_group, hospitals
    months = _ended_months(today)
    named = [(f"{month:%Y-%m}", str(format_date(month, "LLLL y"))) for month in reversed(months)]
    named_hospitals = [*((each.finess, each.name) for each in hospitals), ("", _("The whole group"))]
    services = [(each.code, each.title) for each in figure_services.services()]
    offered: dict[SelectField, tuple[Sequence[tuple[str, Any]], str]] = {
        form.figures: ([(HOME, _("The main figures")), (EVERYTHING, _("All the figures")), *services], HOME),
        form.establishment: (named_hospitals, hospitals[0].finess if hospitals else ""),
        form.first: (named, f"{months[-_USUAL_MONTHS]:%Y-%m}"),
        form.last: (named, f"{months[-1]:%Y-%m}"),
        form.grain: ([(str(key), label) for key, label in GRAINS.items()], "1"),
        form.use: (list(_USES.items()), SHARED),
    }
    for field, (values, usual) in offered.items():
        field.choices = choices(values)
        if field.name not in arguments or field.data not in dict(values):
            field.data = usual
    form.validate()
    if not whole_group:
        form.establishment.choices = choices(named_hospitals[:-1])
    return form


def _ended_months(today: date) -> list[date]:
    """The first days of the months that are over, oldest first."""
    found = [(today.replace(day=1) - timedelta(days=1)).replace(day=1)]
    while len(found) < MONTHS_OFFERED:
        found.insert(0, (found[0] - timedelta(days=1)).replace(day=1))
    return found


def _end(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
