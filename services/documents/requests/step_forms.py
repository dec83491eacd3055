"""What applicants fill in, step by step: each form says what it keeps of it (`facts`) and shows it again (`shown`)."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal import calendar, db
from portal.web.fields import DateParts, choices
from portal.web.forms import OnceForm, Required
from services.documents.requests import wording
from services.documents.requests.forms import TEXT, plain
from services.documents.requests.models import RecordRequest

_LINE = Length(max=200, message=_l("Write 200 characters at most."))
_HOUR = re.compile(r"([01]?\d|2[0-3])[:hH]([0-5]\d)")


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


class PastDay:
    """Not after the hospital's day."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data and (field.data > form.today or field.data.year < 1900):
            raise ValidationError(_("Give a day that has passed"))


class StepForm(OnceForm):
    """One step of a request. `today`: the hospital's."""

    today: date = date.max

    @classmethod
    def of(cls, request: RecordRequest, held: MultiDict[str, str] | None = None) -> "StepForm":
        """The form with what was kept, or what was typed before the session ended; a post reads itself."""
        form = cls(formdata=held) if held else cls(data=cls.shown(request))
        form.about(request)
        return form

    def about(self, request: RecordRequest) -> None:
        """What depends on the request."""
        self.today = calendar.civil_day(db.now(), request.establishment.tz)

    @classmethod
    def shown(cls, request: RecordRequest) -> dict[str, Any]:
        """What was kept of this step."""
        dated = {name: _day(value) for name, value in request.facts.items() if name.endswith("_on")}
        return {**request.facts, **dated, "text": request.text}

    needs: tuple[str, ...] = ()
    """Without these a step was never kept: a step is kept whole, or not at all."""

    @classmethod
    def is_kept(cls, request: RecordRequest) -> bool:
        """Whether this step was filled in."""
        return all(request.facts.get(name) or getattr(request, name, None) for name in cls.needs)

    def facts(self) -> Mapping[str, Any]:
        """What the step keeps, in codes, days and short texts."""
        return {}

    def columns(self) -> Mapping[str, Any]:
        """What it keeps elsewhere."""
        return {}


class ApplicantForm(StepForm):
    """Whose file, and as what. Traits of somebody who died are typed: they search for nobody."""

    secret = BooleanField(_l("I am a minor, and I ask that my parents are not told of this request"))

    def about(self, request: RecordRequest) -> None:
        super().about(request)
        if not is_minor(request):
            del self.secret

    @classmethod
    def shown(cls, request: RecordRequest) -> dict[str, Any]:
        return {"secret": request.masked}

    def columns(self) -> Mapping[str, Any]:
        return {"masked": bool(self.secret.data)} if "secret" in self else {}


class HeirForm(StepForm):
    """A relative of somebody who died (CSP L1110-4)."""

    needs = ("birth_name", "death_on", "motive")

    birth_name = StringField(
        _l("Birth name of the person who died"), [Required(_l("Write their birth name.")), _LINE, plain]
    )
    first_name = StringField(_l("Their first name"), [Required(_l("Write their first name.")), _LINE, plain])
    birth_on = DateParts(_l("Their birth date"), [InputRequired(_l("Write their birth date.")), PastDay()])
    death_on = DateParts(_l("The day they died"), [InputRequired(_l("Write the day they died.")), PastDay()])
    bond = RadioField(
        _l("You are their"), [Required(_l("Say who you are to them."))], choices=choices(wording.BONDS.items())
    )
    motive = RadioField(
        _l("Why do you ask?"),
        [Required(_l("Choose why you ask: the law lets relatives know for these three reasons."))],
        choices=choices(wording.MOTIVES.items()),
        description=_l("You receive what answers this reason, unless the person had opposed it."),
    )

    def validate_death_on(self, field: Any) -> None:
        if field.data and self.birth_on.data and field.data < self.birth_on.data:
            raise ValidationError(_("This day is before their birth: check both dates"))

    @classmethod
    def shown(cls, request: RecordRequest) -> dict[str, Any]:
        return {
            **super().shown(request),
            "birth_name": request.birth_name,
            "first_name": request.first_name,
            "birth_on": request.birth_on,
        }

    def facts(self) -> Mapping[str, Any]:
        return {"death_on": _iso(self.death_on.data), "bond": self.bond.data, "motive": self.motive.data}

    def columns(self) -> Mapping[str, Any]:
        return {
            "birth_name": _words(self.birth_name.data).upper(),
            "first_name": _words(self.first_name.data),
            "birth_on": self.birth_on.data,
        }


