"""Messages of this room: nothing about care, no amount; they lead to the portal."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("billing.payment_received", at_hospital=True)
def payment_received(bill_id: UUID | None) -> Mail:
    """To the payer, once per payment. bill_id: None for a payer without an account, who finds it with the letter."""
    where = (
        _l("Your receipt is in your space. You can print it, for your complementary insurance for example:")
        if bill_id
        else _l("To print your receipt, find your bill again with the letter of the hospital:")
    )
    return Mail(
        _l("Your payment has been received"),
        (_l("We have received a payment that you made online for a bill of the hospital. Thank you."), where),
        path=f"/factures/{bill_id}" if bill_id else "/factures/payer",
    )
