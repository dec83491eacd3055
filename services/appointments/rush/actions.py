"""Taking one's turn, and saying how many people come in a minute."""

from datetime import datetime

from sqlalchemy import text

from portal import audit, kpi
from portal.db import session
from services.appointments.rush.models import USUAL_PACE, WaitingRoom

# A turn every so many milliseconds (GCRA, as ATM networks shaped their traffic): no queue to store, nobody to call.
_TAKE = text("""
insert into waiting_room as room (id, per_minute, next_at)
values (1, :usual, cast(:now as timestamptz) + interval '1 minute' / :usual)
on conflict (id) do update set next_at = greatest(room.next_at, :now) + interval '1 minute' / room.per_minute
returning next_at - interval '1 minute' / per_minute
""")


def take_turn(now: datetime) -> datetime:
    """When whoever has just come may go on: now, or after all those who came before.

    Turns are given in the order of arrival, one row being locked for the time of this statement.
    """
    # A turn lost in a crash of the server harms nobody: these commits need not wait for the disk.
    session.execute(text("set local synchronous_commit = off"))
    turn: datetime = session.scalars(_TAKE, {"now": now, "usual": USUAL_PACE}).one()
    return turn


def count_wait() -> None:
    """Somebody has to wait."""
    kpi.count("waiting_room_entered")


def change_pace(room: WaitingRoom, per_minute: int) -> None:
    """Let so many people in a minute. Those who have their turn keep it."""
    before, room.per_minute = room.per_minute, per_minute
    session.merge(room)
    session.flush()
    audit.record("waiting_room.changed", object_kind="waiting_room", before=before, after=per_minute)
