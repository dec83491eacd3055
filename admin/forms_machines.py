"""Another system of the hospital, let in."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, IntegerField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional, StopValidation

from auth.agents.actions import NEEDS_TWO
from auth.machines import actions, keys
from auth.machines.keys import NotAKeySet
from auth.machines.scopes import SCOPES
from portal.web.fields import choices
from portal.web.forms import OnceForm, Required

_MOST_CALLS = 1_000_000


class MachineForm(OnceForm):
    """Who it is, what it may do, how it proves itself, until when."""

    establishment = SelectField(_l("Hospital"), [Required(_l("Choose the hospital"))])
    name = StringField(
        _l("Name of the system"),
        [Required(_l("Name the system")), Length(max=100)],
        description=_l("As the journal will call it, such as “Patient file, interface with the portal”"),
    )
    scopes = SelectMultipleField(
        _l("What it may do"),
        [Required(_l("Choose one thing at least"))],
        # What takes two administrators for a person is not one administrator's to give a machine: operators do.
        choices=choices((scope.code, scope.title) for scope in SCOPES if scope.right not in NEEDS_TWO),
    )
    quota = IntegerField(
        _l("Calls an hour, at most"),
        [
            Required(_l("Give a number of calls")),
            NumberRange(1, _MOST_CALLS, _l("Give a number between 1 and 1,000,000")),
        ],
        default=actions.QUOTA_PER_HOUR,
    )
    until = DateField(
        _l("Until"), [Optional()], description=_l("The day from which it is shut out; empty when nothing is planned")
    )
    jwks = TextAreaField(
        _l("Its public keys"),
        [Length(max=20_000)],
        description=_l("A JWKS document, for a system that signs (private_key_jwt). Empty: it gets a secret."),
    )
    key_set: dict[str, Any] | None = None

    def validate_jwks(self, field: TextAreaField) -> None:
        """Public halves of keys that we can use."""
        if not (field.data or "").strip():
            return
        try:
            self.key_set = keys.read_key_set(field.data or "")
        except NotAKeySet as error:
            raise StopValidation(
                _l("These are not public keys that we can use: EC P-256 or RSA, each with a “kid”")
            ) from error
