"""Writing what concerns an account, reading it, and choosing how to be told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from auth.agents.models import StaffUnit
from auth.models import Account, StaffRight
from auth.news import gathering, kinds, wishes
from auth.news.kinds import KINDS
from auth.news.models import News, NewsChoice, NewsHours
from portal import audit, calendar, db, jobs, kpi
from portal.db import session
from portal.notifications import Mail


class ToldOfNothing(Exception):
    """Somebody must be told of these kinds by one channel at least: `args` are their codes."""


class DailyInQuietHours(Exception):
    """Nobody is told once a day at an hour when they are told nothing."""


@dataclass(frozen=True)
class Clock:
    """Hours of the person's clock when nothing leaves, and the one when they are told once a day."""

    quiet_from: int
    quiet_until: int
    daily_at: int
    weekends: bool
    time_zone: str


# -- what happened -------------------------------------------------------------------------------------------------


def take(account_id: UUID, mail: Mail) -> None:
    """What a room tells a practitioner or an agent becomes a line of theirs."""
    write(account_id, mail.kind, mail.path, urgent=mail.urgent)


def write(account_id: UUID, kind: str, path: str, *, urgent: bool = False) -> None:
    """Write, in the transaction of what happened, that it concerns this account. path: the page that shows it.

    Raises KeyError when there is no such kind.
    """
    values = {"id": uuid4(), "account_id": account_id, "kind": KINDS[kind].code, "path": path, "urgent": urgent}
    db.write_later(_WRITE, values | {"now": db.now()})
    kpi.count("news_written", dimension=kind)
    if urgent:
        jobs.enqueue("news.gather_urgent", account_id=str(account_id))


# As text, for the same reason as the audit's lines: nothing in the transaction waits for it.
_WRITE = (
    "insert into news (id, account_id, kind, path, urgent, waiting, created_at, look_at)"
    " values (:id, :account_id, :kind, :path, :urgent, true, :now, :now)"
)


def tell_unit(unit_id: UUID, right: str, *, kind: str, path: str, urgent: bool = False) -> int:
    """Write the same for each agent who works in this unit and holds the right there; returns how many. From a job."""
    agents = (
        select(StaffUnit.account_id)
        .join(Account, Account.id == StaffUnit.account_id)
        .join(
            StaffRight,
            (StaffRight.account_id == StaffUnit.account_id)
            & (StaffRight.establishment_id == StaffUnit.establishment_id),
        )
        .where(StaffUnit.unit_id == unit_id, StaffRight.right == right, Account.closed_at.is_(None))
    )
    found = session.scalars(agents).all()
    for account_id in found:
        write(account_id, kind, path, urgent=urgent)
    return len(found)


# -- reading -------------------------------------------------------------------------------------------------------


def read_page(account_id: UUID, path: str) -> None:
    """Somebody opens a page: what leads to it is no longer new, and no message tells it any more."""
    db.write_later(_READ, {"account_id": account_id, "path": path, "now": db.now()})


_READ = (
    "update news set read_at = :now, waiting = false"
    " where account_id = :account_id and path = :path and read_at is null"
)


def mark_all_read() -> None:
    """Nothing is new any more for the signed-in person."""
    mine = (News.account_id == db.current_actor().account_id, News.read_at.is_(None))
    session.execute(update(News).where(*mine).values(read_at=db.now(), waiting=False))


# -- choosing ------------------------------------------------------------------------------------------------------


def choose(rhythms: Mapping[tuple[str, str], str], clock: Clock) -> None:
    """How often the signed-in person is told of each (kind, channel), and when. Raises ToldOfNothing,
    DailyInQuietHours."""
    wanted = wishes.of(_account_id())
    _check(wanted, rhythms, clock)
    for (kind, channel), rhythm in rhythms.items():
        _keep(wanted.account.id, kind, channel, rhythm)
    row = insert(NewsHours).values(account_id=wanted.account.id, **vars(clock))
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=vars(clock)))
    gathering.look_again(wanted.account.id)
    audit.record("news_choice.changed", object_kind="account", object_id=wanted.account.id)


def stop(account_id: UUID, channel: str, codes: Collection[str]) -> None:
    """Tell an account nothing more of these kinds by this channel, except what it must hear of somehow.

    As the system, from the link of a message: whoever reads it need not sign in to have it stop.
    """
    wanted = wishes.of(account_id)
    for code in stoppable(wanted, channel, codes):
        _keep(account_id, code, channel, kinds.NEVER)
    gathering.look_again(account_id)
    audit.record("news.stopped", object_kind="account", object_id=account_id, kinds=",".join(sorted(codes)))


def stoppable(wanted: wishes.Wishes, channel: str, codes: Collection[str]) -> list[str]:
    """Those of these kinds that may stop by this channel: not needed, or told by another one."""
    others = [other for other in kinds.CHANNELS if other != channel]
    return [
        code
        for code in codes
        if wanted.account.audience not in KINDS[code].needed
        or any(wanted.rhythm(code, other) != kinds.NEVER for other in others)
    ]


def _check(wanted: wishes.Wishes, rhythms: Mapping[tuple[str, str], str], clock: Clock) -> None:
    audience = wanted.account.audience
    silent = [
        kind.code
        for kind in kinds.of(audience)
        if audience in kind.needed
        and all(rhythms.get((kind.code, channel), kinds.NEVER) == kinds.NEVER for channel in kinds.CHANNELS)
    ]
    if silent:
        raise ToldOfNothing(*silent)
    told_daily = any(rhythm == kinds.DAILY for (kind, _c), rhythm in rhythms.items() if kind != kinds.DIGESTS)
    if told_daily and calendar.is_quiet_hour(clock.daily_at, clock.quiet_from, clock.quiet_until):
        raise DailyInQuietHours


def _keep(account_id: UUID, kind: str, channel: str, rhythm: str) -> None:
    row = insert(NewsChoice).values(account_id=account_id, kind=kind, channel=channel, rhythm=rhythm)
    keys = ["account_id", "kind", "channel"]
    session.execute(row.on_conflict_do_update(index_elements=keys, set_={"rhythm": rhythm}))


def _account_id() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "a signed-in person"
    return account_id
