"""Compulsory and complementary health cover. Nobody is kept from sending their file for want of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import Length, Optional, Regexp, ValidationError

from auth.identity import nir
from auth.identity.nir import NotANir
from portal.web.fields import DateParts, choices
from portal.web.forms import Required
from portal.web.ui import long_day
from services.preadmission.answers import Coverage
from services.preadmission.asked import Facts, has_own_card
from services.preadmission.models import Preadmission
from services.preadmission.steps.step import Rows, Step, StepForm, text, told

AMO_KINDS: Final[Mapping[str, Any]] = {
    "french": _l("Yes, with the French health insurance"),
    "ame": _l("Yes, the State medical aid (AME)"),
    "european": _l("Yes, in another European country"),
    "convention": _l("Yes, in another country, with a form for care in France"),
    "none": _l("No, or I do not know"),
}
AMC_KINDS: Final[Mapping[str, Any]] = {
    "private": _l("Yes, a mutuelle or another insurer"),
    "c2s": _l("Yes, the Complémentaire santé solidaire (C2S)"),
    "none": _l("No"),
}
INSURED: Final[Mapping[str, Any]] = {
    "self": _l("My own"),
    "parent": _l("That of a parent"),
    "spouse": _l("That of my husband, wife or partner"),
    "other": _l("Somebody else’s"),
}
EXEMPTIONS: Final[Mapping[str, Any]] = {
    "none": _l("No, or I do not know"),
    "long_illness": _l("Yes, for a long illness (ALD)"),
    "disability": _l("Yes, for a disability or a work accident pension"),
    "other": _l("Yes, for another reason"),
}
_DIGITS = _l("Write only digits")


def _until(label: Any) -> DateParts:
    return DateParts(label, validators=[Optional()])


class CoverageForm(StepForm):
    """Each choice has its own questions, and those of the choices that were not made are dropped."""

    amo_kind = RadioField(
        _l("Do you have health insurance?"),
        choices=choices(AMO_KINDS.items()),
        validators=[Required(_l("Say whether you have health insurance."))],
    )
    nir = StringField(
        _l("Social security number"),
        validators=[Length(max=40)],
        description=_l("15 digits, on the carte Vitale. If you do not have it at hand, leave this empty."),
    )
    insured = RadioField(
        _l("Whose number is it?"), choices=choices(INSURED.items()), default="self", validators=[Optional()]
    )
    insured_name = StringField(_l("Name of the insured person"), validators=[Length(max=200)])
    insured_born_on = DateParts(_l("Their date of birth"), validators=[Optional()])
    scheme = StringField(_l("Scheme (régime), 2 digits"), validators=[Optional(), Regexp(r"^\d{2}$", message=_DIGITS)])
    fund = StringField(_l("Fund (caisse), 3 digits"), validators=[Optional(), Regexp(r"^\d{3}$", message=_DIGITS)])
    centre = StringField(_l("Centre, 4 digits"), validators=[Optional(), Regexp(r"^\d{4}$", message=_DIGITS)])
    exemption = SelectField(
        _l("Is your care paid in full by the health insurance?"),
        choices=choices(EXEMPTIONS.items()),
        default="none",
        validators=[Optional()],
    )
    french_until = _until(_l("Your rights run until"))
    ame_until = _until(_l("Your AME card is valid until"))
    european_until = _until(_l("Your European card is valid until"))
    convention_until = _until(_l("Your form is valid until"))
    amc_kind = RadioField(
        _l("Do you have complementary cover?"),
        choices=choices(AMC_KINDS.items()),
        validators=[Required(_l("Say whether you have complementary cover."))],
    )
    amc_name = StringField(_l("Name of your mutuelle or insurer"), validators=[Length(max=200)])
    amc_number = StringField(
        _l("AMC number"), validators=[Optional(), Length(max=20)], description=_l("8 to 10 digits, on your card")
    )
    member_number = StringField(_l("Your member number"), validators=[Length(max=50)])
    private_until = _until(_l("Your card is valid until"))
    c2s_until = _until(_l("Your C2S is valid until"))

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        if answers is None:
            return {}
        return {
            **dict(answers),
            "nir": nir.spelled(answers.nir) if answers.nir else "",
            f"{answers.amo_kind}_until": answers.rights_until,
            f"{answers.amc_kind}_until": answers.amc_until,
        }

    def prepare(self, facts: Facts) -> None:
        """A young child is covered by a parent."""
        self.facts = facts
        if not self.is_submitted() and not has_own_card(facts) and self.insured.data == "self":
            self.insured.data = "parent"

    @property
    def is_french(self) -> bool:
        return bool(self.amo_kind.data == "french")

    def validate_nir(self, field: Any) -> None:
        if not self.is_french or not text(field):
            return
        try:
            nir.parse(field.data)
        except NotANir as wrong:
            raise ValidationError(_("This number does not exist: check its 15 digits, key included")) from wrong

    def validate_insured(self, field: Any) -> None:
        if self.is_french and text(self.nir) and field.data == "self" and not has_own_card(self.facts):
            raise ValidationError(_("A child has no number of their own before 16: choose whose number it is"))

    def validate_insured_name(self, field: Any) -> None:
        if self.is_french and text(self.nir) and self.insured.data != "self" and not text(field):
            raise ValidationError(_("Write the name of the person whose number it is"))

    def validate_amc_name(self, field: Any) -> None:
        if self.amc_kind.data == "private" and not text(field):
            raise ValidationError(_("Write the name of your mutuelle or insurer"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Dates of what was chosen: on the day of the stay, cover that is over is worth nothing."""
        valid = super().validate(extra_validators)
        for field in (self._amo_until(), self._amc_until()):
            if field is not None and not field.errors and field.data and field.data < self.facts.planned_on:
                words = _("This ends before your stay. Renew it, or leave the date empty and bring the new paper.")
                field.errors = [*field.errors, words]
                valid = False
        return bool(valid)

    def _amo_until(self) -> Any:
        return self._fields.get(f"{self.amo_kind.data}_until")

    def _amc_until(self) -> Any:
        return self._fields.get(f"{self.amc_kind.data}_until")

    def answers(self) -> Coverage:
        return Coverage(
            amo_kind=self.amo_kind.data,
            rights_until=_day(self._amo_until()),
            **(self._french() if self.is_french else {}),
            amc_kind=self.amc_kind.data,
            amc_until=_day(self._amc_until()),
            **(self._private() if self.amc_kind.data == "private" else {}),
        )

    def _french(self) -> dict[str, Any]:
        other = self.insured.data not in (None, "", "self")
        return {
            "nir": nir.parse(text(self.nir)) if text(self.nir) else "",
            "insured": self.insured.data or "self",
            "insured_name": text(self.insured_name) if other else "",
            "insured_born_on": self.insured_born_on.data if other else None,
            "scheme": text(self.scheme),
            "fund": text(self.fund),
            "centre": text(self.centre),
            "exemption": self.exemption.data or "none",
        }

    def _private(self) -> dict[str, Any]:
        return {
            "amc_name": text(self.amc_name),
            "amc_number": text(self.amc_number),
            "member_number": text(self.member_number),
        }


