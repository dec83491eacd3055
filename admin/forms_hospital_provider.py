"""A hospital's own identity provider, as its administrator sets it."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, RadioField, StringField
from wtforms.validators import Length

from auth.hospital_providers.actions import Draft, ProviderUnsafe
from auth.hospital_providers.models import HospitalProvider
from portal.web.fields import choices
from portal.web.forms import INSIDE, Form, Required

MAKES = ("Keycloak", "ADFS", "Entra ID")
TROUBLES = {
    "address": _l("Write an address that starts with https:// and that the Internet or the hospital’s network knows"),
    "inside": INSIDE,
    "national": _l("This is a national provider: it is set up for the whole portal, not for one hospital"),
    "elsewhere": _l("The provider must publish itself under its own issuer"),
    "secret": _l("Give the secret that the provider made for this portal"),
    "proof": _l("Say which values prove two factors"),
}
"""What is wrong with a setting, by the reason of ProviderUnsafe."""
_TOO_LONG = Length(max=500, message=_l("This is too long"))


class HospitalProviderForm(Form):
    """Where the hospital's agents prove who they are."""

    label = StringField(
        _l("What the button says"),
        [Required(), Length(max=60, message=_l("Sixty characters at most"))],
        description=_l("For example: my hospital account"),
    )
    issuer = StringField(
        _l("Issuer"),
        [Required(), _TOO_LONG],
        description=_l("To the letter, for example https://accounts.hospital.example/realms/staff"),
    )
    discovery_url = StringField(
        _l("Discovery address"),
        [_TOO_LONG],
        description=_l("Only when it is not the issuer followed by /.well-known/openid-configuration"),
    )
    client_id = StringField(_l("Client identifier"), [Required(), _TOO_LONG])
    client_secret = PasswordField(_l("Client secret"), [_TOO_LONG])
    proof_claim = RadioField(
        _l("What proves two factors"),
        choices=choices(
            [
                ("amr", _l("The methods used (amr), as with ADFS or Entra ID")),
                ("acr", _l("A level (acr), as with Keycloak")),
            ]
        ),
        validators=[Required()],
        default="amr",
    )
    proof_values = StringField(
        _l("Accepted values"),
        [Required(_l("Say which values prove two factors")), _TOO_LONG],
        description=_l("Separated by spaces. A sign-in without any of them is refused."),
        default="mfa",
    )
    acr_values = StringField(
        _l("Levels to ask for (acr_values)"), [_TOO_LONG], description=_l("Often nothing; with Keycloak, the level")
    )
    scopes = StringField(_l("Scopes"), [_TOO_LONG], default="openid profile email")
    signing_alg = RadioField(
        _l("Signature of the tokens"),
        choices=choices([("RS256", "RS256"), ("ES256", "ES256")]),
        validators=[Required()],
        default="RS256",
    )

    @classmethod
    def showing(cls, provider: HospitalProvider | None) -> "HospitalProviderForm":
        """The form, filled with what is set; never with the secret."""
        if provider is None:
            return cls()
        shown = ("label", "issuer", "discovery_url", "client_id", "proof_claim", "acr_values", "scopes", "signing_alg")
        known = {name: getattr(provider, name) for name in shown}
        return cls(data=known | {"proof_values": " ".join(provider.proof_values)})

    def draft(self) -> Draft:
        texts = ("label", "issuer", "discovery_url", "client_id", "client_secret", "signing_alg", "proof_claim")
        given: dict[str, Any] = {name: (self[name].data or "").strip() for name in (*texts, "acr_values", "scopes")}
        return Draft(**given, proof_values=(self.proof_values.data or "").replace(",", " ").split())

    def tell(self, refused: ProviderUnsafe) -> None:
        """Put the trouble beside its field."""
        self[refused.setting].errors = [TROUBLES[refused.reason]]
