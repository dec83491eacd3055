"""What is typed about unusual accesses, reviews of rights and incidents."""

from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from wtforms import DateTimeLocalField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from admin.forms_figures import EARLIEST
from auth.oversight.actions import Report
from auth.oversight.models import EXPLAINED, REPORTED
from portal import db
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required

VERDICTS = {
    EXPLAINED: _l("It has a good reason"),
    REPORTED: _l("It was reported: somebody looks into it"),
}
INCIDENT_KINDS = {
    "access": _l("Somebody saw what they should not have"),
    "sending": _l("Something was sent to the wrong person"),
    "identity": _l("One person’s data with another’s (identity)"),
    "loss": _l("Data lost or damaged"),
    "outage": _l("The portal could not be used"),
    "attack": _l("Attack or malicious software"),
    "theft": _l("Account or device stolen"),
    "other": _l("Something else"),
}
RISKS = {
    "none": _l("No risk for anybody"),
    "some": _l("A risk for people: the CNIL must be told"),
    "high": _l("A high risk: the people must be told too"),
}
STEPS = {
    "note": _l("Something was done, or is now known"),
    "authority": _l("The CNIL was told"),
    "not_authority": _l("The CNIL need not be told"),
    "cert": _l("The ARS and CERT Santé were told"),
    "people": _l("The people concerned were told"),
}
STEP_WORDS = {
    **STEPS,
    "opened": _l("Written into the register"),
    "revised": _l("What is known was corrected"),
    "closed": _l("Closed"),
}


class JudgementForm(Form):
    """What an unusual access was."""

    state = RadioField(
        _l("What was it?"),
        [Required(_l("Choose an answer"))],
        choices=choices(VERDICTS.items()),
    )
    comment = TextAreaField(
        _l("Why"), [Required(_l("Say why")), Length(max=1000)], description=_l("No health data; no name of a patient.")
    )


class DecisionForm(Form):
    """One agent's rights: which are kept. Fields are added by the page, one a right."""


class IncidentForm(OnceForm):
    """What is known of an incident. Moments are on the hospital's clock: give it `zone`, then validate."""

    establishment = SelectField(_l("Hospital"))
    kind = SelectField(_l("What kind"), choices=choices(INCIDENT_KINDS.items()))
    title = StringField(_l("In a few words"), [Required(_l("Say it in a few words")), Length(max=150)])
    facts = TextAreaField(
        _l("What happened"),
        [Required(_l("Say what happened")), Length(max=4000)],
        description=_l("Which data, since when, how it was found. Nobody’s name: inspectors read this register."),
    )
    detected_at = DateTimeLocalField(
        _l("Known since"),
        [InputRequired(_l("Say when it was known"))],
        description=_l("The 72 hours to tell the CNIL are counted from here."),
    )
    risk = RadioField(_l("Risk for people"), [Required(_l("Choose an answer"))], choices=choices(RISKS.items()))
    people = IntegerField(
        _l("How many people are touched"),
        [Optional(), NumberRange(0, 100_000_000)],
        description=_l("Leave it empty while nobody knows."),
    )

    zone = ZoneInfo("Europe/Paris")

    def validate_detected_at(self, field: Any) -> None:
        if field.data is not None and field.data.date() < EARLIEST:
            raise ValidationError(_l("Choose a day between 2020 and today"))
        if field.data is not None and field.data.replace(tzinfo=self.zone) > db.now():
            raise ValidationError(_l("This moment has not come yet"))

    def report(self) -> Report:
        """What was typed, once it is valid."""
        assert self.detected_at.data is not None, "the form is valid"
        return Report(
            kind=self.kind.data,
            title=self.title.data or "",
            facts=self.facts.data or "",
            detected_at=self.detected_at.data.replace(tzinfo=self.zone),
            risk=self.risk.data,
            people=self.people.data,
        )


class StepForm(Form):
    """What was done about an incident."""

    kind = RadioField(_l("What"), [Required(_l("Choose an answer"))], choices=choices(STEPS.items()))
    words = TextAreaField(
        _l("In a few words"),
        [Required(_l("Say it in a few words")), Length(max=2000)],
        description=_l("The number of the declaration, who was called, why the CNIL need not be told…"),
    )


class ClosingForm(Form):
    """Why nothing more is to be done."""

    words = TextAreaField(_l("What was learnt"), [Required(_l("Say it in a few words")), Length(max=2000)])
