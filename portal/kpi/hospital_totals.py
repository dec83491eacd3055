"""What only the hospital's own systems know: all appointments, all stays, all bills, active patients.

By month or by day, typed on screen, imported or sent by a machine. A later word replaces a former one, which is kept
with who said it. A period is fed when every day of it is covered, at every hospital that is counted: a month's total
covers its whole month and is never cut into days. Nothing is guessed.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import audit, calendar, db
from portal.db import Base, Keyed, session
from portal.establishments import Establishment
from portal.kpi.reading import Period

Grain = Literal["month", "day"]
Source = Literal["file", "screen", "machine"]
Around = Callable[[], AbstractContextManager[object]]
CODES: Final = (
    "consultations_booked",
    "open_reasons_booked",
    "stays_planned",
    "bills_issued",
    "bills_issued_cents",
    "active_patients",
)
"""Appointments created for outpatient consultations; those for reasons open online; planned stays; bills of a patient
share issued, and their sum in cents; patients seen lately (as the hospital counts them, on the last day)."""
STOCKS: Final = ("active_patients",)
"""Not summed: the last one of the period counts."""
MOST: Final = 10**14
_LONGEST: Final = 32
_DAY: Final = timedelta(days=1)
"""Signs of a number with its leading zeros; Python reads no number of five thousand digits."""


WHY: Final = {
    "code": "code: {told} is not one of " + ", ".join(CODES),
    "grain": "grain: {told} is neither month nor day",
    "value": "value: not a whole number, zero or more",
    "day": "day: {told} is not a day such as 2026-10-01",
    "first_day": "day: a month is named by its first day",
    "not_over": "day: {told} is not over",
    "too_old": "day: {told} is before 2000",
    "finess": "finess: no hospital of yours has the number {told}",
    "line": "{told}",
}


class NotATotal(ValueError):
    """This cannot be a total. reason: a code of WHY; told: what was read; the message says both in English."""

    def __init__(self, reason: str, told: str = "") -> None:
        self.reason, self.told = reason, told[:40] or "nothing"
        super().__init__(WHY[reason].format(told=self.told))


class HospitalTotal(Keyed, Base):
    """One word of a hospital. day: the day itself, or the first day of the month. value: a number, or cents.
    source: file | screen | machine. replaced_at: when a later word took its place."""

    __tablename__ = "kpi_hospital_total"
    __table_args__ = (
        CheckConstraint("grain in ('month', 'day')", "grain"),
        CheckConstraint("source in ('file', 'screen', 'machine')", "source"),
        CheckConstraint(f"value between 0 and {MOST}", "value"),
        CheckConstraint("grain = 'day' or extract(day from day) = 1", "day"),
        Index(
            "uq_kpi_hospital_total_establishment_id_code_day_grain",
            *("establishment_id", "code", "day", "grain"),
            unique=True,
            postgresql_where=text("replaced_at is null"),
        ),
        Index("ix_kpi_hospital_total_establishment_id_received_at", "establishment_id", "received_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    code: Mapped[str]
    day: Mapped[date] = mapped_column(Date)
    grain: Mapped[str]
    value: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str]
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    received_at: Mapped[datetime] = mapped_column(default=db.now)
    replaced_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Entry:
    """One total of one hospital, to be received."""

    establishment_id: UUID
    code: str
    day: date
    grain: Grain
    value: int


@dataclass
class Received:
    """How many totals were new, took the place of another value, or said what was known."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


def read_entry(place: Establishment, code: str, day: str, grain: str, value: str) -> Entry:
    """A total as a file or a machine writes it: ISO day (or month, `2026-10`), whole number. Raises NotATotal."""
    if code not in CODES:
        raise NotATotal("code", code)
    if grain not in ("month", "day"):
        raise NotATotal("grain", grain)
    if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST) or int(value) > MOST:
        raise NotATotal("value")
    try:
        on = date.fromisoformat(f"{day}-01" if grain == "month" and len(day) == 7 else day)
    except ValueError as error:
        raise NotATotal("day", day) from error
    _check_over(place, on, grain)
    return Entry(place.id, code, on, "month" if grain == "month" else "day", int(value))


def _check_over(place: Establishment, day: date, grain: str) -> None:
    if grain == "month" and day.day != 1:
        raise NotATotal("first_day")
    if last_day(day, grain) >= calendar.civil_day(db.now(), place.tz):
        raise NotATotal("not_over", day.isoformat())
    if day.year < 2000:
        raise NotATotal("too_old", day.isoformat())


