"""Writing what a plan says, a few statements whatever the number of sessions.

Locks, as everywhere in the room: times kept first, then sessions by id, then what they hold; deletes last.
"""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from portal.db import session
from services.appointments.actions import opening
from services.appointments.actions.holding import give_up
from services.appointments.agendas.plans import Plan
from services.appointments.models import ConsultationSession, Hold

_COLUMNS = {
    "id": "uuid", "establishment_id": "uuid", "template_id": "uuid", "site_id": "uuid", "unit_id": "uuid",
    "practitioner_id": "uuid", "room_id": "uuid", "start_at": "timestamptz", "local_date": "date",
    "step_min": "smallint", "n_cells": "smallint", "planned": "bigint", "open": "bigint", "for_web": "bigint",
    "for_city": "bigint", "released_at": "timestamptz", "capacity": "smallint",
}  # fmt: skip
_CHANGED = ("id", "room_id", "planned", "open", "for_web", "for_city", "released_at", "capacity")


def _listed(columns: Collection[str]) -> str:
    return ", ".join(f"cast(:{name} as {_COLUMNS[name]}[])" for name in columns)


_OPEN = text(f"""
insert into consultation_session ({", ".join(_COLUMNS)}, free, seats_left)
select {", ".join(_COLUMNS)}, open, capacity from unnest({_listed(_COLUMNS)}) as wanted ({", ".join(_COLUMNS)})
""")
_OFFER = text("""
insert into session_reason (session_id, reason_id, establishment_id, most)
select s.id, r.reason_id, r.establishment_id, coalesce(r.most, reason.most_a_session)
from consultation_session s join template_reason r on r.template_id = s.template_id
join reason on reason.id = r.reason_id
where s.id = any(cast(:sessions as uuid[]))
on conflict do nothing
""")
# What somebody has of a session: everything but cancelled, as the engine counts; those squeezed in fill no cell.
_TAKEN = """
with taken as (
  select session_id, first_cell, n_cells from appointment
  where session_id = any(cast(:id as uuid[])) and state <> 'cancelled' and not beyond
  union all select session_id, first_cell, n_cells from hold where session_id = any(cast(:id as uuid[]))
), counted as (
  select session_id, count(*) as seats, bit_or(((1::bigint << n_cells) - 1) << first_cell) as cells
  from taken group by session_id
)
"""
_CHANGE = text(f"""
{_TAKEN}
update consultation_session s set room_id = w.room_id, planned = w.planned, open = w.open, for_web = w.for_web,
  for_city = w.for_city, released_at = w.released_at, capacity = w.seats,
  seats_left = case when w.seats > 1 then w.seats - w.taken else 1 end,
  free = case when w.seats = 1 then w.open & ~w.cells when w.seats > w.taken then w.open else 0 end
from (
  select wanted.*, coalesce(c.cells, 0) as cells, coalesce(c.seats, 0) as taken,
    case when wanted.capacity > 1 then greatest(wanted.capacity, coalesce(c.seats, 0)) else 1 end as seats
  from unnest({_listed(_CHANGED)}) as wanted ({", ".join(_CHANGED)}) left join counted c on c.session_id = wanted.id
) w where s.id = w.id
""")
_REMOVE = text("delete from consultation_session where id = any(cast(:sessions as uuid[]))")
_REOPEN = text(f"""
{_TAKEN}
update consultation_session s set open = w.open, free = case
  when s.capacity = 1 then w.open & ~w.cells when s.seats_left > 0 then w.open else 0 end
from (
  select wanted.id, wanted.open, coalesce(c.cells, 0) as cells
  from unnest(cast(:id as uuid[]), cast(:open as bigint[])) as wanted (id, open)
  left join counted c on c.session_id = wanted.id
) w where s.id = w.id
""")
_NO_MORE = text("""
delete from session_reason sr using consultation_session s
where s.id = sr.session_id and s.id = any(cast(:sessions as uuid[])) and not exists (
  select 1 from template_reason r where r.template_id = s.template_id and r.reason_id = sr.reason_id)
""")
_HOLD_REASONS = text("""
select 1 from session_reason where session_id = any(cast(:sessions as uuid[]))
order by session_id, reason_id for no key update
""")
# The template's own limit, else the reason's.
_LIMIT = text("""
update session_reason sr set most = w.most, taken = case when w.most is null then 0 else
  (select count(*) from appointment a
   where a.session_id = w.session_id and a.reason_id = w.reason_id and a.state <> 'cancelled')
  + (select count(*) from hold h where h.session_id = w.session_id and h.reason_id = w.reason_id) end
from (
  select s.id as session_id, r.reason_id, coalesce(r.most, reason.most_a_session) as most
  from consultation_session s join template_reason r on r.template_id = s.template_id
  join reason on reason.id = r.reason_id where s.id = any(cast(:sessions as uuid[]))
) w
where sr.session_id = w.session_id and sr.reason_id = w.reason_id and sr.most is distinct from w.most
""")


