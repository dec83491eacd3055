"""PayFiP's functional codes. The full list is in the guide's annex 1, not public: the table is open-ended."""

from portal.gateways import Refused
from portal.gateways.payments.contract import IdopUnknown, ResultNotKnownYet

MEANINGS = {
    "A1": "the payer's e-mail address is missing",
    "A2": "the payer's e-mail address is wrong",
    "D1": "the return URL is not valid",
    "M1": "the amount is not a number of cents",
    "M3": "the amount is under 1 euro",
    "M5": "the amount is over 99 999.99 euros",
    "N1": "the notification URL is not valid",
    "P1": "the operation is unknown, or was purged because it was never opened",
    "P3": "the operation was already used: its page opens once",
    "P4": "the operation is older than 15 minutes",
    "P5": "the result is not known yet",
    "R3": "the reference of the bill must be 6 to 30 letters and digits",
    "S1": "the mode (saisie) is not valid",
    "T1": "the client number is not six digits",
    "T2": "the client number is unknown",
    "T4": "the client number may not use the secured service",
    "exer": "the year must be four digits",
}
UNLISTED = "a refusal that is not in our table: see PayFiP's guide, annex 1"

_FACTS: dict[str, type[Refused]] = {"P1": IdopUnknown, "P5": ResultNotKnownYet}


def refusal(code: str) -> Refused:
    """The fact behind a code; what PayFiP wrote beside it stays in the evidence, since it may quote a field."""
    return _FACTS.get(code, Refused)(code, MEANINGS.get(code, UNLISTED))
