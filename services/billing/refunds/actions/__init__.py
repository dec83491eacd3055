"""All that changes a refund, and the entries that follow from it."""

from services.billing.refunds.actions.asking import approve, ask, cancel
from services.billing.refunds.actions.facts import NotRefundable, SamePerson, TooLate, UnknownRefund
from services.billing.refunds.actions.sending import Order, adopt, begin, hear, lose, put_back, record_unknown, refused
from services.billing.refunds.actions.telling import tell_payer
from services.billing.refunds.actions.transfers import came_back, record_transfer

__all__ = [
    "NotRefundable",
    "Order",
    "SamePerson",
    "TooLate",
    "UnknownRefund",
    "adopt",
    "approve",
    "ask",
    "begin",
    "came_back",
    "cancel",
    "hear",
    "lose",
    "put_back",
    "record_transfer",
    "record_unknown",
    "refused",
    "tell_payer",
]
