"""What the hospital says of its reasons for consultation. Nothing here touches an appointment that is booked."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, text

from portal import audit, db
from portal.db import session
from portal.establishments import Unit
from services.appointments.actions import capacity
from services.appointments.models import ConsultationSession, Reason, ReasonPool, ResourcePool, SessionReason

NUMBERS = (
    "duration_min",
    "pause_min",
    "grid_min",
    "min_delay_hours",
    "min_delay_business_days",
    "max_delay_days",
    "cancel_cutoff_hours",
    "max_to_come",
    "most_a_session",
    "min_age",
    "max_age",
    "come_before_min",
    "position",
)
SWITCHES = ("bookable_online", "open_to_city", "open_to_new_patients", "by_referral_only", "is_remote")
TEXTS = ("name", "speciality", "instructions", "to_bring", "price", "arrival", "link", "questionnaire")
_SAID_IN_FULL = (*NUMBERS, *SWITCHES, "name", "speciality", "price", "questionnaire", "pieces")
FACTS = (*NUMBERS, *SWITCHES, *TEXTS, "pieces")
"""What a screen may say of a reason, pools aside."""


class NameTaken(Exception):
    """The unit has a reason of this name already."""


def create(unit: Unit, facts: Mapping[str, Any], pools: Collection[UUID] = ()) -> Reason:
    """Add a reason to a unit. facts: among FACTS. pools: of the same hospital, one resource of each is needed.

    Raises NameTaken.
    """
    _check_name(unit.id, str(facts["name"]))
    made = Reason(id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, **_known(facts))
    session.add(made)
    session.flush()
    _need(made, pools)
    _record("created", made, name=made.name)
    return made


def copy(reason: Reason, name: str) -> Reason:
    """Another reason of the same unit with the same rules, under another name; closed to everybody until somebody
    looked at it. Raises NameTaken."""
    facts = {fact: getattr(reason, fact) for fact in FACTS} | {"name": name}
    facts |= {"bookable_online": False, "open_to_city": False}
    pools = session.scalars(select(ReasonPool.pool_id).where(ReasonPool.reason_id == reason.id)).all()
    return create(reason.unit, facts, pools)


def change(reason: Reason, facts: Mapping[str, Any], pools: Collection[UUID] | None = None) -> None:
    """Change the rules from now on. Appointments keep the time they have, even if the duration changes.

    pools: None leaves them as they are. Raises NameTaken.
    """
    reason = _lock(reason)
    if facts.get("name", reason.name) != reason.name:
        _check_name(reason.unit_id, str(facts["name"]))
    before = {fact: getattr(reason, fact) for fact in FACTS if fact in facts}
    for fact, value in _known(facts).items():
        setattr(reason, fact, value)
    session.flush()
    changes = {fact: _said(fact, was, getattr(reason, fact)) for fact, was in before.items()}
    changes = {fact: said for fact, said in changes.items() if said}
    if pools is not None and _need(reason, pools):
        changes["resources"] = "changed"
    if "most_a_session" in changes:
        limit_sessions(reason, before["most_a_session"])
    if changes:
        _record("changed", reason, **changes)


def close(reason: Reason) -> None:
    """Nobody may book it any more; what is booked stays. Closed twice, nothing more happens."""
    reason = _lock(reason)
    if reason.closed_at is None:
        reason.closed_at = db.now()
        session.flush()
        _record("closed", reason)


def reopen(reason: Reason) -> None:
    """It may be booked again, as its rules say. Raises NameTaken when another took its name meanwhile."""
    reason = _lock(reason)
    if reason.closed_at is not None:
        _check_name(reason.unit_id, reason.name)
        reason.closed_at = None
        session.flush()
        _record("reopened", reason)


def move_up(reason: Reason) -> None:
    """One rank higher in its unit's list; the first one stays first."""
    query = select(Reason).where(Reason.unit_id == reason.unit_id, Reason.closed_at.is_(None))
    ordered = query.order_by(Reason.position, Reason.name, Reason.id).with_for_update(key_share=True)
    rows = list(session.scalars(ordered.execution_options(populate_existing=True)))
    rank = next((rank for rank, each in enumerate(rows) if each.id == reason.id), 0)
    if rank:
        rows[rank - 1], rows[rank] = rows[rank], rows[rank - 1]
        for position, each in enumerate(rows):
            each.position = position
        session.flush()
        _record("changed", reason, position=f"{rank} → {rank - 1}")


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {fact: value for fact, value in facts.items() if fact in FACTS}


