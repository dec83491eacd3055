"""All that changes what files say, the work list, and the ledger when a bank gives a debit back."""

from services.billing.settlement.actions.closing import Unknown, close_day, decide
from services.billing.settlement.actions.comparing import compare
from services.billing.settlement.actions.rejecting import NotRejectable, reject, reject_at
from services.billing.settlement.actions.storing import Stored, keep_file, store
from services.billing.settlement.actions.taking_up import take_up

__all__ = [
    "NotRejectable",
    "Stored",
    "Unknown",
    "close_day",
    "compare",
    "decide",
    "keep_file",
    "reject",
    "reject_at",
    "store",
    "take_up",
]