@lru_cache(maxsize=1_000)
def last_day(day: date, grain: str) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1]) if grain == "month" else day


# -- receiving -----------------------------------------------------------------------------------------------------


def receive(entries: Iterable[Entry], source: Source, *, around: Around = nullcontext) -> Received:
    """Take totals in; of several about the same thing the last one counts. The same totals again change nothing.
    around: who writes them, for an actor who may only say them."""
    told = {(each.establishment_id, each.code, each.day, each.grain): each.value for each in entries}
    if not told:
        return Received()
    actor = db.current_actor()
    facts = {"source": source, "by": actor.label, "by_name": actor.name, "now": db.now(), **_columns(told)}
    with around():
        session.execute(_LOCK)
        replaced = {tuple(row) for row in session.execute(_REPLACE, facts)}
        written = {tuple(row) for row in session.execute(_WRITE, facts)}
    for place in {key[0] for key in told}:
        audit.record(
            "totals.received",
            establishment_id=place,
            object_kind="totals",
            source=source,
            written=sum(key[0] == place for key in written),
        )
    return Received(len(written - replaced), len(replaced), len(told) - len(written))


def _columns(told: Mapping[tuple[UUID, str, date, Grain], int]) -> dict[str, list[object]]:
    places, codes, days, grains = (list(column) for column in zip(*told, strict=True))
    return {"places": places, "codes": codes, "days": days, "grains": grains, "values": list(told.values())}


# Two files at once would each see no former word of a total: they come one after the other.
_LOCK = text("select pg_advisory_xact_lock(hashtextextended('kpi hospital totals', 0))")
_GIVEN = (
    "unnest(cast(:places as uuid[]), cast(:codes as text[]), cast(:days as date[]), cast(:grains as text[]),"
    " cast(:values as bigint[])) as g (establishment_id, code, day, grain, value)"
)
_SAME = "t.establishment_id = g.establishment_id and t.code = g.code and t.day = g.day and t.grain = g.grain"
_REPLACE = text(
    f"update kpi_hospital_total t set replaced_at = :now from {_GIVEN}"
    f" where t.replaced_at is null and {_SAME} and t.value <> g.value"
    " returning t.establishment_id, t.code, t.day, t.grain"
)
_WRITE = text(
    "insert into kpi_hospital_total (id, establishment_id, code, day, grain, value, source, by, by_name, received_at)"
    " select gen_random_uuid(), g.establishment_id, g.code, g.day, g.grain, g.value, :source, :by, :by_name, :now"
    f" from {_GIVEN} where not exists"
    f" (select 1 from kpi_hospital_total t where t.replaced_at is null and {_SAME})"
    " returning establishment_id, code, day, grain"
)


# -- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fed:
    """The hospitals' total over a period. value: None when it is not fed. missing: the first days of the months in
    which something lacks."""

    value: int | None
    missing: tuple[date, ...] = ()


@dataclass
class _Known:
    """One hospital's words of one kind: by month, and by day."""

    months: dict[date, int] = field(default_factory=dict)
    days: dict[date, int] = field(default_factory=dict)
    _whole: dict[date, int | None] = field(default_factory=dict)

    def of_days(self, first: date, last: date) -> int | None:
        """All these days together; None when one of them lacks."""
        told, day = 0, first
        while day <= last:
            if day not in self.days:
                return None
            told, day = told + self.days[day], day + _DAY
        return told

    def of_month(self, month: date) -> int | None:
        """A whole month: its own total, else all its days. Pages ask for the same months many times."""
        if month not in self._whole:
            own = self.months.get(month)
            self._whole[month] = self.of_days(month, last_day(month, "month")) if own is None else own
        return self._whole[month]


def fed(code: str, period: Period) -> Fed:
    """What the hospitals of the period say, in one statement for all the codes and periods that stand side by side."""
    known = period.once("hospital totals", _load)
    wanted = period.establishment_id
    places = [place for place in known if wanted in (None, place) and (wanted or period.reading.covers(place))]
    told = [_of_place(known[place].get(code, _Known()), code, period) for place in places]
    missing = tuple(sorted({month for each in told for month in each.missing}))
    if missing or not told:
        return Fed(None, missing or tuple(months_of(period.first, period.last)))
    return Fed(sum(each.value or 0 for each in told))


