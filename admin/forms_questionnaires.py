"""Forms of the care team: alerts, sending, plans, and the editor of questionnaires."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import FileField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, ValidationError

from portal.establishments import Establishment, Unit
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required
from services.questionnaires import occasions, wording
from services.questionnaires.definition.reading import LONGEST_TEXT
from services.questionnaires.models import Questionnaire

_DAYS = NumberRange(1, 90, _l("Between 1 and 90 days"))
MOST_REMINDERS = 3


class AlertForm(OnceForm):
    """The alert was seen, and what was done. version: of the answers that were read."""

    version = HiddenField()
    note = TextAreaField(
        _l("What was done"),
        [Required(_l("Say what was done: called, seen, nothing needed…")), Length(max=1000)],
        description=_l("For your colleagues; kept with the answers"),
    )

    @property
    def shown_version(self) -> int:
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1


def days_of(text: str | None) -> tuple[int, ...]:
    """`1, 3` → (1, 3). Raises ValueError."""
    found = [int(part) for part in (text or "").replace(";", ",").split(",") if part.strip()]
    if len(found) > MOST_REMINDERS or any(not 1 <= each <= 60 for each in found):
        raise ValueError(text)
    return tuple(sorted(set(found)))


class Days:
    """Up to three numbers of days."""

    def __call__(self, _form: Any, field: Any) -> None:
        try:
            days_of(field.data)
        except ValueError:
            raise ValidationError(_("Write up to three numbers of days, such as 1, 3")) from None


class SendForm(OnceForm):
    """Which questionnaire, for which unit, and how long one may answer."""

    questionnaire = SelectField(_l("Questionnaire"), [Required(_l("Choose a questionnaire"))], validate_choice=False)
    unit = SelectField(_l("Unit that reads the answers"), [Required(_l("Choose a unit"))], validate_choice=False)
    answer_days = IntegerField(_l("Days to answer"), [InputRequired(_l("Write a number of days")), _DAYS], default=7)
    remind_after = StringField(
        _l("Reminders"), [Days()], default="2", description=_l("After how many days, such as 1, 3; empty for none")
    )

    def offer(self, questionnaires: Sequence[Questionnaire], units: Sequence[Unit]) -> None:
        self.questionnaires = {str(each.id): each for each in questionnaires}
        self.units = {str(each.id): each for each in units}
        self.questionnaire.choices = choices(
            [("", ""), *((key, each.title) for key, each in self.questionnaires.items())]
        )
        self.unit.choices = choices([("", ""), *((key, each.name) for key, each in self.units.items())])

    def validate_questionnaire(self, field: Any) -> None:
        if field.data not in self.questionnaires:
            raise ValidationError(_("Choose a questionnaire"))

    def validate_unit(self, field: Any) -> None:
        if field.data not in self.units:
            raise ValidationError(_("Choose a unit"))


class PlanForm(OnceForm):
    """What is sent by itself. target: `occasion|unit|about`; code: `establishment|code`."""

    code = SelectField(_l("Questionnaire"), [Required(_l("Choose a questionnaire"))], validate_choice=False)
    target = SelectField(_l("For"), [Required(_l("Choose what it is for"))], validate_choice=False)
    side = RadioField(
        _l("When it is sent"),
        [Required(_l("Say when it is sent"))],
        choices=choices([("before", _l("Before the day")), ("after", _l("After the day, or on it"))]),
    )
    days = IntegerField(
        _l("How many days before or after"), [InputRequired(_l("Write a number of days")), NumberRange(0, 400)]
    )
    answer_days = IntegerField(_l("Days to answer"), [InputRequired(_l("Write a number of days")), _DAYS], default=2)
    remind_after = StringField(
        _l("Reminders"), [Days()], default="1", description=_l("After how many days, such as 1, 3; empty for none")
    )

    def offer(self, questionnaires: Sequence[Questionnaire], targets: Sequence[tuple[str, Any]]) -> None:
        self.codes = {f"{each.establishment_id}|{each.code}": each for each in questionnaires}
        self.targets = dict(targets)
        self.code.choices = choices([("", ""), *((key, each.title) for key, each in self.codes.items())])
        self.target.choices = choices([("", ""), *targets])

    def validate_code(self, field: Any) -> None:
        if field.data not in self.codes:
            raise ValidationError(_("Choose a questionnaire"))

    def validate_target(self, field: Any) -> None:
        if field.data not in self.targets:
            raise ValidationError(_("Choose what it is for"))
        asked = self.codes.get(self.code.data)
        if asked is not None and not field.data.startswith(f"{asked.establishment_id}|"):
            raise ValidationError(_("Choose a unit of the hospital that has this questionnaire"))

    def validate_days(self, field: Any) -> None:
        if self.side.data == "before" and field.data is not None and not 1 <= field.data <= 90:
            raise ValidationError(_("Between 1 and 90 days before"))

    @property
    def offset(self) -> int:
        days = self.days.data or 0
        return -days if self.side.data == "before" else days


def targets(hospitals: Sequence[Establishment], units: Sequence[Unit]) -> list[tuple[str, Any]]:
    """What a plan may be for: `establishment|occasion|unit|about` → words."""
    found: list[tuple[str, Any]] = []
    for occasion in occasions.every():
        subjects = occasion.subjects([each.id for each in hospitals])
        for unit in units:
            start = f"{unit.establishment_id}|{occasion.code}|{unit.id}"
            where = f"{unit.name} ({unit.establishment.short_name or unit.establishment.name})"
            found.append((f"{start}|", f"{where} – {occasion.title}"))
            found += [
                (f"{start}|{each.about}", f"{where} – {occasion.title} – {each.title}")
                for each in subjects
                if each.unit_id in (None, unit.id) and each.establishment_id in (None, unit.establishment_id)
            ]
    return found


# -- definitions ---------------------------------------------------------------------------------------------------


class OfHospitalForm(OnceForm):
    """Something that belongs to one hospital of the agent."""

    establishment = SelectField(_l("Hospital"), [Required(_l("Choose a hospital"))], validate_choice=False)

    def offer(self, hospitals: Sequence[Establishment]) -> None:
        self.hospitals = {str(each.id): each for each in hospitals}
        self.establishment.choices = choices([(key, each.name) for key, each in self.hospitals.items()])

    def validate_establishment(self, field: Any) -> None:
        if field.data not in self.hospitals:
            raise ValidationError(_("Choose a hospital"))


class ImportForm(OfHospitalForm):
    """A FHIR Questionnaire, as a file."""

    file = FileField(_l("File of the questionnaire"), description=_l("FHIR R4 Questionnaire, in JSON, 256 KB at most"))


class DuplicateForm(OnceForm):
    """A title of its own for a copy."""

    title = StringField(_l("Title"), [Required(_l("Give it a title")), Length(max=120)])


class StartForm(OfHospitalForm):
    """A new questionnaire, to write here."""

    title = StringField(_l("Title"), [Required(_l("Write a title")), Length(max=200)])


class HeadForm(Form):
    """What stands above the questions. seen: when the draft was last saved, as the page showed it."""

    seen = HiddenField()
    title = StringField(_l("Title"), [Required(_l("Write a title")), Length(max=200)])
    title_other = StringField(_l("Title in the other language"), [Length(max=200)])
    description = TextAreaField(
        _l("What it is for"), [Length(max=LONGEST_TEXT)], description=_l("Shown to the patient")
    )
    minutes = StringField(_l("Minutes to answer"), description=_l("About; empty when you do not know"))

    def validate_minutes(self, field: Any) -> None:
        text = (field.data or "").strip()
        if text and not (text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= 120):
            raise ValidationError(_("Write a whole number, between 1 and 120"))


class AddItemForm(Form):
    """Which kind of item to add, and in which section."""

    seen = HiddenField()
    kind = SelectField(_l("Add"), choices=choices(list(wording.KINDS.items())), default="boolean")
    within = SelectField(_l("Where"), validate_choice=False)
