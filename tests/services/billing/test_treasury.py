"""The treasury's batches: each movement once, numbers without gaps, totals of the ledger, the same bytes for ever."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from portal import db
from portal.calendar import civil_day
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.payments.means import Ending
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import LedgerEntry, LedgerLine
from services.billing.models import Bill
from services.billing.treasury import actions, layout, queries
from services.billing.treasury.layout import Amounts
from services.billing.treasury.models import TreasuryBatch, TreasuryLine
from tests.factories import billing, hospitals
from tests.ground import audited, prepared, rows
from tests.services.billing.conftest import Ground

CASH = text(
    "select coalesce(sum(l.debit_cents - l.credit_cents), 0)::bigint from ledger_line l"
    " where (l.account like 'clearing:%' or l.account = 'bank') and l.establishment_id = :place"
)

FEES = text("select coalesce(sum(debit_cents - credit_cents), 0)::bigint from ledger_line where account = 'fees'")


def booked(place: Establishment, at: datetime, *, ref: str = "", cents: int = 4520) -> UUID:
    """A payment written at that moment, which no test's clock tells."""
    entry, name = uuid4(), ref or str(uuid4())
    with prepared():
        session.execute(
            insert(LedgerEntry).inline().values(
                id=entry, establishment_id=place.id, psp="payfip", psp_ref=name, kind="payment", means="card",
                amount_cents=cents, currency="EUR", account="090909", booked_at=at, moved_at=at,
            )
        )  # fmt: skip
        for account, debit, credit in (("clearing:payfip:090909", cents, 0), ("receivable", 0, cents)):
            session.execute(
                insert(LedgerLine).inline().values(
                    id=uuid4(), entry_id=entry, establishment_id=place.id, kind="payment", account=account,
                    debit_cents=debit, credit_cents=credit,
                )
            )  # fmt: skip
    return entry


def seal(place: Establishment, until: date) -> list[tuple[int, date, int]]:
    with prepared():
        return [(each.number, each.day, each.entries) for each in actions.seal(place, until)]


@pytest.fixture
def place(ground: Ground) -> Establishment:
    return ground.hospital.establishment


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def test_each_day_with_movements_is_a_batch_and_numbers_have_no_gap(place: Establishment) -> None:
    booked(place, at(20))
    booked(place, at(20, 13))
    booked(place, at(23))
    assert seal(place, date(2026, 10, 24)) == [(1, date(2026, 10, 20), 2), (2, date(2026, 10, 23), 1)]
    assert seal(place, date(2026, 10, 24)) == []


def test_what_comes_in_late_goes_into_the_next_batch(place: Establishment) -> None:
    booked(place, at(20))
    assert seal(place, date(2026, 10, 20)) == [(1, date(2026, 10, 20), 1)]
    booked(place, at(20, 15))
    assert seal(place, date(2026, 10, 20)) == []  # its day is sealed: it waits
    assert seal(place, date(2026, 10, 21)) == [(2, date(2026, 10, 21), 1)]


def test_what_is_not_over_is_not_sealed(place: Establishment) -> None:
    booked(place, datetime(2026, 10, 25, 22, 59, tzinfo=UTC))  # 23:59 in Paris, an hour longer that day
    booked(place, datetime(2026, 10, 25, 23, 0, tzinfo=UTC))
    assert seal(place, date(2026, 10, 25)) == [(1, date(2026, 10, 25), 1)]
    assert seal(place, date(2026, 10, 26)) == [(2, date(2026, 10, 26), 1)]


def test_hospitals_count_each_for_itself(place: Establishment) -> None:
    with prepared():
        other = hospitals.hospital("990000025", "Hôpital d’à côté").establishment
    booked(place, at(20))
    booked(other, at(20))
    assert seal(place, date(2026, 10, 20))[0][0] == seal(other, date(2026, 10, 20))[0][0] == 1


def test_the_same_bytes_years_later_whatever_was_renamed(ground: Ground, place: Establishment) -> None:
    with prepared():
        billing.attempt(session.get_one(Bill, ground.bill.id), Ending.PAID)
    tomorrow = civil_day(db.now(), place.tz) + timedelta(days=1)
    seal(place, tomorrow)
    (batch,) = rows(TreasuryBatch)
    with prepared():
        before = queries.content_of(batch)
        renamed = session.get_one(Establishment, place.id)
        renamed.name, renamed.time_zone, renamed.finess = "=Autre nom", "Indian/Reunion", "990000033"
        bill = session.get_one(Bill, ground.bill.id)
        bill.reference, bill.refdet, bill.exer = "AUTRE", "AUTRE01", "2031"
    with prepared():
        found, after = actions.hand_over([place.id], batch.id)
    assert after == before
    assert layout.sha256(after) == found.sha256
    assert audited()[-1] == "treasury.downloaded"


