"""What agents type about money given back."""

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from portal import calendar, db
from portal.web.fields import DateParts, EuroField, choices
from portal.web.forms import Form, OnceForm, Required
from services.billing.refunds.actions import NotRefundable
from services.billing.refunds.queries import Held

REASON_WORDS = {
    "overpaid": _l("More was received than was due"),
    "cancelled_care": _l("The care was cancelled: nothing is due any more"),
    "at_provider": _l("Given back at the provider’s own site"),
}
OBSTACLE_WORDS = {
    "titre": _l("A titre is the public accountant’s money: they give it back, and this portal records nothing of it."),
    "disputed": _l("The payer’s bank disputes this payment: nothing is given back while it holds the money."),
    "nothing": _l("This bill holds nothing to give back."),
    "too_much": _l("This payment does not hold so much any more."),
}


def _stripped(text: str | None) -> str:
    return (text or "").strip().replace("\x00", "")


class RefundForm(OnceForm):
    """What to give back, of which payment, and why."""

    payment = RadioField(_l("Of which payment"), [Required()])
    amount = EuroField(_l("Amount to give back"), [InputRequired(_l("Write the amount to give back"))], min_cents=1)
    reason = RadioField(
        _l("Why"),
        [Required()],
        choices=choices([(code, REASON_WORDS[code]) for code in ("overpaid", "cancelled_care")]),
    )
    by_transfer = BooleanField(_l("The card does not exist any more: the public accountant makes a transfer"))
    note = TextAreaField(
        _l("Note for your colleagues"),
        [Length(max=500, message=_l("This is too long"))],
        description=_l("No word about care."),
        filters=[_stripped],
    )

    def among(self, held: Sequence[Held], labels: Sequence[str]) -> "RefundForm":
        """Payments that may give something back, and reasons that hold."""
        self.payment.choices = choices([(str(each.entry.id), label) for each, label in zip(held, labels, strict=True)])
        possible = {reason for each in held for reason, cents in each.most_cents.items() if cents}
        self.reason.choices = choices(
            [(code, REASON_WORDS[code]) for code in ("overpaid", "cancelled_care") if code in possible]
        )
        return self

    def tell(self, refused: NotRefundable, shown: str) -> None:
        """Put a refusal beside the amount. shown: the most that may leave, as people read it."""
        self.amount.errors = [
            _("At most %(amount)s may be given back of this payment for this reason.", amount=shown)
            if refused.most_cents
            else str(OBSTACLE_WORDS[refused.reason])
        ]


class TransferForm(Form):
    """The public accountant's transfer, as their slip says."""

    reference = StringField(
        _l("The public accountant’s reference"),
        [Required(), Length(max=60, message=_l("This is too long"))],
        filters=[_stripped],
    )
    moved_on = DateParts(_l("Date of the transfer"), [InputRequired(_l("Write the date of the transfer"))])

    def validate_moved_on(self, field: DateParts) -> None:
        if field.data and field.data > calendar.latest_day(db.now()):
            raise ValidationError(_("The date of the transfer cannot be in the future"))


class CameBackForm(Form):
    """A transfer that the payer's bank sent back."""

    note = StringField(
        _l("Reference of the return"),
        [Required(), Length(max=60, message=_l("This is too long"))],
        filters=[_stripped],
    )
