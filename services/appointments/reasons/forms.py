"""What an agent says of a reason for consultation."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from portal.establishments import Unit
from portal.web.fields import choices
from portal.web.forms import OnceForm, Required
from services.appointments.reasons.actions import FACTS
from services.appointments.resources.queries import Pool
from services.pieces import wording as piece_words

_TEXT_MAX = 2000
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"


class _WholeNumber(IntegerField):
    """Digits, with an error in the agent's words."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata(list(valuelist))
        except ValueError as error:
            raise ValueError(_l("Write a whole number")) from error


def _number(label: Any, lowest: int, highest: int, hint: Any = "", default: int | None = None) -> IntegerField:
    between = _l("Give a number between %(lowest)s and %(highest)s", lowest=str(lowest), highest=str(highest))
    asked = Optional() if default is None else InputRequired(between)
    return _WholeNumber(label, [asked, NumberRange(lowest, highest, between)], description=hint, default=default)


def _line(label: Any, longest: int = 200, hint: Any = "") -> StringField:
    too_long = _l("Write %(count)s characters at most", count=str(longest))
    return StringField(
        label,
        [Length(max=longest, message=too_long), Regexp(_NO_CONTROLS, message=_l("Write plain text"))],
        filters=[lambda text: (text or "").strip()],
        description=hint,
    )


def _text(label: Any, hint: Any = "") -> TextAreaField:
    too_long = _l("Write %(count)s characters at most", count=str(_TEXT_MAX))
    return TextAreaField(
        label,
        [Length(max=_TEXT_MAX, message=too_long), Regexp(_NO_CONTROLS, message=_l("Write plain text"))],
        filters=[lambda text: (text or "").strip().replace("\r\n", "\n")],
        description=hint,
    )


