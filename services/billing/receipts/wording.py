"""Words of receipts and certificates, on pages and on paper."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.billing.ledger.models import LedgerEntry

MEANS: Mapping[str, Any] = {"card": _l("Bank card"), "direct_debit": _l("Direct debit")}
PROVIDERS: Mapping[str, str] = {"payfip": "PayFiP", "stripe": "Stripe"}

TITRE_CERTIFICATE = _l(
    "For this bill, the certificate of payment that your complementary insurance asks for is issued by the Treasury,"
    " not by the hospital. Ask the public finance centre named on your bill for a statement of the titre (“bordereau de"
    " situation”), giving the reference of the bill."
)


def paid_by(entry: LedgerEntry) -> str:
    """`Bank card, by PayFiP`."""
    means = str(MEANS.get(entry.means, entry.means))
    return str(_("%(means)s, by %(psp)s", means=means, psp=PROVIDERS.get(entry.psp, entry.psp)))
