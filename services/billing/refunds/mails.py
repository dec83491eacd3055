"""Messages about refunds: no amount, no word about care; they lead to the portal."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message(
    "billing.refund",
    at_hospital=True,
    each={"by_transfer": {"by_transfer": True}, "by_card": {"by_transfer": False}},
    which=lambda given: "by_transfer" if given["by_transfer"] else "by_card",
)
def refund_on_its_way(bill_id: UUID | None, *, by_transfer: bool) -> Mail:
    """To the payer, once per refund. bill_id: None for a payer without an account."""
    when = (
        _l("The public accountant sends it by bank transfer. You have nothing to do.")
        if by_transfer
        else _l("It goes back to the card that paid, within ten days. You have nothing to do.")
    )
    return Mail(
        _l("A refund is on its way"),
        (_l("The hospital is giving you back some or all of a payment that you made online for a bill."), when),
        path=f"/factures/{bill_id}" if bill_id else "/factures/payer",
    )
