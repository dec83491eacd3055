"""Messages about money that went back: no amount, nothing about care."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("billing.debit_given_back", at_hospital=True)
def debit_given_back(bill_id: UUID | None) -> Mail:
    """To whoever had paid. bill_id: None for a payer without an account, who finds it with the letter."""
    where = (
        _l("Your bill is in your space, where you can pay it again, by card if you wish:")
        if bill_id
        else _l("To see the bill and pay it again, find it with the letter of the hospital:")
    )
    return Mail(
        _l("A direct debit for a bill of the hospital did not go through"),
        (
            _l(
                "Your bank has given back the direct debit that you had ordered for a bill of the hospital. No money"
                " was taken, and the bill is to be paid again. The receipt that you had no longer holds."
            ),
            _l("If you think this is a mistake, ask your bank first, then the hospital’s billing office."),
            where,
        ),
        path=f"/factures/{bill_id}" if bill_id else "/factures/payer",
    )
