"""What is typed about invitations."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import AnyOf, InputRequired, Length, Optional, Regexp

from portal.web.fields import DateParts, choices
from portal.web.forms import Form, OnceForm, Required
from services.preadmission.actions import Stay
from services.preadmission.invitations.actions import Expected
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.wording import STAY_KINDS as KIND_WORDS

_ADDRESS = r"[^@\s]+@[^@\s]+\.[^@\s]+$"


class CodeForm(Form):
    """The code of the letter or of the mail."""

    code = StringField(
        _l("Code of your invitation"),
        [Required(), Length(max=40)],
        description=_l("12 letters and digits, such as KT7P-3XBN-42LM"),
    )


class InviteForm(OnceForm):
    """A stay that the hospital knows, and whom it expects."""

    unit_id = SelectField(_l("Unit"), [Required()])
    stay_kind = RadioField(
        _l("What is planned"), [Required(), AnyOf(STAY_KINDS)],
        choices=choices((kind, KIND_WORDS[kind]) for kind in STAY_KINDS),
    )  # fmt: skip
    planned_on = DateParts(_l("Day of the stay"), [InputRequired()])
    visit_number = StringField(_l("Visit number"), [Optional(), Length(max=40)])
    ipp = StringField(
        _l("Patient number (IPP)"),
        [Optional(), Length(max=40)],
        description=_l("Whoever has linked their account to the hospital finds the file in their space at once."),
    )
    birth_name = StringField(_l("Birth name"), [Required(), Length(max=100)])
    first_name = StringField(_l("First name"), [Required(), Length(max=100)])
    birth_on = DateParts(_l("Born on"), [InputRequired()])
    email = EmailField(
        _l("E-mail address"),
        [Optional(), Length(max=200), Regexp(_ADDRESS, message=_l("Write an address such as name@example.fr"))],
        description=_l("Without an address, a letter is printed. The mail names neither the unit nor the day."),
    )

    def offer(self, units: Any) -> None:
        self.unit_id.choices = choices(
            (str(each.id), f"{each.name} – {each.establishment.short_name or each.establishment.name}")
            for each in units
        )

    def stay(self, unit_id: Any) -> Stay:
        assert self.planned_on.data is not None, "the form is valid"
        return Stay(unit_id, self.planned_on.data, self.stay_kind.data)

    def expected(self) -> Expected:
        assert self.birth_on.data is not None, "the form is valid"
        words = {name: (self[name].data or "").strip() for name in _TEXTS}
        return Expected(birth_on=self.birth_on.data, **words)


_TEXTS = ("birth_name", "first_name", "visit_number", "ipp", "email")


class EndForm(Form):
    """Why an invitation is taken back, or the stay cancelled."""

    reason = TextAreaField(_l("Why (the hospital alone reads it)"), [Optional(), Length(max=300)])