# One array, however many sessions: as many parameters take longer to read than the locks to take.
_HOLD_KEPT = text("""
select id from hold where session_id = any(cast(:sessions as uuid[])) order by session_id, id for no key update
""")
_HOLD = text("""
select id from consultation_session where id = any(cast(:sessions as uuid[])) order by id for no key update
""")


def hold_still(session_ids: Collection[UUID]) -> None:
    """Let nobody book, move or cancel in these sessions until the end of the transaction. What was kept in them is
    held first, as everybody does."""
    names = {"sessions": list(session_ids)}
    session.execute(_HOLD_KEPT, names)
    session.execute(_HOLD, names)


def carry_out(plan: Plan, *, offers: bool) -> None:
    """Write a plan made while its sessions were held still. offers: the reasons it takes may have changed too."""
    if plan.gone:
        session.execute(_REMOVE, {"sessions": plan.gone})
    if plan.changed:
        session.execute(_CHANGE, _columns(plan.changed, _CHANGED))
    if plan.new:
        session.execute(_OPEN, _columns(plan.new, _COLUMNS))
        session.execute(_OFFER, {"sessions": [row["id"] for row in plan.new]})
    if offers and plan.kept:
        _change_offers(plan.kept)
    _give_back_kept([row["id"] for row in plan.changed])
    # Free cells were counted anew, without what the hospital's own agenda fills: whoever knows it says so again.
    opened = [row["id"] for row in (*plan.new, *plan.changed)]
    if opened:
        opening.tell_opened(opened)


def _change_offers(session_ids: list[UUID]) -> None:
    names = {"sessions": session_ids}
    session.execute(_HOLD_REASONS, names)
    session.execute(_NO_MORE, names)
    session.execute(_OFFER, names)
    session.execute(_LIMIT, names)


def _columns(rows: Sequence[dict[str, Any]], names: Collection[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}


def reopen(changes: Sequence[tuple[UUID, int, int]]) -> None:
    """Open or close cells of sessions that are held still: (id, cells open before, cells open now)."""
    if not changes:
        return
    ids = [session_id for session_id, _before, _now in changes]
    session.execute(_REOPEN, {"id": ids, "open": [now for _id, _before, now in changes]})
    _give_back_kept(ids)
    opening.tell_opened(ids)


def _give_back_kept(session_ids: Collection[UUID]) -> None:
    """What was kept or proposed in time that has closed is given back: it could only become a stranded visit.

    Somebody may be confirming or changing a hold made while we waited for the session: theirs is left to them.
    """
    if not session_ids:
        return
    rows = session.execute(
        select(Hold, ConsultationSession.open)
        .join(ConsultationSession, ConsultationSession.id == Hold.session_id)
        .where(Hold.session_id.in_(session_ids))
        .order_by(Hold.session_id, Hold.id)
        .with_for_update(of=Hold, skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for kept, is_open in rows:
        cells = ((1 << kept.n_cells) - 1) << kept.first_cell
        if is_open & cells != cells:
            give_up(kept)
