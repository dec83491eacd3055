"""Messages of this room: nothing about care, no amount; they lead to the portal."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail


def payment_received(bill_id: UUID) -> Mail:
    """To the payer, once per payment."""
    return Mail(
        _l("Your payment has been received"),
        (
            _l("We have received a payment that you made online for a bill of the hospital. Thank you."),
            _l("Your receipt is in your space. You can print it, for your complementary insurance for example:"),
        ),
        path=f"/factures/{bill_id}",
    )
