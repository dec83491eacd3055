"""The waiting room as administrators see it."""

from portal import db
from portal.db import session
from services.appointments.rush.models import USUAL_PACE, WaitingRoom


def room() -> WaitingRoom:
    return session.get(WaitingRoom, 1) or WaitingRoom(id=1, per_minute=USUAL_PACE, next_at=db.now())