def _day(field: Any) -> date | None:
    return field.data if field is not None else None


def _rows(answers: Coverage) -> Rows:
    """The number is masked: who may read it whole asks for it, and that is written down."""
    return _told(answers, nir.masked(answers.nir) if answers.nir else "")


def _own_rows(answers: Coverage) -> Rows:
    """One checks one's own number whole."""
    return _told(answers, nir.spelled(answers.nir) if answers.nir else "")


def _told(answers: Coverage, number: str) -> Rows:
    fund = " ".join(filter(None, (answers.scheme, answers.fund, answers.centre)))
    return told(
        (_("Health insurance"), AMO_KINDS[answers.amo_kind]),
        (_("Social security number"), number),
        (_("Whose number it is"), _insured(answers) if answers.insured != "self" else ""),
        (_("Scheme, fund, centre"), fund),
        (_("Paid in full"), EXEMPTIONS[answers.exemption] if answers.exemption != "none" else ""),
        (_("Rights until"), long_day(answers.rights_until) if answers.rights_until else ""),
        (_("Complementary cover"), AMC_KINDS[answers.amc_kind]),
        (_("Insurer"), answers.amc_name),
        (_("AMC number"), answers.amc_number),
        (_("Member number"), answers.member_number),
        (_("Complementary cover until"), long_day(answers.amc_until) if answers.amc_until else ""),
    )


def _insured(answers: Coverage) -> str:
    born = long_day(answers.insured_born_on) if answers.insured_born_on else ""
    return ", ".join(filter(None, (str(INSURED[answers.insured]), answers.insured_name, born)))


STEP = Step(
    "coverage",
    "prise-en-charge",
    _l("Your health cover"),
    _l("Health cover"),
    CoverageForm,
    _rows,
    _l("Who pays for your care. If you have no cover, or do not know, say so: you will be received all the same."),
    _own_rows,
)