class ContentsForm(StepForm):
    """Which part of the file."""

    needs = ("extent",)

    extent = RadioField(
        _l("What would you like?"),
        [Required(_l("Choose the whole file, or a period."))],
        choices=choices(wording.EXTENTS.items()),
    )
    from_on = DateParts(_l("From"), [Optional(), PastDay()])
    until_on = DateParts(_l("To"), [Optional(), PastDay()], description=_l("Leave empty if it goes on until today"))
    pieces = SelectMultipleField(
        _l("Which documents?"), [Required(_l("Tick at least one box."))], choices=choices(wording.PIECES.items())
    )
    text = TextAreaField(
        _l("Precisions"),
        [Optional(), TEXT, plain],
        description=_l("A unit, a doctor, an examination: whatever helps to find it"),
    )

    def validate_from_on(self, field: Any) -> None:
        if self.extent.data == "period" and not field.data and not field.errors:
            raise ValidationError(_("Say when the period begins, even roughly"))

    def validate_until_on(self, field: Any) -> None:
        if field.data and self.from_on.data and field.data < self.from_on.data:
            raise ValidationError(_("The end is before the beginning: check both dates"))

    def facts(self) -> Mapping[str, Any]:
        whole = self.extent.data == "all"
        return {
            "extent": self.extent.data,
            "from_on": None if whole else _iso(self.from_on.data),
            "until_on": None if whole else _iso(self.until_on.data),
            "pieces": list(self.pieces.data or ()),
        }

    def columns(self) -> Mapping[str, Any]:
        return {"text": (self.text.data or "").strip()}


class DeliveryForm(StepForm):
    """How the copy is handed over."""

    needs = ("delivery",)

    delivery = RadioField(
        _l("How would you like to receive it?"),
        [Required(_l("Choose how you receive it."))],
        choices=choices(wording.DELIVERIES.items()),
    )
    address = TextAreaField(_l("Postal address"), [Length(max=400), plain], description=_l("Yours, or the doctor’s"))
    doctor = StringField(_l("Name of the doctor"), [_LINE, plain])

    def validate_address(self, field: Any) -> None:
        if self.delivery.data in ("post", "doctor") and not (field.data or "").strip():
            raise ValidationError(_("Write the address it is to be sent to."))

    def validate_doctor(self, field: Any) -> None:
        if self.delivery.data == "doctor" and not _words(field.data):
            raise ValidationError(_("Write the name of the doctor."))

    def facts(self) -> Mapping[str, Any]:
        way = self.delivery.data
        return {
            "delivery": way,
            "address": (self.address.data or "").strip() if way in ("post", "doctor") else "",
            "doctor": _words(self.doctor.data) if way == "doctor" else "",
        }


class StayForm(StepForm):
    """The stay to certify."""

    needs = ("admitted_on",)

    admitted_on = DateParts(_l("Day of admission"), [InputRequired(_l("Write the day of admission.")), PastDay()])
    discharged_on = DateParts(
        _l("Day of discharge"), [Optional(), PastDay()], description=_l("Leave empty if the stay goes on")
    )
    for_whom = SelectField(
        _l("For whom?"),
        [Required(_l("Choose for whom it is."))],
        choices=choices([("", _l("Choose…")), *wording.FOR_WHOM.items()]),
    )
    text = TextAreaField(_l("Precisions"), [Optional(), TEXT, plain])

    def validate_discharged_on(self, field: Any) -> None:
        if field.data and self.admitted_on.data and field.data < self.admitted_on.data:
            raise ValidationError(_("The end is before the beginning: check both dates"))

    def facts(self) -> Mapping[str, Any]:
        return {
            "admitted_on": _iso(self.admitted_on.data),
            "discharged_on": _iso(self.discharged_on.data),
            "for_whom": self.for_whom.data,
        }

    def columns(self) -> Mapping[str, Any]:
        return {"text": (self.text.data or "").strip()}


def hour(_form: Any, field: Any) -> None:
    """`9:30` or `9h30`."""
    if field.data and not _HOUR.fullmatch(field.data.strip()):
        raise ValidationError(_("Write an hour, such as 9:30"))


