"""The life of a companion's signature: transitions as data, one immutable row per change; and what all of them make."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import uuid4

from portal import db
from portal.db import Actor
from services.preadmission.companions.models import Companion, CompanionChange

_NO_MORE = frozenset({"withdrawn"})
_OTHERWISE = _NO_MORE | {"on_paper", "waived"}

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"named"}),
    "named": _OTHERWISE | {"invited", "opened", "signed"},
    "invited": _OTHERWISE | {"invited", "opened", "to_check", "signed"},
    "to_check": _OTHERWISE | {"invited", "opened"},
    "opened": _OTHERWISE | {"signed", "declined"},
    "signed": _NO_MORE | {"revoked"},
    "declined": _OTHERWISE | {"invited", "opened"},
    "on_paper": _NO_MORE | {"invited", "signed", "waived", "opened"},
    "waived": _NO_MORE,
    "revoked": frozenset(),
    "withdrawn": frozenset(),
}
"""`invited` to itself: another link, which makes the former one useless. `on_paper` to `signed`: the hospital holds the
sheet, or the person signs online after all."""

INVITABLE: Final = tuple(state for state, after in TRANSITIONS.items() if state and "invited" in after)

EVENTS: Final[Mapping[str, str]] = {
    "named": "named",
    "invited": "invited",
    "to_check": "came_under_another_name",
    "opened": "opened",
    "signed": "signed",
    "declined": "declined",
    "on_paper": "left_to_paper",
    "waived": "waived",
    "revoked": "revoked",
    "withdrawn": "withdrawn",
}
"""State entered → what the audit (`companion.…`) calls it."""


class TransitionRefused(Exception):
    """The companion is not in a state that allows this change: somebody else changed it, or it is over."""

    def __init__(self, from_state: str, to_state: str) -> None:
        super().__init__(f"{from_state} to {to_state}")
        self.from_state, self.to_state = from_state, to_state


def change(companion: Companion, to_state: str, actor: Actor, reason: str = "") -> CompanionChange:
    """Move the companion and return the row that says so. Raises TransitionRefused."""
    from_state = companion.state or ""
    if to_state not in TRANSITIONS[from_state]:
        raise TransitionRefused(from_state, to_state)
    row = CompanionChange(
        id=uuid4(),
        companion_id=companion.id,
        at=db.now(),
        actor=actor.label,
        actor_name=actor.name,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
    )
    companion.state, companion.changed_at = to_state, row.at
    return row


# -- ready for theatre ---------------------------------------------------------------------------------------------

Proof = Literal["none", "sent", "accepted"]
"""Of sole parental authority: a judgement, a death, a single recognition."""
Standing = Literal["ready", "waiting", "proof_awaited", "on_paper", "to_check", "declined", "changed"]
"""What the authorisation to operate on a minor waits for. changed: what was signed is about another day or hospital."""


@dataclass(frozen=True)
class Signer:
    """One holder. is_current: what they signed is what would be signed today."""

    rank: int
    state: str
    is_current: bool = True


def standing(authority: str, signers: Collection[Signer], proof: Proof = "none") -> Standing:
    """What is missing before an operation that is not an emergency (C. civ. 372-2, CSP R1112-35). Pure.

    authority: of `answers.Authority`; an unknown one is taken for both parents: better one signature too many.
    """
    needed = _needed(authority, signers)
    missing = [each for each in needed if each.state not in ("signed", "waived")]
    for state in ("declined", "to_check"):
        if any(each.state == state for each in missing):
            return state  # type: ignore[return-value]  # both are among `Standing`
    if not missing and any(each.state == "signed" and not each.is_current for each in needed):
        return "changed"
    if missing:
        return "on_paper" if all(each.state == "on_paper" for each in missing) else "waiting"
    if authority == "sole" and proof != "accepted" and not _is_waived(signers):
        return "proof_awaited"
    return "ready"


def _needed(authority: str, signers: Collection[Signer]) -> Sequence[Signer]:
    """The one or two who must sign; somebody whom nobody has named yet is a signer who has done nothing."""
    by_rank = {each.rank: each for each in signers if each.state not in ("revoked", "withdrawn")}
    ranks = (1,) if authority in ("sole", "third") else (1, 2)
    return [by_rank.get(rank, Signer(rank, "named")) for rank in ranks]


def _is_waived(signers: Collection[Signer]) -> bool:
    """An agent has said that no other signature is needed."""
    return any(each.state == "waived" for each in signers)
