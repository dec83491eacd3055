"""What the journal says of bills: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "bill.opened": _l("opened a bill"),
    "bill.closed": _l("closed a bill paid elsewhere"),
    "bill.reopened": _l("reopened a bill closed by mistake"),
    "bill_source.changed": _l("changed how a kind of bill is paid"),
    "bill_source.tried": _l("tried the connection to a payment provider"),
    "stripe.changed": _l("changed the hospital’s Stripe account"),
    "ledger.downloaded": _l("downloaded the ledger of bills"),
    "bill.overpaid": _l("saw that a bill was paid twice"),
    "payment.started": _l("began a payment"),
    "payment.opened": _l("went to the payment page"),
    "payment.notified": _l("had news of a payment"),
    "payment.booked": _l("recorded a payment"),
    "payment.failed": _l("could not open a payment"),
    "payment.expired": _l("closed a payment left unfinished"),
    "payment.released": _l("gave up a payment"),
    "payment.quarantined": _l("put an uncertain payment aside"),
    "bill.reminded": _l("reminded of a bill"),
    "bill_question.asked": _l("asked a question about a bill"),
    "bill_question.continued": _l("wrote again about a bill"),
    "bill_question.opened": _l("opened a question about a bill"),
    "bill_question.answered": _l("answered a question about a bill"),
    "bill_question.closed": _l("closed a question about a bill"),
    "bill_answer.kept": _l("kept a prepared answer about bills"),
    "bill_answer.dropped": _l("removed a prepared answer about bills"),
    "bill_reminders.changed": _l("changed when payers are reminded of bills"),
    "bill_attestation.issued": _l("printed a certificate of payment"),
}
