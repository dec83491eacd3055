"""How a mandate ends: taken back, given up, over, or a death."""

from uuid import UUID

from sqlalchemy import select

from auth.mandates import changing, mails, states
from auth.mandates.models import Mandate
from auth.models import PatientAccess
from portal import db
from portal.db import session


def revoke(mandate: Mandate, reason: str = "") -> None:
    """The person, or an agent, takes it back: it ends at the next request. Raises TransitionRefused."""
    changing.become(mandate, "revoked", "revoked", reason=reason)


def give_up(mandate: Mandate) -> None:
    """Whoever acts no longer wants to. Raises TransitionRefused."""
    changing.become(mandate, "given_up", "given_up")


def end_all(patient_id: UUID, reason: str) -> int:
    """Every mandate for this person, and every one of theirs for others, is over (a death). Return how many."""
    with changing.as_system():
        own = select(PatientAccess.account_id).where(
            PatientAccess.patient_id == patient_id, PatientAccess.relation == "self"
        )
        concerned = (Mandate.patient_id == patient_id) | Mandate.account_id.in_(own)
        live = session.scalars(
            select(Mandate.id).where(concerned, Mandate.state.in_(("active", "requested", "offered")))
        ).all()
        for mandate_id in live:
            changing.become(session.get_one(Mandate, mandate_id), "ended", "ended", reason=reason, tell=False)
    return len(live)


def close(mandate_id: UUID) -> None:
    """The last day of a mandate is over: say so and tell both. The access itself ended at midnight. For jobs."""
    mandate = session.get_one(Mandate, mandate_id)
    state = states.END_OF[mandate.kind]
    changing.become(mandate, state, state, reason="majority" if mandate.kind == "parent" else "")


def lapse(mandate_id: UUID) -> None:
    """Nobody used a code in time. For jobs."""
    changing.become(session.get_one(Mandate, mandate_id), "lapsed", "lapsed", facts={"code_digest": None})


def warn(mandate_id: UUID) -> None:
    """Tell both that it ends soon, once. For jobs."""
    mandate = session.get_one(Mandate, mandate_id, with_for_update={"key_share": True})
    mandate.warned_at = db.now()
    changing.tell_both(mandate, mails.ends_soon(mandate.id), mails.ends_soon(mandate.id))
    changing.record(mandate, "warned")


def prompt(mandate_id: UUID) -> None:
    """Tell a parent, once, that their child may sign in alone. For jobs."""
    mandate = session.get_one(Mandate, mandate_id, with_for_update={"key_share": True})
    mandate.prompted_at = db.now()
    changing.tell_account(mandate.account_id, mails.may_sign_in_alone(mandate.id))
    changing.record(mandate, "prompted")
