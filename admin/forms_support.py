"""What an agent says before seeing somebody's screens, and the code that the person reads out."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import Length, StopValidation

from auth.support.actions import Why
from portal.web.fields import choices
from portal.web.forms import Form, OnceForm, Required

KINDS: Mapping[str, Any] = {
    "cannot_find": _l("The person does not find something"),
    "does_not_work": _l("A page does not work for them"),
    "does_not_understand": _l("They do not understand what a page says"),
    "complaint": _l("They complain of the portal"),
    "other": _l("Another reason"),
}
ALONE_KINDS: Mapping[str, Any] = {
    "written": _l("They wrote and cannot be reached"),
    "report": _l("A fault that they reported is being looked for"),
    "assistive": _l("They cannot use a telephone"),
    "other": _l("Another reason"),
}
PRESENCE: Mapping[str, Any] = {
    "phone": _l("Yes, they are on the phone now"),
    "alone": _l("No, I look without them"),
}
_SHORTEST = 15


class AskForm(OnceForm):
    """Why, and whether the person is on the phone; without them, why so."""

    kind = RadioField(
        _l("Why you need to see their screens"), [Required(_l("Choose why"))], choices=choices(KINDS.items())
    )
    words = TextAreaField(
        _l("What happens"),
        [Required(_l("Say in a sentence what happens")), Length(max=500)],
        description=_l("One sentence, without anything about their health. The auditors of the hospital read it."),
    )
    presence = RadioField(
        _l("Is the person with you?"), [Required(_l("Say whether they are on the phone"))],
        choices=choices(PRESENCE.items()),
    )  # fmt: skip
    alone_kind = RadioField(
        _l("Why without them"), choices=choices(ALONE_KINDS.items()), validate_choice=False, default=""
    )
    alone_words = TextAreaField(
        _l("Why it cannot wait for them"),
        [Length(max=500)],
        description=_l("Somebody else of the hospital reads each look made without the person."),
    )

    @property
    def why(self) -> Why:
        """What was answered; what is said of being alone counts only then."""
        kind, words = self.kind.data, self.words.data or ""
        if self.presence.data != "alone":
            return Why(kind, words)
        return Why(kind, words, self.alone_kind.data, self.alone_words.data or "")

    def validate_words(self, field: TextAreaField) -> None:
        """Enough for somebody else to judge."""
        if len((field.data or "").strip()) < _SHORTEST:
            raise StopValidation(_l("Say a little more: somebody must be able to judge it"))

    def validate_alone_kind(self, field: RadioField) -> None:
        """Needed without the person."""
        if self.presence.data == "alone" and field.data not in ALONE_KINDS:
            raise StopValidation(_l("Choose why you look without them"))

    def validate_alone_words(self, field: TextAreaField) -> None:
        """Needed without the person."""
        if self.presence.data == "alone" and len((field.data or "").strip()) < _SHORTEST:
            raise StopValidation(_l("Say a little more: somebody must be able to judge it"))


class CodeForm(Form):
    """Six digits."""

    code = StringField(
        _l("Code"),
        [Required(_l("Type the code that the person reads out")), Length(max=20)],
        description=_l("Six digits"),
    )
