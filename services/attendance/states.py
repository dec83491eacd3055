"""How an emergency department stands, and what kinds of them there are."""

from typing import Final

OPEN: Final = "open"
SATURATED: Final = "saturated"
DIVERTED: Final = "diverted"
CLOSED: Final = "closed"
UNKNOWN: Final = "unknown"
STATES: Final = (OPEN, SATURATED, DIVERTED, CLOSED, UNKNOWN)
"""diverted: only those whom the SAMU sends are received. unknown: nothing is said for now."""
SAID: Final = (OPEN, SATURATED, DIVERTED, CLOSED)
"""What somebody may say of a department; that nothing is said is a gesture of its own."""
RECEIVES: Final = frozenset({OPEN, SATURATED})
"""Whoever comes is received: then, and then only, waiting is told."""
KINDS: Final = (
    "adult", "paediatric", "gynaecology", "ophthalmology", "psychiatry", "dental", "hand", "all_ages",
)  # fmt: skip
SOURCES: Final = ("entered", "machine")
