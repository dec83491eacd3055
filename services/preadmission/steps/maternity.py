"""A birth to come, as far as the admissions office needs it. Health questions are a questionnaire, elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.establishments import Site
from portal.web.fields import DateParts, choices
from portal.web.forms import Required
from portal.web.ui import short_day
from services.preadmission import queries
from services.preadmission.answers import Maternity
from services.preadmission.asked import Facts
from services.preadmission.steps.about_file import FileForm
from services.preadmission.steps.step import Rows, Step, text, told

FROM_LAST_PERIOD: Final = timedelta(days=287)
"""41 weeks without periods, as French maternity units count a term."""
FROM_START: Final = timedelta(days=273)
"""39 weeks of pregnancy."""
MARGIN: Final = timedelta(days=7)
"""How far the two dates may be from each other: one week either way (domain reference, 4.8)."""
_LONGEST: Final = timedelta(days=300)

FOLLOW_UPS: Mapping[str, Any] = {
    "hospital": _l("At the hospital"),
    "midwife": _l("With a midwife in town"),
    "doctor": _l("With my doctor"),
    "none": _l("I do not know yet"),
}


def expected_from(last_period_on: date | None, began_on: date | None) -> date | None:
    """The day of birth that the other date announces; an ultrasound's date before the one that is remembered. Pure."""
    if began_on is not None:
        return began_on + FROM_START
    return last_period_on + FROM_LAST_PERIOD if last_period_on is not None else None


def agree(due_on: date, announced: date | None) -> bool:
    """Whether two dates of one pregnancy agree, within a week either way."""
    return announced is None or abs(due_on - announced) <= MARGIN


class MaternityForm(FileForm):
    """The due date is needed, or a date that announces it."""

    due_on = DateParts(_l("When is the birth expected?"))
    known = RadioField(
        _l("Which other date do you know?"),
        choices=choices(
            [
                ("", _l("No other date")),
                ("period", _l("The first day of my last period")),
                ("began", _l("The start of pregnancy, as the ultrasound dated it")),
            ]
        ),
        default="",
        validators=[Optional()],
    )
    other_on = DateParts(_l("This other date"))
    multiple = RadioField(
        _l("Are you expecting several babies?"),
        choices=choices([("no", _l("No, one")), ("yes", _l("Yes, twins or more"))]),
        validators=[InputRequired(_l("Say whether you are expecting one baby or several."))],
    )
    follow_up = RadioField(
        _l("Where would you like to be followed until the birth?"),
        choices=choices(FOLLOW_UPS.items()),
        validators=[Required(_l("Say where you would like to be followed."))],
    )
    second_parent = StringField(
        _l("Name of the other parent"),
        validators=[Length(max=200)],
        description=_l("Only if you wish. It changes nothing to your place."),
    )
    other_site = SelectField(_l("If there is no place here, where else?"), validators=[Optional()])
    any_site = BooleanField(_l("Any maternity unit of the group would do"))

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        offered = choices((str(site.id), f"{site.name}, {site.establishment.name}") for site in self.sites())
        self.other_site.choices = choices([("", _("Nowhere else"))]) + offered

    @classmethod
    def shown(cls, answers: Any, file: Any) -> dict[str, Any]:
        if answers is None:
            return {"file": file, "due_on": None, "known": "", "follow_up": None}
        other = answers.began_on or answers.last_period_on
        return {
            "file": file,
            "due_on": answers.due_on,
            "known": "began" if answers.began_on else "period" if answers.last_period_on else "",
            "other_on": other,
            "multiple": "yes" if answers.multiple else "no",
            "follow_up": answers.follow_up,
            "second_parent": answers.second_parent,
            "other_site": next((each for each in answers.other_sites if each != ANY), ""),
            "any_site": ANY in answers.other_sites,
        }

    def sites(self) -> Sequence[Site]:
        """The other sites of the group that take births: where a unit on offer is, but the one that is asked for."""
        if self.file is None:
            return []
        found = {unit.site.id: unit.site for unit in queries.units_on_offer() if unit.site_id != self.file.unit.site_id}
        return sorted(found.values(), key=lambda site: site.name)

    def prepare(self, facts: Facts) -> None:
        """Somebody who has one site alone to go to is not asked for another."""
        if not self.sites():
            del self.other_site
            del self.any_site

    def validate_other_on(self, field: DateParts) -> None:
        if self.known.data and field.data is None and not field.errors:
            raise ValidationError(_("Write this date, or choose “No other date”"))
        if field.data is not None and field.data > self.today:
            raise ValidationError(_("This day has not come yet: check the date"))

    def validate_due_on(self, field: DateParts) -> None:
        announced = self.announced()
        if field.data is None:
            if announced is None:
                raise ValidationError(_("Write the expected date, or another date of the pregnancy"))
            return
        if not self.today - timedelta(days=21) <= field.data <= self.today + _LONGEST:
            raise ValidationError(_("This day is not within the next ten months: check the date"))
        if announced is not None and not agree(field.data, announced):
            raise ValidationError(
                _(
                    "The two dates do not agree: the other one announces a birth around %(day)s. Check them both.",
                    day=short_day(announced),
                )
            )

    def announced(self) -> date | None:
        """The day of birth that the other date announces."""
        other = self.other_on.data if self.known.data else None
        is_period = self.known.data == "period"
        return expected_from(other if is_period else None, None if is_period else other)

    def answers(self) -> Maternity:
        due_on = self.due_on.data or self.announced()
        assert due_on is not None, "the form is valid"
        site = self.other_site.data if "other_site" in self else ""
        anywhere = "any_site" in self and self.any_site.data
        return Maternity(
            due_on=due_on,
            last_period_on=self.other_on.data if self.known.data == "period" else None,
            began_on=self.other_on.data if self.known.data == "began" else None,
            multiple=self.multiple.data == "yes",
            follow_up=self.follow_up.data,
            second_parent=text(self.second_parent),
            other_sites=tuple(filter(None, (site, ANY if anywhere else ""))),
        )


ANY: Final = "any"
"""Among `other_sites`: whichever has a place."""


def _rows(answers: Maternity) -> Rows:
    sites = {str(unit.site.id): unit.site.name for unit in queries.units_on_offer()} if answers.other_sites else {}
    anywhere = {ANY: _("Any maternity unit of the group")}
    elsewhere = [(anywhere | sites).get(each, "") for each in answers.other_sites]
    return told(
        (_("Expected on"), short_day(answers.due_on)),
        (_("First day of the last period"), short_day(answers.last_period_on) if answers.last_period_on else ""),
        (_("Start of pregnancy"), short_day(answers.began_on) if answers.began_on else ""),
        (_("Babies"), _("Twins or more") if answers.multiple else _("One")),
        (_("Follow-up wished"), FOLLOW_UPS[answers.follow_up]),
        (_("Other parent"), answers.second_parent),
        (_("Elsewhere if needed"), ", ".join(filter(None, elsewhere))),
    )


STEP = Step(
    "maternity",
    "naissance",
    _l("The birth"),
    _l("Birth"),
    MaternityForm,
    _rows,
    _l("What the admissions office needs to keep a place. Questions about your health come from the midwives."),
)
