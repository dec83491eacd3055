"""What agents type or choose at the desk."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField
from wtforms.validators import AnyOf, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.appointments import states
from services.appointments.desk.wording import MISSED_BECAUSE
from services.appointments.wording import CANCEL_REASONS


class TimeForm(OnceForm):
    """A free time, chosen with the person on the phone. anyway: the agent read what they have planned already."""

    slot = StringField(_l("Time"), [Required(_l("Choose a time"))])
    anyway = BooleanField(_l("Book all the same"))


class CellForm(OnceForm):
    """A reason, for a time chosen in an agenda. beyond: the agent read what it exceeds."""

    reason = RadioField(_l("Reason"), [Required(_l("Choose a reason"))], validate_choice=False)
    beyond = BooleanField(_l("Book beyond what is free"))
    anyway = BooleanField(_l("Book all the same"))


class WalkInForm(OnceForm):
    """When somebody who is at the desk will be received."""

    place = RadioField(_l("When, and with whom"), [Required(_l("Choose when and with whom"))], validate_choice=False)

    def offer(self, places: Mapping[str, str]) -> None:
        """places: value → words."""
        self.place.choices = choices(places.items())


class MoveForm(TimeForm):
    """Another time for an appointment, and why."""

    why = RadioField(
        _l("Why is it moved?"),
        [Required(_l("Choose why it is moved")), AnyOf(states.MOVED_BY_HOSPITAL, _l("Choose why it is moved"))],
        choices=choices((code, CANCEL_REASONS[code]) for code in states.MOVED_BY_HOSPITAL),
        validate_choice=False,
    )


_SAY_WHY = _l("Choose why they did not come")


class MissForm(Form):
    """Why somebody did not come, as far as the desk knows."""

    why = RadioField(
        _l("Why did they not come?"),
        [
            Required(_l("Choose why they did not come")),
            AnyOf(states.MISSED_BECAUSE, _l("Choose why they did not come")),
        ],
        choices=choices(MISSED_BECAUSE.items()),
        validate_choice=False,
    )


class EndOfDayForm(Form):
    """What became of the visits of which nobody said anything."""

    visits = SelectMultipleField(_l("Patients"), validate_choice=False)
    state = RadioField(
        _l("What became of them?"),
        [
            Required(_l("Choose what became of them")),
            AnyOf((states.DONE, states.MISSED), _l("Choose what became of them")),
        ],
        choices=choices([(states.DONE, _l("They were seen")), (states.MISSED, _l("They did not come"))]),
        validate_choice=False,
    )

    def validate_visits(self, field: Any) -> None:
        if not field.data:
            raise ValidationError(_l("Choose at least one patient"))
