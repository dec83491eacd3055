"""Compulsory and complementary health cover."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.validators import Length, ValidationError

from auth.identity import nir
from auth.identity.nir import NotANir
from portal.web.fields import choices
from portal.web.forms import Required
from services.preadmission.answers import Coverage
from services.preadmission.steps.base import Rows, Step, StepForm, text, told

AMO_KINDS = {
    "french": _l("Yes, with the French health insurance"),
    "ame": _l("Yes, the State medical aid (AME)"),
    "european": _l("Yes, in another European country"),
    "convention": _l("Yes, in another country, with a form for care in France"),
    "none": _l("No, or I do not know"),
}
AMC_KINDS = {
    "private": _l("Yes, a mutuelle or another insurer"),
    "c2s": _l("Yes, the Complémentaire santé solidaire (C2S)"),
    "none": _l("No"),
}


class CoverageForm(StepForm):
    amo_kind = RadioField(
        _l("Do you have health insurance?"),
        choices=choices(AMO_KINDS.items()),
        validators=[Required(_l("Say whether you have health insurance."))],
    )
    nir = StringField(
        _l("Social security number"),
        description=_l("15 digits, on your carte Vitale. For a child, the number of the parent who covers them."),
    )
    amc_kind = RadioField(
        _l("Do you have complementary cover?"),
        choices=choices(AMC_KINDS.items()),
        validators=[Required(_l("Say whether you have complementary cover."))],
    )
    amc_name = StringField(_l("Name of your mutuelle or insurer"), validators=[Length(max=200)])
    member_number = StringField(_l("Your member number"), validators=[Length(max=50)])

    def validate_nir(self, field: Any) -> None:
        if not text(field) or self.amo_kind.data != "french":
            return
        try:
            nir.parse(field.data)
        except NotANir as wrong:
            raise ValidationError(_("This number does not exist: check its 15 digits, key included")) from wrong

    def validate_amc_name(self, field: Any) -> None:
        if self.amc_kind.data == "private" and not text(field):
            raise ValidationError(_("Write the name of your mutuelle or insurer"))

    def answers(self) -> Coverage:
        """What belongs to a choice that was not made is dropped."""
        french, private = self.amo_kind.data == "french", self.amc_kind.data == "private"
        return Coverage(
            amo_kind=self.amo_kind.data,
            nir=nir.parse(self.nir.data) if french and text(self.nir) else "",
            amc_kind=self.amc_kind.data,
            amc_name=text(self.amc_name) if private else "",
            member_number=text(self.member_number) if private else "",
        )


def _rows(answers: Coverage) -> Rows:
    """The number is masked: who may read it whole asks for it, and that is written down."""
    return told(
        (_("Health insurance"), AMO_KINDS[answers.amo_kind]),
        (_("Social security number"), nir.masked(answers.nir) if answers.nir else ""),
        (_("Complementary cover"), AMC_KINDS[answers.amc_kind]),
        (_("Insurer"), answers.amc_name),
        (_("Member number"), answers.member_number),
    )


STEP = Step("coverage", "prise-en-charge", _l("Your health cover"), _l("Health cover"), CoverageForm, _rows)
