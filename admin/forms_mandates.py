"""What an agent of the identity unit decides about a mandate."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Optional

from auth.mandates import states, wording
from auth.mandates.actions import Checked
from auth.mandates.models import Mandate
from auth.models import Patient
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, Required


class SearchForm(Form):
    """Another patient than those who bear what was typed."""

    name = StringField(_l("Birth name"), validators=[Optional(), Length(max=120)])
    born_on = DateParts(_l("Date of birth"), validators=[Optional()])


class CheckForm(Form):
    """Whose record it is, and what the proof says."""

    patient_id = RadioField(_l("Whose record is it?"), validators=[Required(_l("Choose the patient."))])
    scopes = SelectMultipleField(_l("What the proof allows"), validators=[InputRequired(_l("Tick at least one box."))])
    judged_on = DateParts(_l("Date of the judgement"), validators=[Optional()])
    ends_on = DateParts(_l("Last day of the measure"), validators=[Optional()])
    sole_authority = BooleanField(
        _l("Sole parental authority"), description=_l("Only with a judgement, a death or a single recognition")
    )

    def offer(self, mandate: Mandate, found: Sequence[tuple[Patient, str | None]]) -> None:
        """Say what may be chosen."""
        self.kind = mandate.kind
        self.patient_id.choices = choices((str(patient.id), patient.full_name) for patient, _ipp in found)
        self.scopes.choices = choices((code, wording.SCOPES[code]) for code in states.SCOPES_OF[mandate.kind])

    def validate(self, extra_validators: Any = None) -> bool:
        """A judgement has a date and a last day."""
        valid = bool(super().validate(extra_validators))
        if self.kind != "parent":
            for field, missing in (
                (self.judged_on, _l("Write the date of the judgement.")),
                (self.ends_on, _l("Write the last day of the measure: a measure always has one.")),
            ):
                if field.data is None and not field.errors:
                    field.errors = [missing]
                    valid = False
        return valid

    def checked(self) -> Checked:
        """What a valid form says."""
        judged = self.kind != "parent"
        return Checked(
            patient_id=UUID(self.patient_id.data),
            scopes=frozenset(self.scopes.data or ()),
            ends_on=self.ends_on.data if judged else None,
            judged_on=self.judged_on.data if judged else None,
            sole_authority=bool(self.sole_authority.data),
        )


class RefuseForm(Form):
    """Why a request is refused."""

    reason = SelectField(
        _l("Reason"),
        validators=[Required(_l("Choose a reason: the person will read it."))],
        choices=choices([("", _l("Choose…")), *((code, wording.REFUSALS[code]) for code in states.REFUSALS)]),
    )
