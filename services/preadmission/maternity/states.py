"""The life of a place asked for a birth (domain reference, 4.8): transitions as data, one immutable row a change."""

from collections.abc import Mapping
from uuid import uuid4

from portal import db
from portal.db import Actor
from services.preadmission.maternity.models import MaternityChange, MaternityWish

_ENDS = frozenset({"cancelled", "born_elsewhere"})
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"received"}),
    "received": _ENDS | {"studied", "offered", "waiting_list", "refused"},
    "studied": _ENDS | {"offered", "waiting_list", "refused"},
    "waiting_list": _ENDS | {"studied", "offered", "refused"},
    "offered": _ENDS | {"confirmed", "waiting_list"},
    "confirmed": _ENDS,
    "refused": frozenset({"studied", "cancelled", "born_elsewhere"}),
    "cancelled": frozenset(),
    "born_elsewhere": frozenset(),
}
"""`offered` to `waiting_list`: no answer came in time. `refused` to `studied`: the unit looks again."""

REASONS = ("", "declined", "no_answer", "elsewhere", "withdrawn", "by_hospital")
"""Why a wish ended or went back: the patient declined, did not answer, took another site's place, gave up; or the
hospital ended it."""


class WishTransitionRefused(Exception):
    """The wish is not in a state that allows this (somebody else changed it, or it is over)."""

    def __init__(self, from_state: str, to_state: str) -> None:
        super().__init__(f"{from_state} to {to_state}")


def change(wish: MaternityWish, to_state: str, actor: Actor, reason: str = "") -> MaternityChange:
    """Move the wish and return the row that says so. Raises WishTransitionRefused."""
    from_state = wish.state or ""
    if to_state not in TRANSITIONS[from_state]:
        raise WishTransitionRefused(from_state, to_state)
    row = MaternityChange(
        id=uuid4(), wish_id=wish.id, patient_id=wish.patient_id, at=db.now(), actor=actor.label,
        actor_name=actor.name, from_state=from_state, to_state=to_state, reason=reason,
    )  # fmt: skip
    wish.state, wish.reason, wish.changed_at = to_state, reason, row.at
    return row