def test_a_titres_payment_is_never_in_a_batch(ground: Ground, place: Establishment) -> None:
    with prepared():
        titre = billing.bill(place, ground.patient, source="titre")
        billing.attempt(titre, Ending.PAID)
    assert seal(place, civil_day(db.now(), place.tz) + timedelta(days=1)) == []


def test_a_payment_for_several_bills_has_a_line_for_each(ground: Ground, place: Establishment) -> None:
    with prepared():
        other = billing.bill(place, ground.patient, 1500)
        post(
            Posting(
                place.id, "payfip", "several", "payment", "090909",
                [
                    Side("clearing:payfip:090909", debit=6020),
                    Side("receivable", credit=4520, bill_id=ground.bill.id),
                    Side("receivable", credit=1500, bill_id=other.id),
                ],
                means="card",
            )
        )  # fmt: skip
    seal(place, civil_day(db.now(), place.tz) + timedelta(days=1))
    assert sorted(line.gross_cents for line in rows(TreasuryLine)) == [1500, 4520]
    (batch,) = rows(TreasuryBatch)
    assert (batch.entries, batch.lines, batch.gross_cents, batch.net_cents) == (1, 2, 6020, 6020)


def test_two_at_once_seal_each_movement_once(place: Establishment) -> None:
    for day in range(1, 9):
        booked(place, at(day))
    gate = threading.Barrier(4)

    def go() -> None:
        gate.wait()
        with db.transaction(db.system("tests")):
            actions.seal(session.get_one(Establishment, place.id), date(2026, 10, 8))

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(batch.number for batch in rows(TreasuryBatch)) == list(range(1, 9))
    assert len({line.entry_id for line in rows(TreasuryLine)}) == len(rows(TreasuryLine)) == 8


SEAL = text(
    "select procrastinate_defer_jobs_v1(array[row('clock', 'billing.seal_treasury', 0, null, null,"
    " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])"
)


def test_the_night_job_makes_up_for_the_nights_it_missed(place: Establishment, work_jobs: Callable[[], None]) -> None:
    booked(place, db.now() - timedelta(days=3))
    booked(place, db.now() - timedelta(days=2))
    booked(place, db.now())
    with prepared():
        session.execute(SEAL)
    work_jobs()
    made = sorted((batch.number, batch.entries) for batch in rows(TreasuryBatch))
    assert made == [(1, 1), (2, 1)]


def test_another_hospitals_batch_is_handed_to_nobody(place: Establishment) -> None:
    booked(place, at(20))
    seal(place, date(2026, 10, 20))
    (batch,) = rows(TreasuryBatch)
    with prepared(), pytest.raises(actions.UnknownBatch):
        actions.hand_over([uuid4()], batch.id)


_SIDES = {
    "payment": ("clearing:stripe:1", "receivable"),
    "rejection": ("receivable", "clearing:stripe:1"),
    "refund": ("overpaid", "clearing:stripe:1"),
    "refund_failed": ("clearing:stripe:1", "overpaid"),
    "dispute": ("disputes", "clearing:stripe:1"),
    "dispute_won": ("clearing:stripe:1", "disputes"),
    "dispute_fee": ("fees", "clearing:stripe:1"),
    "fee": ("fees", "clearing:stripe:1"),
    "payout": ("bank", "clearing:stripe:1"),
}
MOVES = st.lists(
    st.tuples(
        st.sampled_from(sorted(_SIDES)),
        st.integers(1, 10**9),
        st.integers(1, 28),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_whatever_moved_the_totals_of_the_batches_are_the_ledgers(
    place: Establishment, moves: list[tuple[str, int, int]]
) -> None:
    with prepared():
        for kind, cents, _day in moves:
            debit, credit = _SIDES[kind]
            sides = [Side(debit, debit=cents), Side(credit, credit=cents)]
            post(Posting(place.id, "stripe", str(uuid4()), kind, "1", sides, means="card"))
    seal(place, civil_day(db.now(), place.tz) + timedelta(days=1 + len(rows(TreasuryBatch))))
    batches = rows(TreasuryBatch)
    with prepared():
        cash = session.scalar(CASH, {"place": place.id})
        fees = session.scalar(FEES)
    assert sum(batch.net_cents for batch in batches) == cash
    assert sum(batch.fee_cents for batch in batches) == fees
    assert all(batch.gross_cents == batch.net_cents + batch.fee_cents for batch in batches)
    assert sum(batch.entries for batch in batches) == len(rows(LedgerEntry))


def test_amounts_add_up() -> None:
    assert Amounts(1, 2, 3, 4) + Amounts(10, 20, 30, 40) == Amounts(11, 22, 33, 44)
