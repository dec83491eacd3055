"""Asking to act for somebody, checking it, designating a carer, ending it: one function per intention."""

from auth.mandates.actions.asking import Asked, request, withdraw
from auth.mandates.actions.carers import CODE_LIFE, Offer, accept, offer, offered, renew
from auth.mandates.actions.checking import Checked, check, look, open_proof, push, refuse
from auth.mandates.actions.ending import close, end_all, give_up, lapse, prompt, revoke, warn

__all__ = [
    "CODE_LIFE",
    "Asked",
    "Checked",
    "Offer",
    "accept",
    "check",
    "close",
    "end_all",
    "give_up",
    "lapse",
    "look",
    "offer",
    "offered",
    "open_proof",
    "prompt",
    "push",
    "refuse",
    "renew",
    "request",
    "revoke",
    "warn",
    "withdraw",
]
