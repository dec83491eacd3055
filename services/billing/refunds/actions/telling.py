"""The payer hears that money is on its way."""

from uuid import UUID

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from portal import notifications
from portal.db import session
from services.billing.models import PaymentAttempt
from services.billing.refunds import mails
from services.billing.refunds.actions.traces import record
from services.billing.refunds.models import Refund


def tell_payer(refund_id: UUID) -> None:
    """Whoever paid: their account while it may see the bill, else the address they gave. For a system job."""
    refund = session.get_one(Refund, refund_id)
    attempt = session.get(PaymentAttempt, refund.entry.attempt_id) if refund.entry.attempt_id else None
    if attempt is None:
        return
    bill, to = refund.bill, Address(attempt.email)
    if attempt.account_id is not None and bill.patient_id is not None:
        found = mandates.address_for(
            bill.patient_id, "payment", masked=bill.masked, account_id=attempt.account_id, email=attempt.email
        )
        if found is None:
            return
        to = found
    if to.email:
        notifications.tell(
            mails.refund_on_its_way(bill.id if attempt.account_id else None, by_transfer=refund.is_by_transfer),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=bill.patient_id,
            establishment_id=bill.establishment_id,
            locale=attempt.locale,
        )
        record("refund.told", refund)
