"""What people choose among, and what agents say of a pathway."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.appointments.models import Reason
from services.appointments.pathways.actions import Facts
from services.appointments.pathways.models import DAY, SERIES
from services.appointments.slots import Slot

MOST_STEPS = 6


def slots_asked(text: str) -> list[Slot]:
    """The times that an address or a form names, `_` between them; [] when one of them makes no sense."""
    try:
        return [Slot.parse(each) for each in text.split("_")][:60] if text else []
    except ValueError:
        return []


class VisitsForm(OnceForm):
    """The times that were chosen, and for whom."""

    slots = HiddenField()
    patient_id = RadioField(
        _l("Who are the visits for?"), [Required(_l("Choose who the visits are for"))], validate_choice=False
    )

    allowed: Collection[UUID] = ()

    def name(self, people: Mapping[UUID, str]) -> None:
        """people: id → name of those for whom the person may book."""
        self.allowed = people.keys()
        self.patient_id.choices = choices([(str(each), name) for each, name in people.items()])

    def validate_patient_id(self, field: Any) -> None:
        if field.data not in map(str, self.allowed):
            raise ValidationError(_l("Choose who the visits are for"))


class PhoneVisitsForm(OnceForm):
    """The times an agent chose with the person on the phone."""

    slots = HiddenField()


def _number(label: Any, low: int, high: int, usual: int) -> IntegerField:
    message = _l("Give a number from %(low)d to %(high)d", low=low, high=high)
    return IntegerField(label, [InputRequired(message), NumberRange(low, high, message)], default=usual)


class PathwayForm(OnceForm):
    """A pathway as its agents describe it."""

    name = StringField(_l("Name"), [Required(_l("Give a name that patients understand")), Length(max=120)])
    description = TextAreaField(_l("What patients should know"), [Length(max=2000)])
    kind = RadioField(
        _l("How the visits go together"),
        [Required(_l("Choose how the visits go together"))],
        choices=choices([(DAY, _l("Several consultations on one day")), (SERIES, _l("The same one, several times"))]),
    )
    bookable_online = BooleanField(_l("Patients may book it themselves, online"))
    known_only = BooleanField(_l("Only patients whom the hospital already follows"))
    min_gap_min = _number(_l("At least so many minutes between two visits"), 0, 720, 0)
    max_gap_min = _number(_l("At most so many minutes between two visits"), 0, 720, 120)
    times = _number(_l("How many visits in the series"), 1, 30, 6)
    every_days = _number(_l("Every so many days"), 1, 90, 7)
    tolerance_days = _number(_l("Give or take so many days"), 0, 14, 2)
    step_1 = SelectField(_l("Visit %(number)d", number=1), default="")
    step_2 = SelectField(_l("Visit %(number)d", number=2), default="")
    step_3 = SelectField(_l("Visit %(number)d", number=3), default="")
    step_4 = SelectField(_l("Visit %(number)d", number=4), default="")
    step_5 = SelectField(_l("Visit %(number)d", number=5), default="")
    step_6 = SelectField(_l("Visit %(number)d", number=6), default="")

    @property
    def steps(self) -> list[Any]:
        return [self[f"step_{number}"] for number in range(1, MOST_STEPS + 1)]

    def offer(self, reasons: Sequence[Reason]) -> None:
        """reasons: those a visit may be for, in the order of the list."""
        named = [(str(each.id), f"{each.unit.name} – {each.name}") for each in reasons]
        self._reasons = {str(each.id): each for each in reasons}
        for field in self.steps:
            field.choices = choices([("", _l("None")), *named])

    @property
    def reasons(self) -> list[Reason]:
        """Those chosen, in order; of a series, the first only."""
        found = [self._reasons[field.data] for field in self.steps if field.data in self._reasons]
        return found[:1] if self.kind.data == SERIES else found

    @property
    def facts(self) -> Facts:
        return Facts(**{name: self[name].data for name in Facts.__annotations__})

    def validate_max_gap_min(self, field: Any) -> None:
        if field.data is not None and self.min_gap_min.data is not None and field.data < self.min_gap_min.data:
            raise ValidationError(_l("The longest wait cannot be shorter than the shortest"))

    def validate_step_1(self, field: Any) -> None:
        chosen = [each.data for each in self.steps if each.data]
        if not field.data or (self.kind.data == DAY and len(chosen) < 2):
            least = _l("Choose at least two visits") if self.kind.data == DAY else _l("Choose the visit")
            raise ValidationError(least)


class CloseForm(Form):
    """Nothing to fill: a pathway is offered no more, or again."""
