"""What a person does to what is theirs: sessions and devices, consents, copies of their data, requests about it."""

from auth.account.actions.consents import accept, withdraw_consent
from auth.account.actions.devices import close_other_sessions, forget_device, recognise
from auth.account.actions.exports import ask_for_export, hand_over_export
from auth.account.actions.requests import answer_request, ask_hospital, extend_request, open_request, withdraw_request

__all__ = [
    "accept",
    "answer_request",
    "ask_for_export",
    "ask_hospital",
    "close_other_sessions",
    "extend_request",
    "forget_device",
    "hand_over_export",
    "open_request",
    "recognise",
    "withdraw_consent",
    "withdraw_request",
]