def _lock(reason: Reason) -> Reason:
    query = select(Reason).where(Reason.id == reason.id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _check_name(unit_id: UUID, name: str) -> None:
    same = (Reason.unit_id == unit_id) & (func.lower(Reason.name) == name.lower()) & Reason.closed_at.is_(None)
    if session.scalar(select(func.count()).select_from(Reason).where(same)):
        raise NameTaken


def _need(reason: Reason, pools: Collection[UUID]) -> bool:
    """Write which pools it needs; whether that changed. Another hospital's pools are none of its business."""
    here = select(ResourcePool.id).where(
        ResourcePool.establishment_id == reason.establishment_id, ResourcePool.id.in_(pools)
    )
    wanted = set(session.scalars(here))
    rows = {
        row.pool_id: row for row in session.scalars(select(ReasonPool).where(ReasonPool.reason_id == reason.id)).all()
    }
    for pool_id in rows.keys() - wanted:
        session.delete(rows[pool_id])
    for pool_id in wanted - rows.keys():
        session.add(ReasonPool(reason_id=reason.id, pool_id=pool_id, establishment_id=reason.establishment_id))
    session.flush()
    return rows.keys() != wanted


def _said(fact: str, was: Any, now: Any) -> str:
    """For the journal: short facts in full, long texts only that they changed."""
    if was == now:
        return ""
    return f"{was} → {now}" if fact in _SAID_IN_FULL else "changed"


def _record(what: str, reason: Reason, **details: Any) -> None:
    audit.record(
        f"reason.{what}",
        establishment_id=reason.establishment_id,
        object_kind="reason",
        object_id=reason.id,
        **details,
    )


# -- at most so many of a reason in a session --------------------------------------------------------------------

# What the engine counts while a limit is set: whoever is in the session for this reason, cancelled or not there no
# more aside, and whoever a time is kept for.
_TAKEN = """
(select count(*) from appointment a
 where a.session_id = sr.session_id and a.reason_id = sr.reason_id and a.state <> 'cancelled')
+ (select count(*) from hold h where h.session_id = sr.session_id and h.reason_id = sr.reason_id)
"""
_LIMIT = text(f"""
update session_reason sr set most = :most, taken = {_TAKEN}
where sr.reason_id = :reason_id and sr.session_id = any(cast(:session_ids as uuid[]))
""")
_RECOUNT = text(f"""
update session_reason sr set taken = {_TAKEN}
where sr.session_id = any(cast(:session_ids as uuid[])) and sr.most is not null and sr.taken <> {_TAKEN}
""")
_MISCOUNTED = text(f"""
select sr.session_id from session_reason sr join consultation_session s on s.id = sr.session_id
where sr.most is not null and s.start_at > :now and sr.taken <> {_TAKEN} limit :limit
""")


def limit_sessions(reason: Reason, former: int | None) -> int:
    """Give the reason's limit to its sessions to come that had the former one, and count exactly what they hold;
    how many. A session that was given a limit of its own keeps it, and one that holds more keeps all its patients."""
    session_ids = session.scalars(
        select(SessionReason.session_id)
        .join(ConsultationSession, ConsultationSession.id == SessionReason.session_id)
        .where(
            SessionReason.reason_id == reason.id,
            SessionReason.most.is_not_distinct_from(former),
            ConsultationSession.start_at > db.now(),
        )
    ).all()
    capacity.hold_still(session_ids)
    asked = {"most": reason.most_a_session, "reason_id": reason.id, "session_ids": list(session_ids)}
    session.execute(_LIMIT, asked)
    return len(session_ids)


def recount(limit: int = 500) -> int:
    """Count again what was booked while a limit was being set, each unaware of the other; how many sessions."""
    session_ids = sorted(set(session.scalars(_MISCOUNTED, {"now": db.now(), "limit": limit})))
    capacity.hold_still(session_ids)
    session.execute(_RECOUNT, {"session_ids": session_ids})
    return len(session_ids)
