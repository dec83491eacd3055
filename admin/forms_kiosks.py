"""A terminal, as an administrator writes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.establishments import Establishment, Unit
from portal.web.fields import choices
from portal.web.forms import OnceForm, Required
from services.appointments.kiosk.actions import Described
from services.appointments.kiosk.models import EARLY_MIN, LATE_MIN, Kiosk

_MINUTES = _l("Write a number of minutes from 0 to 720")


class KioskForm(OnceForm):
    """name, place: for the staff. units: none ticked, the whole hospital."""

    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))], choices=[])
    name = StringField(
        _l("Name of the terminal"), [Required(_l("Name the terminal")), Length(max=80)],
        description=_l("Such as: Main hall, left."),
    )  # fmt: skip
    place = StringField(_l("Its place in the hospital"), [Optional(), Length(max=200)])
    units = SelectMultipleField(
        _l("Units that it serves"), [Optional()], choices=[], option_widget=CheckboxInput(), widget=ListWidget(),
        description=_l("None ticked: every unit of the hospital."),
    )  # fmt: skip
    early_min = IntegerField(
        _l("Minutes before the time"), [InputRequired(_MINUTES), NumberRange(0, 720, message=_MINUTES)],
        default=EARLY_MIN, description=_l("Those who come earlier are asked to come back."),
    )  # fmt: skip
    late_min = IntegerField(
        _l("Minutes after the time"), [InputRequired(_MINUTES), NumberRange(0, 720, message=_MINUTES)],
        default=LATE_MIN, description=_l("Those who come later are sent to the desk."),
    )  # fmt: skip

    def offer(self, places: Sequence[Establishment], units: Sequence[Unit]) -> None:
        """What may be chosen."""
        self.establishment.choices = choices((str(each.id), each.name) for each in places)
        several = len(places) > 1
        named = (
            (str(each.id), f"{each.establishment.short_name or each.establishment.name} – {each.name}" if several
             else each.name)
            for each in units
        )  # fmt: skip
        self.units.choices = choices(named)
        self._home = {str(each.id): str(each.establishment_id) for each in units}

    def validate_units(self, field: Any) -> None:
        """All of the hospital where it stands."""
        if any(self._home.get(each) != self.establishment.data for each in field.data or ()):
            raise ValidationError(_l("These units are not all of this hospital"))

    def show(self, kiosk: Kiosk) -> None:
        self.establishment.data, self.units.data = str(kiosk.establishment_id), [str(each) for each in kiosk.unit_ids]
        for each in ("name", "place", "early_min", "late_min"):
            self[each].data = getattr(kiosk, each)

    @property
    def described(self) -> Described:
        units = [UUID(each) for each in self.units.data or ()]
        early, late = self.early_min.data or 0, self.late_min.data or 0
        return Described((self.name.data or "").strip(), (self.place.data or "").strip(), units, early, late)
