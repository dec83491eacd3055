"""The life of a mandate as data: kinds, states, what leads from one to the next, and what each kind may cover."""

from collections.abc import Mapping
from typing import Final

from portal.db import SCOPES

KINDS: Final = ("parent", "guardian", "curator", "carer")
"""Holder of parental authority; guardian (tutelle); curator (curatelle); carer whom an adult designates (aidant)."""

STATES: Final = (
    "requested",
    "offered",
    "active",
    "refused",
    "withdrawn",
    "lapsed",
    "ended",
    "expired",
    "revoked",
    "given_up",
)
"""offered: a carer holds a code. ended: majority, death, replaced. expired: the judgement or the designation is over.
revoked: by the person or the hospital. given_up: by whoever acted. lapsed: nobody used the code in time."""

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"requested", "offered", "active"}),
    "requested": frozenset({"active", "refused", "withdrawn", "ended"}),
    "offered": frozenset({"active", "withdrawn", "lapsed", "ended"}),
    "active": frozenset({"active", "ended", "expired", "revoked", "given_up"}),  # to itself: renewed
}
OVER: Final = frozenset(STATES) - {"requested", "offered", "active"}

SCOPES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "parent": SCOPES,
    "guardian": SCOPES,
    # A curator assists and does not replace (C. civ. 467): no access to what is medical without the person.
    "curator": ("administrative", "payment"),
    "carer": SCOPES,
}
"""What a mandate of each kind may reach at most."""

PROOFS: Final[Mapping[str, tuple[str, ...]]] = {
    "parent": ("family_book", "birth_certificate", "recognition", "custody_judgement"),
    "guardian": ("judgement",),
    "curator": ("judgement",),
    "carer": (),
}
"""What proves it: livret de famille, acte de naissance, reconnaissance, jugement."""

REFUSALS: Final = ("unreadable", "does_not_prove", "unknown_person", "measure_over", "other")
"""Why an agent refuses, in words that the person who asked can act upon."""

END_OF: Final[Mapping[str, str]] = {"parent": "ended", "guardian": "expired", "curator": "expired", "carer": "expired"}
"""What an active mandate becomes when its last day is over."""

NEEDS_BOTH: Final[Mapping[str, bool]] = {
    "care": False,
    "appointment": False,
    "admission": False,
    "payment": False,
    "vaccination": False,
    "surgery": True,
    "anaesthesia": True,
    "research": True,
}
"""Acts for a minor → whether every holder of parental authority must agree. One is enough for usual acts
(C. civ. 372-2); surgery and anaesthesia are not usual (C. civ. 372, CSP R1112-35), nor is research (CSP L1122-2)."""


class TransitionRefused(Exception):
    """A mandate in this state cannot become that."""


def check(from_state: str, to_state: str) -> None:
    """Raises TransitionRefused."""
    if to_state not in TRANSITIONS.get(from_state, frozenset()):
        raise TransitionRefused(from_state, to_state)