class ReasonForm(OnceForm):
    """Everything about a reason, in the order of the page."""

    unit = SelectField(_l("Unit"), [Required(_l("Choose the unit"))], validate_choice=False)
    name = StringField(
        _l("Name"),
        [
            Required(_l("Give the reason a name")),
            Length(max=120, message=_l("Write %(count)s characters at most", count="120")),
            Regexp(_NO_CONTROLS, message=_l("Write plain text")),
        ],
        filters=[lambda text: " ".join((text or "").split())],
        description=_l("As patients would say it, such as “First consultation”"),
    )
    speciality = _line(_l("Speciality"), 100, _l("Patients also search by it"))
    position = _number(_l("Rank in the unit’s list"), 0, 999, default=0)

    duration_min = _number(_l("Duration, in minutes"), 5, 900, default=30)
    grid_min = _number(
        _l("Begins every … minutes"), 0, 240, _l("From the start of the session; 0: whenever it fits"), default=0
    )
    pause_min = _number(
        _l("Pause after it, in minutes"), 0, 240, _l("The practitioner’s: to write, to tidy, to walk"), default=0
    )
    most_a_session = _number(
        _l("At most … a session"), 1, 99, _l("Empty: as many as fit. Sessions with a limit of their own keep it.")
    )

    bookable_online = BooleanField(_l("Patients book it online"))
    open_to_city = BooleanField(_l("Practitioners of the city book it for their patients"))
    open_to_new_patients = BooleanField(_l("Open to new patients"), default=True)
    by_referral_only = BooleanField(
        _l("By referral only"), description=_l("Patients cannot book it alone: a practitioner or an agent does")
    )
    max_to_come = _number(
        _l("Appointments to come a patient may have"), 0, 20, _l("By booking alone; 0: as many as they like"), default=2
    )
    min_age = _number(_l("Youngest age, in years"), 0, 130, _l("Patients read it before they choose; empty: no limit"))
    max_age = _number(_l("Oldest age, in years"), 0, 130, _l("Included; empty: no limit"))

    min_delay_hours = _number(_l("Notice, in hours"), 0, 2160, _l("No later than this before the visit"), default=24)
    min_delay_business_days = _number(_l("Notice, in business days"), 0, 60, default=0)
    max_delay_days = _number(_l("Opens … days before"), 1, 730, default=180)
    cancel_cutoff_hours = _number(
        _l("Cancelled or moved online until … hours before"), 0, 720, _l("Later, the patient must call"), default=24
    )

    pools = SelectMultipleField(_l("It needs one of each"), [Optional()], validate_choice=False)

    instructions = _text(_l("How to prepare"))
    to_bring = _text(_l("What to bring"), _l("One thing a line"))
    pieces = SelectMultipleField(
        _l("Papers to prepare"), [Optional()], choices=choices(piece_words.KINDS.items()), validate_choice=False
    )
    price = _line(_l("Price"), 200, _l("As patients read it, such as “€30, refunded 70%”"))
    come_before_min = _number(_l("Come … minutes before"), 0, 240, default=0)
    arrival = _text(_l("On arrival"), _l("Which door, which desk, which lift"))
    questionnaire = _line(
        _l("Questionnaire to fill in before"), 60, _l("Its code; empty while the hospital has none for this reason")
    )

    is_remote = BooleanField(_l("It is a teleconsultation"))
    link = _line(
        _l("Link of the teleconsultation"),
        500,
        _l(
            "https only, shown to the patient from the day before. {reference} becomes the appointment’s, so that each "
            "has its own room. A practitioner who has their own link receives there instead."
        ),
    )

    def offer(self, units: Sequence[Unit], pools: Sequence[Pool]) -> None:
        """What may be chosen here."""
        self.unit.choices = choices(
            (str(unit.id), f"{unit.name} – {unit.establishment.short_name or unit.establishment.name}")
            for unit in units
        )
        several = len({each.establishment.id for each in pools}) > 1
        self.pools.choices = choices((str(each.pool.id), each.said(several)) for each in pools)
        self._at = {str(each.pool.id): each.establishment.id for each in pools}

    def validate_pieces(self, field: SelectMultipleField) -> None:
        """Kinds of papers that exist."""
        if not set(field.data or []) <= piece_words.KINDS.keys():
            raise ValidationError(_l("Choose among the papers listed"))

    def validate_pools(self, field: SelectMultipleField) -> None:
        """Pools of the unit's hospital."""
        if not set(field.data or []) <= {value for value, *_rest in field.iter_choices()}:
            raise ValidationError(_l("Choose among the resources listed"))

    def validate_max_age(self, field: IntegerField) -> None:
        """The older end."""
        youngest, oldest = self.min_age.data, field.data
        if youngest is not None and oldest is not None and oldest < youngest:
            raise ValidationError(_l("The oldest age is below the youngest one"))

    def validate_link(self, field: StringField) -> None:
        """An address that a browser opens safely: nothing but https, and `{reference}` as the only blank."""
        if field.data and not is_safe_link(field.data):
            raise ValidationError(_l("Write an address that begins with https://"))

    def validate_unit(self, field: SelectField) -> None:
        """A unit where the agent works."""
        if field.data not in {value for value, *_rest in field.iter_choices()}:
            raise ValidationError(_l("Choose the unit"))

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was said, under the reason's own names."""
        said = {fact: self[fact].data for fact in FACTS}
        return said | {"questionnaire": said["questionnaire"] or None, "pieces": sorted(said["pieces"] or [])}

    def keep_pools_of(self, unit: Unit) -> None:
        """Another hospital's resources are none of this unit's."""
        self.pools.data = [each for each in self.pools.data or [] if self._at[each] == unit.establishment_id]

    @property
    def chosen_pools(self) -> list[UUID]:
        return [UUID(each) for each in self.pools.data or []]


def is_safe_link(link: str) -> bool:
    """Whether this is an https address of some host, without a name or a password in it, nor anything to fill in but
    the appointment's reference."""
    filled = link.replace("{reference}", "X")
    if any(not 32 < ord(letter) < 127 or letter in '{}"<>\\^`|' for letter in filled):
        return False
    try:
        parts = urlsplit(filled)
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


class CopyForm(OnceForm):
    """Under which name it is copied."""

    name = StringField(
        _l("Name of the copy"),
        [Required(_l("Give the copy a name")), Length(max=120), Regexp(_NO_CONTROLS)],
        filters=[lambda text: " ".join((text or "").split())],
    )
