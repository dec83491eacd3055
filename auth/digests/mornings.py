"""Each business morning of a hospital: who is told what waits, once. As the system.

The morning is from half past seven by the hospital's clock until ten: a worker that was away tells it late, not at
night. Nothing is sent when nothing waits.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from auth.digests import mails, queries, sources
from auth.digests.models import DigestAddress, DigestMorning
from auth.digests.queries import Agent, Count
from auth.models import Account
from auth.news import kinds
from auth.news.models import NewsChoice
from portal import calendar, kpi, notifications
from portal.db import session
from portal.establishments import Establishment

BEGINS, ENDS = time(7, 30), time(10, 0)


def tell(now: datetime) -> int:
    """Tell those whose morning it is, and who were not told yet; returns how many messages were written."""
    hospitals = [
        each for each in session.scalars(select(Establishment)) if is_morning(now, each.tz, each.holiday_rules)
    ]
    if not hospitals:
        return 0
    here = {each.id: calendar.civil_day(now, each.tz) for each in hospitals}
    found = queries.counts({source.right: set(here) for source in sources.sources()}, now)
    silent = _silent()
    told = sum(_tell_agent(agent, found, here) for agent in queries.agents(here) if agent.account.id not in silent)
    return told + sum(_tell_address(each, found, here) for each in queries.addresses(here))


def is_morning(now: datetime, tz: ZoneInfo, rules: str) -> bool:
    """Whether the clock shows a time when what waits is told, on a business day of the hospital."""
    local = now.astimezone(tz)
    return BEGINS <= local.time() < ENDS and calendar.is_business_day(local.date(), rules)


def _tell_agent(agent: Agent, found: Sequence[Count], here: dict[UUID, date]) -> bool:
    """One message, whatever the number of hospitals; the day is that of the first one."""
    mine = agent.concerned(found)
    day = min(here[place] for places in agent.rights.values() for place in places)
    if not _mark(day, _sum(mine), account_id=agent.account.id):
        return False
    return _write(mine, agent.account.email, account=agent.account)


def _tell_address(address: DigestAddress, found: Sequence[Count], here: dict[UUID, date]) -> bool:
    """What waits in the unit; in the whole hospital when the address is of none."""
    unit = address.unit_id
    theirs = [
        each
        for each in found
        if each.establishment_id == address.establishment_id and (unit is None or each.unit_id == unit)
    ]
    if not _mark(here[address.establishment_id], _sum(theirs), address_id=address.id):
        return False
    return _write(theirs, address.address, shared_id=address.id)


def _write(
    found: Collection[Count], recipient: str, *, account: Account | None = None, shared_id: UUID | None = None
) -> bool:
    if not found:
        return False
    if account is not None:
        mail = mails.morning(_numbers(found), mails.stop_agent(account.id))
        notifications.tell(mail, recipient=recipient, account_id=account.id, locale=account.locale)
    else:
        assert shared_id is not None, "an agent or a shared address"
        notifications.tell(mails.morning(_numbers(found), mails.stop_shared(shared_id)), recipient=recipient)
    kpi.count("digest_told", dimension="agent" if account else "shared", quantity=_sum(found))
    return True


def _mark(day: date, waiting: int, *, account_id: UUID | None = None, address_id: UUID | None = None) -> bool:
    """Once a day, whatever happens: False when it was done."""
    row = insert(DigestMorning).values(
        id=uuid4(), account_id=account_id, address_id=address_id, day=day, waiting=waiting
    )
    return session.scalar(row.on_conflict_do_nothing().returning(DigestMorning.id)) is not None


def _numbers(found: Iterable[Count]) -> list[mails.Number]:
    """By kind of thing, whatever the unit: the name of a unit says too much in a mail."""
    number, late = Counter[str](), Counter[str]()
    labels = {}
    for each in found:
        number[each.source.code] += each.number
        late[each.source.code] += each.late
        labels[each.source.code] = each.source.label
    return [mails.Number(labels[code], number[code], late[code]) for code in number]


def _sum(found: Iterable[Count]) -> int:
    return sum(each.number for each in found)


def _silent() -> frozenset[UUID]:
    """Agents who want no summary."""
    never = select(NewsChoice.account_id).where(
        NewsChoice.kind == kinds.DIGESTS, NewsChoice.channel == kinds.MAIL, NewsChoice.rhythm == kinds.NEVER
    )
    return frozenset(session.scalars(never))