def _of_place(known: _Known, code: str, period: Period) -> Fed:
    return _last(known, period) if code in STOCKS else _sum(known, period)


def _last(known: _Known, period: Period) -> Fed:
    """The latest count whose day, or last day of the month, is in the period."""
    found = {last_day(month, "month"): value for month, value in known.months.items()} | known.days
    inside = [day for day in found if period.first <= day <= period.last]
    return Fed(found[max(inside)]) if inside else Fed(None, (period.last.replace(day=1),))


def _sum(known: _Known, period: Period) -> Fed:
    told, missing = 0, []
    for month, begins, ends, is_whole in _by_months(period.first, period.last):
        value = known.of_month(month) if is_whole else known.of_days(begins, ends)
        if value is None:
            missing.append(month)
        else:
            told += value
    return Fed(None, tuple(missing)) if missing else Fed(told)


@lru_cache(maxsize=1_000)
def _by_months(first: date, last: date) -> Sequence[tuple[date, date, date, bool]]:
    """Each month of these days: its first day, those of its days that are among them, whether all are."""
    ends = {month: last_day(month, "month") for month in months_of(first, last)}
    return [(month, max(month, first), min(end, last), first <= month and end <= last) for month, end in ends.items()]


def months_of(first: date, last: date) -> Iterator[date]:
    """The first day of each month between these days, both included."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _load() -> dict[UUID, dict[str, _Known]]:
    """Hospital → code → what it says; each hospital is there, were it silent."""
    found: dict[UUID, dict[str, _Known]] = {}
    for place, code, by_month, month, days, values in session.execute(_BY_MONTH):
        known = found.setdefault(place, {})
        if code is not None:
            here = known.setdefault(code, _Known())
            here.days.update(zip(days or (), values or (), strict=True))
            here.months.update({} if by_month is None else {month: by_month})
    return found


_BY_MONTH = text(
    "select e.id, t.code, max(t.value) filter (where t.grain = 'month'), date_trunc('month', t.day)::date,"
    " array_agg(t.day order by t.day) filter (where t.grain = 'day'),"
    " array_agg(t.value order by t.day) filter (where t.grain = 'day')"
    " from establishment e left join kpi_hospital_total t on t.establishment_id = e.id and t.replaced_at is null"
    " group by e.id, t.code, date_trunc('month', t.day)"
)


def words(establishment_id: UUID, first: date, last: date) -> Sequence[HospitalTotal]:
    """All that a hospital said of these days, the latest word first, replaced ones included."""
    return session.scalars(
        _of(establishment_id)
        .where(HospitalTotal.day.between(first, last))
        .order_by(HospitalTotal.received_at.desc(), HospitalTotal.code, HospitalTotal.day)
        .limit(_MOST_WORDS)
    ).all()


def by_month(establishment_id: UUID, first: date, last: date) -> dict[tuple[date, str], "Month"]:
    """(Month, code) → what is told of it; nothing for a month of which nothing is."""
    month = func.date_trunc("month", HospitalTotal.day).cast(Date)
    query = (
        select(
            month,
            HospitalTotal.code,
            func.max(HospitalTotal.value).filter(HospitalTotal.grain == "month"),
            func.count().filter(HospitalTotal.grain == "day"),
            func.sum(HospitalTotal.value).filter(HospitalTotal.grain == "day"),
        )
        .where(HospitalTotal.establishment_id == establishment_id, HospitalTotal.replaced_at.is_(None))
        .where(HospitalTotal.day.between(first, last))
        .group_by(month, HospitalTotal.code)
    )
    return {
        (when, code): Month(when, own, days, int(told or 0)) for when, code, own, days, told in session.execute(query)
    }


@dataclass(frozen=True)
class Month:
    """One month of one code. own: its own total; days, sum_of_days: those told by day."""

    first: date
    own: int | None
    days: int
    sum_of_days: int

    @property
    def length(self) -> int:
        """In days."""
        return last_day(self.first, "month").day

    @property
    def value(self) -> int | None:
        """Its own total, else the sum of all its days."""
        return self.own if self.own is not None or self.days < self.length else self.sum_of_days


_MOST_WORDS: Final = 200


def _of(establishment_id: UUID) -> Select[HospitalTotal]:
    return select(HospitalTotal).where(HospitalTotal.establishment_id == establishment_id)
