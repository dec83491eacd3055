"""Everything that changes the waiting list, by intention."""

from services.appointments.waiting.actions.counting import count_freed
from services.appointments.waiting.actions.entering import (
    FURTHEST,
    Asked,
    close,
    enter,
    enter_for_visit,
    hand_over,
    leave,
    put_back,
    put_first,
)
from services.appointments.waiting.actions.facts import AlreadyWaiting, EntryClosed, NothingEarlier, OfferGone
from services.appointments.waiting.actions.looking import open_entry, open_list
from services.appointments.waiting.actions.offering import accept, decline, expire_offers, offer_freed

__all__ = [
    "FURTHEST",
    "AlreadyWaiting",
    "Asked",
    "EntryClosed",
    "NothingEarlier",
    "OfferGone",
    "accept",
    "close",
    "count_freed",
    "decline",
    "enter",
    "enter_for_visit",
    "expire_offers",
    "hand_over",
    "leave",
    "offer_freed",
    "open_entry",
    "open_list",
    "put_back",
    "put_first",
]
