"""What an administrator changes of the calendar."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import audit
from portal.db import session
from services.preadmission.calendars.models import StayCalendarRule


@dataclass(frozen=True)
class Change:
    """Days before the stay; None leaves what the kind of stay, or the hospital, says."""

    opens: int | None = None
    recommended: int | None = None
    cut_off: int | None = None
    cut_off_hour: int | None = None
    reminders: tuple[int, ...] | None = None
    to_complete_days: int | None = None

    @property
    def is_empty(self) -> bool:
        return self == Change()


def change(establishment_id: UUID, unit_id: UUID | None, wanted: Change) -> None:
    """Write what a hospital, or one of its units, changes; nothing left is no rule any more."""
    rule = _rule(establishment_id, unit_id)
    if wanted.is_empty and rule is not None:
        session.delete(rule)
    elif not wanted.is_empty:
        if rule is None:
            rule = StayCalendarRule(id=uuid4(), establishment_id=establishment_id, unit_id=unit_id)
            session.add(rule)
        for name in ("opens", "recommended", "cut_off", "cut_off_hour", "to_complete_days"):
            setattr(rule, name, getattr(wanted, name))
        rule.reminders = None if wanted.reminders is None else sorted(set(wanted.reminders), reverse=True)
    session.flush()
    audit.record(
        "stay_calendar.changed", establishment_id=establishment_id, object_kind="unit" if unit_id else "establishment",
        object_id=unit_id or establishment_id,
    )  # fmt: skip


def _rule(establishment_id: UUID, unit_id: UUID | None) -> StayCalendarRule | None:
    place = StayCalendarRule.unit_id == unit_id if unit_id else StayCalendarRule.unit_id.is_(None)
    return session.scalar(
        select(StayCalendarRule)
        .where(StayCalendarRule.establishment_id == establishment_id, place)
        .with_for_update(key_share=True)
    )