def _hour(text: str | None) -> str:
    found = _HOUR.fullmatch((text or "").strip())
    return f"{int(found[1]):02}:{found[2]}" if found else ""


class VisitForm(StepForm):
    """The visit to certify."""

    needs = ("visit_on",)

    visit_on = DateParts(_l("Day of the visit"), [InputRequired(_l("Write the day of the visit.")), PastDay()])
    from_at = StringField(_l("From"), [Optional(), hour], description=_l("For example 9:30"))
    until_at = StringField(_l("To"), [Optional(), hour])
    companion = StringField(
        _l("Name of the person who came along"),
        [Optional(), _LINE, plain],
        description=_l("Only if the certificate is for them: a parent, a carer"),
    )
    for_whom = SelectField(
        _l("For whom?"),
        [Required(_l("Choose for whom it is."))],
        choices=choices([("", _l("Choose…")), *wording.FOR_WHOM.items()]),
    )

    def validate_until_at(self, field: Any) -> None:
        begins, ends = _hour(self.from_at.data), _hour(field.data)
        if begins and ends and ends < begins:
            raise ValidationError(_("The end is before the beginning: check both hours"))

    def facts(self) -> Mapping[str, Any]:
        return {
            "visit_on": _iso(self.visit_on.data),
            "from_at": _hour(self.from_at.data),
            "until_at": _hour(self.until_at.data),
            "companion": _words(self.companion.data),
            "for_whom": self.for_whom.data,
        }


class ComplaintForm(StepForm):
    """Something to say to the hospital's management and its users' commission (CSP R1112-91 ff.)."""

    needs = ("text", "mediation")

    text = TextAreaField(_l("What happened?"), [Required(_l("Write what happened.")), TEXT, plain])
    place = StringField(_l("Where?"), [Optional(), _LINE, plain], description=_l("A unit, a desk, a building"))
    when_on = DateParts(_l("When?"), [Optional(), PastDay()])
    anonymous = BooleanField(_l("Do not give my name to the unit"))
    answer_expected = BooleanField(_l("I expect an answer"), default=True)
    mediation = RadioField(
        _l("Would you like to meet a mediator?"),
        [Required(_l("Say whether you would like to meet a mediator."))],
        choices=choices(wording.MEDIATIONS.items()),
        default="none",
        description=_l(
            "A mediator listens to you, with whomever you choose, within eight days whenever possible, and reports to"
            " the users’ commission."
        ),
    )

    def facts(self) -> Mapping[str, Any]:
        return {
            "place": _words(self.place.data),
            "when_on": _iso(self.when_on.data),
            "anonymous": bool(self.anonymous.data),
            "answer_expected": bool(self.answer_expected.data),
            "mediation": self.mediation.data,
        }

    def columns(self) -> Mapping[str, Any]:
        return {"text": (self.text.data or "").strip()}


class ThanksForm(StepForm):
    """A kind word."""

    needs = ("text",)

    text = TextAreaField(_l("Your message"), [Required(_l("Write your message.")), TEXT, plain])
    place = StringField(_l("For which team?"), [Optional(), _LINE, plain])
    may_pass_on = BooleanField(_l("You may pass it on to the team"), default=True)
    anonymous = BooleanField(_l("Do not give my name to the unit"))

    def facts(self) -> Mapping[str, Any]:
        return {
            "place": _words(self.place.data),
            "may_pass_on": bool(self.may_pass_on.data),
            "anonymous": bool(self.anonymous.data),
        }

    def columns(self) -> Mapping[str, Any]:
        return {"text": (self.text.data or "").strip()}


STEPS: Final[Mapping[str, type[StepForm]]] = {
    "contents": ContentsForm,
    "delivery": DeliveryForm,
    "stay": StayForm,
    "visit": VisitForm,
    "complaint": ComplaintForm,
    "thanks": ThanksForm,
}


def step_form(request: RecordRequest, step: str) -> type[StepForm]:
    """The form of a step; the first one of a medical file depends on who asks."""
    if step == "applicant":
        return HeirForm if request.quality == "heir" else ApplicantForm
    return STEPS[step]


def is_minor(request: RecordRequest) -> bool:
    """Whether the patient applies in person before their majority (CSP R1111-6)."""
    if request.quality != "patient" or request.birth_on is None:
        return False
    today, born = calendar.civil_day(db.now(), request.establishment.tz), request.birth_on
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < 18
