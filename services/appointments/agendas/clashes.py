"""Nobody receives in two sessions at once, and no room is two people's: refused to whoever publishes it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from portal import db
from portal.db import session
from services.appointments.agendas.plans import Plan


class _Clash(Exception):
    """at: the first moment, UTC. practitioner: who receives then."""

    def __init__(self, at: datetime, practitioner: str) -> None:
        super().__init__(f"{at} {practitioner}")
        self.at, self.practitioner = at, practitioner


class RoomTaken(_Clash):
    """Another session has this room at the same hour."""


class AlreadyReceives(_Clash):
    """The practitioner has another session at the same hour: its times would be offered twice, and taken once."""


# -- practitioners -----------------------------------------------------------------------------------------------

# No session is longer than fifteen hours: sixty cells of a quarter of an hour.
_AT_ONCE = text("""
select a.start_at, concat_ws(' ', p.title, p.given_name, p.family_name) as practitioner
from consultation_session a
join consultation_session b on b.practitioner_id = a.practitioner_id and b.id <> a.id and b.planned <> 0
  and b.start_at > a.start_at - interval '15 hours'
  and b.start_at < a.start_at + make_interval(mins => a.step_min * a.n_cells)
  and a.start_at < b.start_at + make_interval(mins => b.step_min * b.n_cells)
join practitioner p on p.id = a.practitioner_id
where a.id = any(cast(:sessions as uuid[])) and a.planned <> 0 and a.start_at > :now
order by a.start_at limit 1
""")


def check_practitioners(plan: Plan) -> None:
    """Raises AlreadyReceives when a session that the plan, carried out, opens or changes overlaps another one of its
    practitioner, in whichever unit. Those that nobody touches are left alone: stopping one is a way out."""
    written = [row["id"] for row in (*plan.new, *plan.changed)]
    found = session.execute(_AT_ONCE, {"sessions": written, "now": db.now()}).one_or_none() if written else None
    if found is not None:
        raise AlreadyReceives(found.start_at, found.practitioner)


# -- rooms -------------------------------------------------------------------------------------------------------

_TWICE = text("""
select a.start_at, concat_ws(' ', p.title, p.given_name, p.family_name) as practitioner
from consultation_session a
join consultation_session b on b.room_id = a.room_id and b.id <> a.id and b.planned <> 0
  and b.start_at < a.start_at + make_interval(mins => a.step_min * a.n_cells)
  and a.start_at < b.start_at + make_interval(mins => b.step_min * b.n_cells)
join practitioner p on p.id = b.practitioner_id
where a.template_id = any(cast(:templates as uuid[])) and a.planned <> 0 and a.start_at > :now
order by a.start_at limit 1
""")
_TAKEN_ROOMS = text("""
select wanted.id from unnest(cast(:id as uuid[]), cast(:room_id as uuid[]), cast(:start_at as timestamptz[]),
                             cast(:minutes as integer[])) as wanted (id, room_id, start_at, minutes)
join consultation_session b on b.room_id = wanted.room_id and b.planned <> 0
  and b.start_at < wanted.start_at + make_interval(mins => wanted.minutes)
  and wanted.start_at < b.start_at + make_interval(mins => b.step_min * b.n_cells)
""")


def check_rooms(templates: Sequence[UUID]) -> None:
    """Raises RoomTaken when one of their sessions to come has a room that another session has."""
    found = session.execute(_TWICE, {"templates": templates, "now": db.now()}).one_or_none()
    if found is not None:
        raise RoomTaken(found.start_at, found.practitioner)


def leave_taken_rooms(plan: Plan) -> None:
    """By night nobody is there to be asked: what would take a room twice waits for an agent."""
    rows = [row for row in plan.new if row["room_id"]]
    if not rows:
        return
    values = {name: [row[name] for row in rows] for name in ("id", "room_id", "start_at")}
    values["minutes"] = [row["step_min"] * row["n_cells"] for row in rows]
    refused = set(session.scalars(_TAKEN_ROOMS, values))
    plan.new = [row for row in plan.new if row["id"] not in refused]
