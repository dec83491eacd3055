"""All that changes a bill, an attempt to pay it, or the ledger."""

from services.billing.actions.attempts import give_up, open_payment, place, release_attempt, start_payment
from services.billing.actions.bills import close_elsewhere, open_bill
from services.billing.actions.facts import NotClosable, NotPayable, Silence, Started, UnknownBill, digest
from services.billing.actions.settling import hear, receive_notification

__all__ = [
    "NotClosable",
    "NotPayable",
    "Silence",
    "Started",
    "UnknownBill",
    "close_elsewhere",
    "digest",
    "give_up",
    "hear",
    "open_bill",
    "open_payment",
    "place",
    "receive_notification",
    "release_attempt",
    "start_payment",
]
