"""Where bills come from and how they are paid, as the back-office types it."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import Length, Optional

from portal.establishments import Establishment
from portal.web.fields import DateParts, choices
from portal.web.forms import EmailAddress, Form, Required
from services.billing.sources.actions import Draft, SourceUnfit, StripeDraft, StripeUnfit
from services.billing.sources.models import BillSource

KIND_WORDS = {
    "regie": _l("Régie: bills before the titre"),
    "titre": _l("Titre: notices of sums to pay"),
    "private": _l("Private activity"),
}
ACCESS_WORDS = {
    "key": _l("The key printed on the letter"),
    "amount_birth": _l("The exact amount and the patient’s day of birth"),
    "none": _l("Nothing: these bills are paid from an account only"),
}
SAISIE_WORDS = {
    "T": _l("Test: no money moves"),
    "X": _l("Activation: one true payment, to open the client number"),
    "W": _l("Production"),
}
MEANS_WORDS = {
    "payfip": _l("PayFiP"),
    "stripe": _l("Stripe"),
    "payfip stripe": _l("PayFiP, then Stripe"),
    "stripe payfip": _l("Stripe, then PayFiP"),
    "": _l("None: nothing is paid online"),
}
TROUBLES = {
    "code": _l("Write a code of 40 letters, digits, dots or dashes at most, as the billing system sends it"),
    "taken": _l("Another source of this hospital has this code"),
    "numcli": _l("Write the six digits of PayFiP’s client number"),
    "saisie": _l("Choose PayFiP’s mode"),
    "test_mode": _l("The test mode takes no payment in production: choose activation or production"),
    "titre": _l("A titre is the public accountant’s: no Stripe, no several bills in one go, no reminder"),
}
"""What is wrong, by the reason of SourceUnfit."""

_SHORT = Length(max=200, message=_l("This is too long"))
_LONG = Length(max=2000, message=_l("This is too long"))


def _stripped(text: str | None) -> str:
    return (text or "").strip().replace("\x00", "")


class SourceForm(Form):
    """One source. Hospital, code and kind are asked for once: bills name them."""

    establishment = SelectField(_l("Hospital"), [Optional()], choices=choices([]))
    code = StringField(
        _l("Code"),
        [Required(_l("Write the code of this source")), _SHORT],
        filters=[_stripped],
        description=_l("As the billing system writes it on its bills. “regie”, “titre” or “private” makes it the"
                       " default of its kind. It cannot be changed later."),
    )  # fmt: skip
    kind = RadioField(
        _l("Kind of bills"),
        [Required(_l("Choose the kind of bills"))],
        choices=choices(KIND_WORDS.items()),
        description=_l("It cannot be changed later."),
    )
    name = StringField(
        _l("Name"),
        [Required(_l("Write the name that payers read")), _SHORT],
        filters=[_stripped],
        description=_l("As payers read it, for example Régie of consultations"),
    )
    means = RadioField(
        _l("Means of payment, in the order they are offered"), [Optional()], choices=choices(MEANS_WORDS.items())
    )
    numcli = StringField(
        _l("PayFiP client number"),
        [_SHORT],
        filters=[_stripped],
        description=_l("Six digits, one for each budget or régie"),
    )
    saisie = RadioField(_l("PayFiP mode"), [Optional()], choices=choices(SAISIE_WORDS.items()))
    several = BooleanField(
        _l("PayFiP takes several bills in one payment"),
        description=_l("Only if the régisseur agreed: one payment will bear the references of several bills."),
    )
    access = RadioField(
        _l("Beside the reference, what does a payer without an account type?"),
        [Required(_l("Choose what a payer without an account types"))],
        choices=choices(ACCESS_WORDS.items()),
        default="key",
    )
    reminds = BooleanField(_l("Remind patients of unpaid bills"))
    contact_name = StringField(_l("Who answers about these bills"), [_SHORT], filters=[_stripped])
    contact_phone = TelField(_l("Telephone"), [_SHORT], filters=[_stripped])
    contact_email = EmailField(_l("Email address"), [Optional(), _SHORT, EmailAddress()], filters=[_stripped])
    contact_hours = StringField(
        _l("Opening hours"),
        [_SHORT],
        filters=[_stripped],
        description=_l("For example, Monday to Friday, 9 am to 4 pm"),
    )
    difficulties = TextAreaField(
        _l("What to tell people who cannot pay"),
        [_LONG],
        filters=[_stripped],
        description=_l("Whom to call, the social service, what to bring"),
    )
    instalments = TextAreaField(
        _l("How to pay in several times"),
        [_LONG],
        filters=[_stripped],
        description=_l("Who agrees to it: the régie, or the Trésor for a titre"),
    )

    def for_new(self, places: Sequence[Establishment]) -> "SourceForm":
        """Choose among these hospitals; one alone is not asked about."""
        self.establishment.choices = choices([(place.finess, place.name) for place in places])
        if len(places) < 2:
            del self.establishment
        return self

    def for_one(self) -> "SourceForm":
        """What is chosen once is not asked for again."""
        del self.establishment, self.code, self.kind
        return self

    @classmethod
    def showing(cls, source: BillSource) -> "SourceForm":
        """What the source is now; a post says what it should be."""
        return cls(obj=_Shown(source)).for_one()

    def draft(self) -> Draft:
        """What was typed."""
        texts = ("name", "numcli", "access", "contact_name", "contact_phone", "contact_email", "contact_hours",
                 "difficulties", "instalments")  # fmt: skip
        once = {name: self[name].data or "" for name in ("code", "kind") if name in self}
        return Draft(
            **once,
            **{name: self[name].data or "" for name in texts},
            saisie=self.saisie.data or "",
            means=(self.means.data or "").split(),
            several=bool(self.several.data),
            reminds=bool(self.reminds.data),
        )

    def tell(self, unfit: SourceUnfit) -> None:
        """Put the refusal beside its field."""
        self[unfit.field].errors = [TROUBLES[unfit.reason]]


class _Shown:
    """A source with its means as the form writes them."""

    def __init__(self, source: BillSource) -> None:
        self._source = source
        self.means = " ".join(source.means)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class StripeForm(Form):
    """The Stripe account of one hospital. Keys are typed, kept sealed, and never shown again."""

    enabled = BooleanField(_l("Let patients pay through Stripe at this hospital"))
    agreed = BooleanField(_l("The public accountant agreed in writing to what is said above"))
    accountant = StringField(
        _l("Name of the public accountant"),
        [_SHORT],
        filters=[_stripped],
        description=_l("Kept, and written down in the journal"),
    )
    agreed_on = DateParts(_l("Date of the agreement"), [Optional()])
    api_key = PasswordField(_l("Secret key"), [Length(max=300, message=_l("This is too long"))], filters=[_stripped])
    webhook_secrets = PasswordField(
        _l("Webhook signing secrets"), [Length(max=1500, message=_l("This is too long"))], filters=[_stripped]
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Whoever opens Stripe says that the accountant agreed."""
        valid = bool(super().validate(extra_validators))
        if self.enabled.data and not self.agreed.data:
            self.agreed.errors = [_l("Stripe is opened only with the public accountant’s agreement")]
            valid = False
        return valid

    def draft(self) -> StripeDraft:
        return StripeDraft(
            enabled=bool(self.enabled.data),
            api_key=self.api_key.data or "",
            webhook_secrets=self.webhook_secrets.data or "",
            accountant=self.accountant.data or "",
            agreed_on=self.agreed_on.data,
        )

    def tell(self, unfit: StripeUnfit) -> None:
        """Put the refusal beside its field."""
        self[unfit.field].errors = [STRIPE_TROUBLES[unfit.field]]


STRIPE_TROUBLES = {
    "accountant": _l("Write the name of the public accountant who agreed"),
    "agreed_on": _l("Write the date of the agreement"),
    "api_key": _l("Write a secret key of Stripe, sk_… or rk_…; in production, a live one"),
    "webhook_secrets": _l("Write one to five signing secrets, whsec_…, separated by commas"),
}
