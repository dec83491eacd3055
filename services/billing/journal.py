"""What the journal says of bills: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "bill.opened": _l("opened a bill"),
    "bill.closed": _l("closed a bill paid elsewhere"),
    "bill.overpaid": _l("saw that a bill was paid twice"),
    "payment.started": _l("began a payment"),
    "payment.opened": _l("went to the payment page"),
    "payment.notified": _l("had news of a payment"),
    "payment.booked": _l("recorded a payment"),
    "payment.failed": _l("could not open a payment"),
    "payment.expired": _l("closed a payment left unfinished"),
    "payment.released": _l("gave up a payment"),
    "payment.quarantined": _l("put an uncertain payment aside"),
}
