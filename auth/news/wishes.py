"""How somebody wants to be told, with what is usual where they chose nothing. Their own, or as the system."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from auth.models import Account, StaffRight
from auth.news import kinds
from auth.news.models import NewsBox, NewsChoice, NewsHours
from auth.news.windows import Hours
from portal import calendar
from portal.db import session
from portal.establishments import Establishment

ZONES: Final = (
    "Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "America/Miquelon",
    "Indian/Reunion", "Indian/Mayotte", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis",
)  # fmt: skip
_MORNING: Final = 8
"""When agents are told once a day; practitioners are at noon."""


@dataclass(frozen=True)
class Wishes:
    """chosen: (kind, channel) → rhythm. box: their professional box, proven or not."""

    account: Account
    hours: Hours
    chosen: Mapping[tuple[str, str], str]
    box: NewsBox | None

    @property
    def has_box(self) -> bool:
        return self.box is not None and self.box.verified_at is not None

    def rhythm(self, kind: str, channel: str, *, urgent: bool = False) -> str:
        """How often they are told of a kind by a channel. What is urgent is told at once whatever they chose, by their
        box if they have one, else by mail."""
        if channel == kinds.MSSANTE and not self.has_box:
            return kinds.NEVER
        if channel == kinds.MAIL and not self.account.email:
            return kinds.NEVER
        if urgent and (channel == kinds.MSSANTE) == self.has_box:
            return kinds.AT_ONCE
        usual = kinds.usual(kind, self.account.audience, channel, has_box=self.has_box)
        return self.chosen.get((kind, channel), usual)


def of(account_id: UUID) -> Wishes:
    """Of this account. Raises NoResultFound."""
    account = session.get_one(Account, account_id)
    rows = session.scalars(select(NewsChoice).where(NewsChoice.account_id == account_id))
    chosen = {(row.kind, row.channel): row.rhythm for row in rows}
    return Wishes(account, _hours(account), chosen, session.get(NewsBox, account_id))


def _hours(account: Account) -> Hours:
    place = _place(account)
    zone = place.time_zone if place else "Europe/Paris"
    rules = place.holiday_rules if place else "metropole"
    row = session.get(NewsHours, account.id)
    if row is None:
        usual = Hours(ZoneInfo(zone), holidays=rules)
        return usual if account.audience != "staff" else Hours(usual.tz, daily_at=_MORNING, holidays=rules)
    if row.time_zone != zone:
        rules = calendar.holiday_rules("", row.time_zone)
    return Hours(ZoneInfo(row.time_zone), row.quiet_from, row.quiet_until, row.daily_at, row.weekends, rules)


def _place(account: Account) -> Establishment | None:
    """Where an agent works, or the first hospital of the group."""
    query = select(Establishment).order_by(Establishment.finess).limit(1)
    if account.audience == "staff":
        held = select(StaffRight.establishment_id).where(StaffRight.account_id == account.id)
        query = query.where(Establishment.id.in_(held))
    return session.scalar(query)
