"""How long the house keeps what it noted of its own machinery: tries and closings of doors, times when it was down."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute

from admin.availability import Outage
from portal.db import Keyed, session
from portal.gateways.board import DoorPause, DoorTest
from portal.kpi import forgetting
from portal.retention import Due, Rule, offer

_Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


def declare() -> None:
    offer(
        Rule(
            "door_test",
            _l("Tries of connectors"),
            _l("Counted from the asking"),
            90, _due(DoorTest, DoorTest.asked_at), _erase(DoorTest, DoorTest.asked_at), of_portal=True,
        ),
        Rule(
            "door_pause",
            _l("Connectors closed by agents"),
            _l("Counted from the opening; what is still closed is kept"),
            forgetting.KEPT_DAYS,
            _due(DoorPause, DoorPause.resumed_at), _erase(DoorPause, DoorPause.resumed_at), of_portal=True,
        ),
        Rule(
            "outage",
            _l("Times when the portal was down"),
            _l("Counted from their end; the figures of availability stay"),
            forgetting.KEPT_DAYS, _due(Outage, Outage.ended_at), _erase(Outage, Outage.ended_at), of_portal=True,
        ),
    )  # fmt: skip


def _due(model: type[Keyed], ended_at: _Moment) -> Callable[[UUID | None, datetime, int], Sequence[Due]]:
    def due(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
        found = select(model.id).where(ended_at < before).order_by(ended_at)
        return [Due(each) for each in session.scalars(found.limit(limit))]

    return due


def _erase(model: type[Keyed], ended_at: _Moment) -> Callable[[UUID, datetime], bool]:
    def erase(key: UUID, before: datetime) -> bool:
        gone = delete(model).where(model.id == key, ended_at < before)
        return session.execute(gone.returning(model.id)).first() is not None

    return erase
