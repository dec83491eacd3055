"""Who holds parental authority over a child, and how the other holder signs the authorisation to operate."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, StringField, TelField
from wtforms.validators import Length, Optional, ValidationError

from portal import db
from portal.web.fields import choices
from portal.web.forms import EmailAddress, Required
from services.preadmission.answers import Holders, Situation
from services.preadmission.asked import Facts
from services.preadmission.models import Preadmission
from services.preadmission.steps.step import Rows, Step, StepForm, check_phone, phone_number, text, told

SIGNINGS: Mapping[str, Any] = {
    "online": _l("Online: we send them a link by e-mail"),
    "paper": _l("On paper, or at the hospital"),
}
SOLE: Mapping[str, Any] = {
    "judgement": _l("A judge decided so"),
    "death": _l("The other parent has died"),
    "recognition": _l("One parent alone recognised the child"),
}
THIRD: Mapping[str, Any] = {
    "welfare": _l("Child welfare services (aide sociale à l’enfance, ASE)"),
    "guardian": _l("A guardian named by the family council or the judge"),
    "delegate": _l("Somebody to whom a judge has delegated parental authority"),
}


class HoldersForm(StepForm):
    """Both parents, one alone, or somebody else: the situation has already said which."""

    first_name = StringField(
        _l("Your first name and name"),
        validators=[Required(_l("Write the name of the person who decides for this child.")), Length(max=200)],
    )
    second_first_name = StringField(
        _l("First name of the other parent"),
        validators=[Required(_l("Write the first name of the other parent.")), Length(max=100)],
    )
    second_name = StringField(
        _l("Family name of the other parent"),
        validators=[Required(_l("Write the family name of the other parent.")), Length(max=100)],
        description=_l("As on their identity document: it is compared when they sign."),
    )
    signing = RadioField(
        _l("How will they sign?"),
        choices=choices(SIGNINGS.items()),
        validators=[Required(_l("Say how the other parent will sign."))],
    )
    second_email = EmailField(_l("Their e-mail"))
    second_phone = TelField(_l("Their telephone"), validators=[Optional(), check_phone])
    why_sole = RadioField(
        _l("Why does one parent decide alone?"),
        choices=choices(SOLE.items()),
        validators=[Required(_l("Say why one parent decides alone."))],
    )
    third_kind = RadioField(
        _l("Who is in charge of this child?"),
        choices=choices(THIRD.items()),
        validators=[Required(_l("Say who is in charge of this child."))],
    )
    third_party = StringField(
        _l("Name of the person or of the service"),
        validators=[Required(_l("Write the name of the person or of the service.")), Length(max=200)],
    )
    third_phone = TelField(
        _l("Telephone of the person or of the service"),
        validators=[Required(_l("Write their telephone number.")), check_phone],
    )

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        """Whoever acts for the child is the first holder, until they say otherwise."""
        if answers is not None:
            return dict(answers)
        actor = db.current_actor()
        return {"first_name": actor.name if file.patient_id in actor.proxied else ""}

    def prepare(self, facts: Facts) -> None:
        """Only the questions of this situation."""
        situation = facts.given(Situation)
        authority = situation.authority if situation is not None else ""
        groups = {
            "both": ("first_name", "second_first_name", "second_name", "signing", "second_email", "second_phone"),
            "sole": ("first_name", "why_sole"),
            "third": ("third_kind", "third_party", "third_phone"),
        }
        kept = groups.get(authority, groups["both"])
        for name in {name for group in groups.values() for name in group} - set(kept):
            del self[name]
        if facts.stay_kind not in ("day_case", "inpatient") and "signing" in self:
            del self.signing  # nothing to authorise: the other parent is only told to the hospital

    def validate_second_email(self, field: Any) -> None:
        if text(field):
            EmailAddress()(self, field)
        elif "signing" in self and self.signing.data == "online":
            raise ValidationError(_("Write their e-mail address: the link goes there"))

    def answers(self) -> Holders:
        return Holders.model_validate({name: _value(self, name) for name in Holders.model_fields if name in self})


def _value(form: HoldersForm, name: str) -> str:
    return phone_number(form[name].data) if name.endswith("_phone") else text(form[name])


def _rows(answers: Holders) -> Rows:
    return told(
        (_("First holder"), answers.first_name),
        (_("Other holder"), answers.second),
        (_("E-mail of the other holder"), answers.second_email),
        (_("Telephone of the other holder"), answers.second_phone),
        (_("How they sign"), SIGNINGS.get(answers.signing, "")),
        (_("One parent alone"), SOLE.get(answers.why_sole, "")),
        (_("In charge of the child"), THIRD.get(answers.third_kind, "")),
        (_("Name"), answers.third_party),
        (_("Telephone"), answers.third_phone),
    )


STEP = Step(
    "holders",
    "autorite-parentale",
    _l("Parental authority"),
    _l("Parental authority"),
    HoldersForm,
    _rows,
    _l("One parent is enough to ask for the admission. An operation and an anaesthesia need the agreement of both."),
)
