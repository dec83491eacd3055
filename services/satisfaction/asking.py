"""Who may be asked, and about what: one person, at most once in thirty days, never named.

What a person did opens a turn (`auth.acts`); a page on which something ends shows it. In between the database knows
a digest of the month's pseudonym, which only a process that has both the month's key and the portal's secret computes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, text

from auth.identity import sealing
from portal import db
from portal.db import session
from portal.kpi import keys
from services.satisfaction.models import OpinionTurn

EVERY: Final = timedelta(days=30)
"""Nobody is asked more often."""
SHOWN_FOR: Final = timedelta(hours=12)
"""How long pages may show the question after what was done."""
ANSWERED_WITHIN: Final = timedelta(days=7)


@dataclass(frozen=True)
class Shown:
    """A question to show. is_first: it was never shown before, and is noted as shown now."""

    turn_id: UUID
    service: str
    establishment_id: UUID
    is_first: bool


def invite(service: str, establishment_id: UUID | None) -> None:
    """Whoever acts has done something in a service of a hospital: they may be asked about it, unless they were lately.

    Written with what the transaction writes at its end: nothing waits for it.
    """
    digests = _digests(db.current_actor(), db.now())
    if not digests or establishment_id is None:
        return
    now = db.now()
    told = {"digests": ",".join(digests), "turn": uuid4(), "done": service, "place": establishment_id,
            "moment": now, "since": now - EVERY}  # fmt: skip
    db.write_later(_INVITE, told)


def show(*, marking: bool) -> Shown | None:
    """The question that waits for whoever acts, if any, in one statement. marking: note that it was shown (a
    transaction that only reads notes nothing)."""
    now = db.now()
    digests = _digests(db.current_actor(), now)
    if not digests:
        return None
    found = session.execute(
        _SHOW, {"digests": ",".join(digests), "since": now - SHOWN_FOR, "moment": now if marking else None}
    ).one_or_none()
    return Shown(*found) if found else None


def turn(turn_id: UUID) -> OpinionTurn | None:
    """The turn of whoever acts, while it can be answered; answered ones included."""
    now = db.now()
    digests = _digests(db.current_actor(), now)
    if not digests:
        return None
    declare(digests)
    mine = select(OpinionTurn).where(
        OpinionTurn.id == turn_id, OpinionTurn.digest.in_(digests), OpinionTurn.invited_at > now - ANSWERED_WITHIN
    )
    return session.scalar(mine)


def declare(digests: Sequence[str]) -> None:
    """Tell the policies, until the end of the transaction, whose turns these are."""
    session.execute(text("select set_config('parvis.opinion', :digests, true)"), {"digests": ",".join(digests)})


def _digests(actor: db.Actor, now: datetime) -> list[str]:
    """Of this month, then of those of the last thirty days, February among them when March begins; none for whoever
    has no account of their own."""
    if actor.account_id is None or actor.kind not in ("patient", "professional"):
        return []
    months = dict.fromkeys(keys.pseudonym(actor.account_id, each) for each in (now, now - EVERY / 2, now - EVERY))
    made = [sealing.digests("opinion", pseudonym) for pseudonym in months if pseudonym]
    return [each.hex()[:40] for same_rank in zip(*made, strict=True) for each in same_rank]


_INVITE = (
    "select opinion_invite(string_to_array(:digests, ','), :turn, :done, :place, cast(:moment as timestamptz),"
    " cast(:since as timestamptz))"
)
_SHOW = text(
    "select turn, done, place, first from opinion_show(string_to_array(:digests, ','), cast(:since as timestamptz),"
    " cast(:moment as timestamptz))"
)
