"""Opening a calendar's address, changing it, taking it back."""

from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from portal import audit, calendar, db
from portal.db import session
from portal.kpi import GROUP_ZONE
from services.appointments import tokens
from services.appointments.feed import queries
from services.appointments.feed.models import CalendarFeed

PURPOSE: Final = "calendar feed"


def open_feed() -> CalendarFeed:
    """The signed-in person's calendar; a second click finds the first one's."""
    return queries.mine() or _make("calendar_feed.opened", with_details=False, with_proxied=False)


def renew() -> CalendarFeed | None:
    """Another address, the same choices: the former one is dead."""
    former = queries.mine()
    if former is None:
        return None
    chosen = {"with_details": former.with_details, "with_proxied": former.with_proxied}
    session.delete(former)
    session.flush()
    return _make("calendar_feed.renewed", **chosen)


def choose(feed: CalendarFeed, *, with_details: bool, with_proxied: bool) -> None:
    """What it tells, and of whom."""
    feed.with_details, feed.with_proxied = with_details, with_proxied
    session.flush()
    audit.record(
        "calendar_feed.changed",
        object_kind="calendar_feed",
        object_id=feed.id,
        with_details="yes" if with_details else "no",
        with_proxied="yes" if with_proxied else "no",
    )


def close() -> None:
    """Take the address back: calendars that read it find nothing any more."""
    feed = queries.mine()
    if feed is None:
        return
    session.delete(feed)
    session.flush()
    audit.record("calendar_feed.closed", object_kind="calendar_feed", object_id=feed.id)


def read(feed: CalendarFeed) -> None:
    """A calendar came for it: the owner sees the day of the last time."""
    today = calendar.civil_day(db.now(), ZoneInfo(GROUP_ZONE))
    if feed.last_read_on == today:
        return
    feed.last_read_on = today
    session.flush()
    audit.record("calendar_feed.read", object_kind="calendar_feed", object_id=feed.id)


def address_of(feed: CalendarFeed) -> str:
    """The end of its address; "" when the portal's secret that made it is gone: renew it then."""
    token = tokens.made(PURPOSE, feed.id, feed.digest)
    return f"{token}.ics" if token else ""


def _make(what: str, *, with_details: bool, with_proxied: bool) -> CalendarFeed:
    feed_id = uuid4()
    made = CalendarFeed(
        id=feed_id,
        account_id=db.current_actor().account_id,
        digest=tokens.digest(tokens.token_of(PURPOSE, feed_id)),
        with_details=with_details,
        with_proxied=with_proxied,
    )
    session.add(made)
    session.flush()
    audit.record(what, object_kind="calendar_feed", object_id=feed_id)
    return made
