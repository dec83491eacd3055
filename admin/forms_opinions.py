"""What an agent decides of a comment about a service."""

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, TextAreaField
from wtforms.validators import Length, ValidationError

from portal.web.fields import choices
from portal.web.forms import Form, Required
from services.satisfaction.actions import LONGEST
from services.satisfaction.wording import REASONS

_DECISIONS = {
    "publish": _l("Let it through: the agents of the service read the words below"),
    "remove": _l("Remove it: nobody reads it, and it is erased now"),
}


class ScreeningForm(Form):
    """Let through what is left of it, or remove it."""

    decision = RadioField(
        _l("What becomes of it"), [Required(_l("Choose an answer"))], choices=choices(_DECISIONS.items())
    )
    words = TextAreaField(
        _l("Words that are let through"),
        [Length(max=2 * LONGEST)],
        description=_l(
            "The person’s own words: leave passages out, put […] in their place, and write nothing of your own."
        ),
    )
    reason = SelectField(
        _l("Why it is removed"), choices=choices([("", _l("Choose")), *REASONS.items()]), validate_choice=False
    )

    def validate_words(self, field: TextAreaField) -> None:
        if self.decision.data == "publish" and not (field.data or "").strip():
            raise ValidationError(_l("Nothing is left: remove the comment instead"))

    def validate_reason(self, field: SelectField) -> None:
        if self.decision.data == "remove" and field.data not in REASONS:
            raise ValidationError(_l("Say why"))
