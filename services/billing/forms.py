"""What people type about bills."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField
from wtforms.validators import Length, Optional

from portal.web.fields import choices
from portal.web.forms import EmailAddress, Form, Required

# PayFiP's own limits for `mel`: 6 to 80 plain characters.


def _stripped(text: str | None) -> str | None:
    return text.strip() if text else text


MEANS_WORDS = {
    "payfip": _l("PayFiP: card or direct debit, on the Treasury’s site"),
    "stripe": _l("Stripe: card, on the site of the hospital’s payment provider"),
}


class PayForm(Form):
    """Before leaving for the payment site."""

    email = EmailField(
        _l("Your email address"),
        [
            Required(_l("Enter your email address")),
            Length(6, 80, _l("Enter an email address of 6 to 80 characters")),
            EmailAddress(),
        ],
        filters=[_stripped],
        description=_l("The payment site sends its ticket there, and we send you word of your receipt."),
    )
    means = RadioField(_l("How do you wish to pay?"), [Optional()], choices=choices([]))

    def offer(self, offered: Sequence[str]) -> Sequence[str]:
        """Let the payer choose among these means; one alone is not asked about. Returns them."""
        if len(offered) < 2:
            self.means.choices, self.means.validators = choices([]), [Optional()]
            self.means.data = next(iter(offered), "")
            self.means.validate_choice = False
            return offered
        self.means.choices = choices([(psp, MEANS_WORDS[psp]) for psp in offered])
        self.means.validators = [Required(_l("Choose how you wish to pay"))]
        self.means.flags.required, self.means.flags.optional = True, False
        return offered


class CloseForm(Form):
    """An agent withdraws a bill that is no longer to be paid on the portal."""

    reason = RadioField(
        _l("Why is this bill no longer to be paid here?"),
        [Required(_l("Choose a reason"))],
        choices=choices(
            [("paid_elsewhere", _l("Paid at the desk, by cheque or by transfer")), ("cancelled", _l("Bill cancelled"))]
        ),
    )
