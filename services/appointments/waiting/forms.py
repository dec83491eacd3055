"""What suits those who wait: shape and wording."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import AnyOf, Length, Optional, ValidationError

from portal import calendar, db
from portal.establishments import Practitioner
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.appointments import wishes
from services.appointments.models import Reason
from services.appointments.waiting import states
from services.appointments.waiting.actions import FURTHEST, Asked
from services.appointments.waiting.wording import NOTICES, WHY
from services.appointments.wishes import Wishes
from services.appointments.wishes.wording import HALVES, WEEKDAYS


class WaitingForm(OnceForm):
    """What suits somebody who waits for an earlier time."""

    appointment = HiddenField()
    reason = HiddenField()
    patient_id = RadioField(_l("Who is it for?"), [Optional()], choices=[], validate_choice=False)
    until_on = DateParts(
        _l("Until which day is an earlier time worth it?"),
        [Optional()],
        description=_l("Nothing: any day before the visit, within six months."),
    )
    weekdays = SelectMultipleField(
        _l("Which days of the week?"),
        choices=choices((str(day), WEEKDAYS[day]) for day in wishes.WEEKDAYS if day < 6),
        description=_l("Choose none if any day suits you."),
    )
    half = RadioField(
        _l("At what time of the day?"),
        [AnyOf(wishes.HALVES)],
        choices=choices(HALVES.items()),
        default="",
        validate_choice=False,
    )
    practitioners = SelectMultipleField(
        _l("With whom?"), choices=[], description=_l("Choose none if any of them suits you.")
    )
    notice = SelectField(
        _l("How long before the visit do you need to know?"),
        [Required(_l("Choose how long before"))],
        choices=choices((str(hours), words) for hours, words in NOTICES.items()),
        default="24",
    )

    def offer(self, practitioners: Sequence[Practitioner], people: Mapping[str, str] | None = None) -> None:
        self.practitioners.choices = choices((str(each.id), each.full_name) for each in practitioners)
        self.patient_id.choices = choices((people or {}).items())

    @property
    def asked(self) -> Asked:
        last = self.until_on.data
        spans = [(date.min, last)] if last else []
        wished = Wishes(spans, [int(day) for day in self.weekdays.data or []], self.half.data or "")
        return Asked(wished, int(self.notice.data), tuple(UUID(each) for each in self.practitioners.data or []))

    def validate_until_on(self, field: Any) -> None:
        now = db.now()
        if field.data and not calendar.earliest_day(now) <= field.data <= calendar.latest_day(now) + FURTHEST:
            raise ValidationError(_("Give a day to come, within six months"))


class PutFirstForm(Form):
    """Why an agent puts somebody before the others."""

    why = SelectField(
        _l("Why before the others?"),
        [Required(_l("Choose a reason: it is written in the journal."))],
        choices=choices([("", _l("Choose…")), *((code, WHY[code]) for code in states.FIRST_BECAUSE)]),
    )


class WhoForm(Form):
    """A person on the phone, by their number at the hospital."""

    reason = SelectField(_l("What do they wait for?"), [Required(_l("Choose what they wait for"))])
    ipp = StringField(_l("Patient number (IPP)"), [Required(_l("Give the patient number")), Length(max=30)])

    def offer(self, reasons: Sequence[Reason]) -> None:
        self.reasons = {str(each.id): each for each in reasons}
        offered = choices([("", _("Choose…")), *((key, each.name) for key, each in self.reasons.items())])
        for choice, each in zip(offered[1:], reasons, strict=True):
            choice.optgroup = f"{each.unit.name} – {each.unit.establishment.name}"
        self.reason.choices = offered
