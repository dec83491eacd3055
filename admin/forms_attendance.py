"""How an emergency department stands, on one screen; and what it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional, Regexp

from portal.establishments import Unit
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.attendance import states
from services.attendance.actions import Described
from services.attendance.estimates import MOST_PEOPLE, Told, plain
from services.attendance.models import LANGUAGES, EmergencyDepartment
from services.attendance.wording import KINDS, STATES

RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "0-15": (0, 15), "15-30": (15, 30), "30-60": (30, 60), "60-120": (60, 120), "120-240": (120, 240),
    "240-480": (240, 480),
}  # fmt: skip
RANGE_WORDS: Final[Mapping[str, Any]] = {
    "": _l("We do not say"),
    "0-15": _l("Less than 15 minutes"),
    "15-30": _l("15 to 30 minutes"),
    "30-60": _l("30 minutes to 1 hour"),
    "60-120": _l("1 to 2 hours"),
    "120-240": _l("2 to 4 hours"),
    "240-480": _l("More than 4 hours"),
}
_LONGEST: Final = 300


class ReportForm(Form):
    """Made for a telephone held in one hand: a state, a range, a number."""

    state = RadioField(
        _l("How does it stand?"), [Required(_l("Say how the department stands"))],
        choices=choices((each, STATES[each][0]) for each in states.SAID),
    )  # fmt: skip
    minutes = RadioField(
        _l("Wait before a doctor sees somebody who is not serious"), [Optional()],
        choices=choices(RANGE_WORDS.items()), default="",
    )  # fmt: skip
    waiting = IntegerField(
        _l("People who are waiting"),
        [Optional(), NumberRange(0, MOST_PEOPLE, message=_l("Write a number from 0 to 999"))],
        description=_l("Fewer than 11 are shown as “fewer than 11”."),
    )
    message_fr = TextAreaField(
        _l("Message (French)"), [Optional(), Length(max=_LONGEST)],
        description=_l("Shown with the figures. Never about a patient."),
    )  # fmt: skip
    message_en = TextAreaField(_l("Message (English)"), [Optional(), Length(max=_LONGEST)])
    message_es = TextAreaField(_l("Message (Spanish)"), [Optional(), Length(max=_LONGEST)])
    message_ar = TextAreaField(_l("Message (Arabic)"), [Optional(), Length(max=_LONGEST)])

    @property
    def translations(self) -> Sequence[Any]:
        return (self.message_en, self.message_es, self.message_ar)

    def told(self, now: datetime) -> Told:
        """What the agent says, at this moment; nobody waits where nobody is received."""
        message = {each: plain(self[f"message_{each}"].data or "") for each in LANGUAGES}
        said = {language: words for language, words in message.items() if words}
        if self.state.data not in states.RECEIVES:
            return Told(now, self.state.data, None, None, said)
        return Told(now, self.state.data, self.waiting.data, RANGES.get(self.minutes.data or ""), said)

    def show(self, told: Told | None) -> None:
        """Begin with what was said last, as far as the choices hold it."""
        if told is None or told.state == states.UNKNOWN:
            self.state.data = states.OPEN
            return
        self.state.data, self.waiting.data = told.state, told.waiting
        self.minutes.data = next((code for code, span in RANGES.items() if span == told.minutes), "")
        for each in LANGUAGES:
            self[f"message_{each}"].data = told.message.get(each, "")


class DepartmentForm(OnceForm):
    """An emergency department, as an administrator writes it."""

    unit = SelectField(_l("Unit"), [Required(_l("Choose the unit"))], choices=[])
    kind = SelectField(
        _l("Whom it receives"), [Required(_l("Choose whom it receives"))], choices=choices(KINDS.items())
    )
    name = StringField(
        _l("Name for the public"), [Optional(), Length(max=100)], description=_l("Empty: the name of the unit.")
    )
    code = StringField(
        _l("Code"),
        [Required(_l("Give a code")),
         Regexp(r"^[a-z0-9][a-z0-9-]{0,39}$", message=_l("Small letters, digits and hyphens only"))],
        description=_l("How the hospital’s other systems call it, such as: adults."),
    )  # fmt: skip
    phone = TelField(_l("Telephone"), [Optional(), Length(max=30)], description=_l("Empty: the unit’s."))
    access = StringField(
        _l("Which door"), [Optional(), Length(max=200)], description=_l("Such as: entrance C, rue des Tilleuls.")
    )
    position = IntegerField(
        _l("Rank"), [Optional(), NumberRange(0, 99, message=_l("Write a number from 0 to 99"))], default=0
    )
    is_published = BooleanField(_l("Show it to the public"))

    def offer(self, units: Sequence[Unit], *, several: bool) -> None:
        names = [(str(each.id), f"{each.establishment.name} – {each.name}" if several else each.name) for each in units]
        self.unit.choices = choices([("", _l("Choose a unit")), *names])

    def show(self, department: EmergencyDepartment) -> None:
        self.unit.data = str(department.unit_id)
        for each in ("kind", "name", "code", "phone", "access", "position", "is_published"):
            self[each].data = getattr(department, each)

    @property
    def described(self) -> Described:
        text = {each: (self[each].data or "").strip() for each in ("code", "name", "phone", "access")}
        return Described(
            kind=self.kind.data, position=self.position.data or 0, is_published=bool(self.is_published.data), **text
        )
