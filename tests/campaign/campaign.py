"""The campaign itself: everybody pays, everything breaks, time passes; then the ledger is held against the truth."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from portal.gateways.payments.payfip import CREATE, RESULT
from portal.gateways.payments.payfip_twin import Trouble
from tests.campaign.debts import give_back
from tests.campaign.fates import Fate, drawn
from tests.campaign.house import Bank, House
from tests.campaign.payers import GaveUp, Owed, Payer

BROWSERS = 6
_TICK_EVERY = 15
"""The clock strikes after so many payments."""
_QUIET_S = 120.0

ODDS = {
    **{f"{CREATE}.{trouble}": 0.012 for trouble in Trouble if trouble is not Trouble.SLOW},
    **{f"{RESULT}.{trouble}": 0.015 for trouble in Trouble if trouble is not Trouble.HUGE},
    "tampered": 0.08, "hidden": 0.10, "lost": 0.25, "repeated": 0.08, "late": 0.10, "forged": 0.10, "by_get": 0.3,
    "other_case": 0.3,
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What the end looks like. All but the counts must be 0 or empty."""

    difference_cents: int
    apart: list[str]
    wrong_receipts: int
    strangers: list[str]
    double_live: int
    failed_jobs: list[str]
    unbalanced_cents: int
    rounds: int
    paid: int
    paid_cents: int
    kills: int
    gave_up: int
    seconds: float


@dataclass
class Campaign:
    """`bills`: one payment each. `kills`: how many processes die on the way, evenly spread."""

    house: House
    bills: Sequence[Owed]
    database_url: str
    """A superuser's: the campaign sees everything, and moves time."""
    seed: int = 1
    kills: int = 4
    odds: dict[str, float] = field(default_factory=lambda: dict(ODDS))

    def __post_init__(self) -> None:
        self._done = 0
        self._gave_up = 0
        self._killed = 0
        self._lock = threading.Lock()
        self._draw = Random(self.seed)

    def run(self) -> Verdict:
        began = time.monotonic()
        self._bank.order("faults", odds=self.odds, seed=self.seed, slow_seconds=1.0)
        with ThreadPoolExecutor(BROWSERS) as browsers:
            fates = drawn(self.seed, len(self.bills))
            for payment in [browsers.submit(self._pay, *each) for each in zip(self.bills, fates, strict=True)]:
                payment.result()
        rounds = self._converge()
        self._bank_gives_back()
        return self._verdict(rounds, time.monotonic() - began)

    # -- while people pay ----------------------------------------------------------------------------------------

    def _pay(self, owed: Owed, fate: Fate) -> None:
        draw = Random(f"{self.seed}/{owed.bill_id}")
        with Payer(owed, self.house.portals, self._bank, draw, self._later) as payer:
            try:
                fate(payer)
            except GaveUp:
                self._gave_up += 1
        self._after_a_payment()

    def _after_a_payment(self) -> None:
        """Misfortunes that fall on everybody come after so many payments, not after so many seconds."""
        with self._lock:
            self._done += 1
            done, every = self._done, max(1, len(self.bills) // (self.kills + 1))
            dies = done % every == 0 and self._killed < self.kills
            self._killed += dies
        if done % _TICK_EVERY == 0:
            self._strike()
        if done == len(self.bills) // 2:
            self._bank.order("purge")
        if dies:
            self._kill_one(self._killed)

    def _kill_one(self, turn: int) -> None:
        """Web processes and workers in turn; the other one of each kind stays."""
        kind = self.house.webs if turn % 2 else self.house.workers
        victim = kind[turn // 2 % len(kind)]
        victim.kill()
        if kind == [victim]:
            self._bury_workers()
        victim.start()
        if victim in self.house.webs:
            self.house.wait_for(self.house.portals[self.house.webs.index(victim)])

    # -- time ----------------------------------------------------------------------------------------------------

    def _later(self, bill_id: UUID, minutes: int) -> None:
        """Minutes pass for one bill, and the clock strikes."""
        self._sql(
            "update payment_attempt a set created_at = created_at - m, state_at = state_at - m,"
            " next_poll_at = next_poll_at - m, notified_at = notified_at - m from make_interval(mins => %s) m"
            " where a.id in (select attempt_id from attempt_share where bill_id = %s)",
            minutes,
            bill_id,
        )
        self._strike()

    def _strike(self) -> None:
        """The minute: the poller's job, as the workers' own clocks ask for it."""
        for name in ("billing.poll_attempts", "jobs.retry_stalled"):
            try:
                self._sql(
                    "select procrastinate_defer_jobs_v1(array[row('clock', %s::text, 0, null, %s::text,"
                    " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])",
                    name,
                    name,
                )
            except psycopg.errors.UniqueViolation:
                continue  # the former minute has not been heard yet

    # -- the end -------------------------------------------------------------------------------------------------

    def _converge(self) -> int:
        """Everything heals; how many rounds of the poller it takes until ledger and truth agree (3: it does not)."""
        self._bank.order("clear")
        self._bank.order("quiet")
        if len(self.house.workers) > 1:
            self._kill_all_workers()
        for made in (0, 1, 2):
            self._wait_until_quiet()
            if not self._apart():
                return made
            self._round()
        self._wait_until_quiet()
        return 3 if self._apart() else 2

    def _bank_gives_back(self) -> None:
        """One accepted debit in two is rejected in the end, and the bank's list says so."""
        debits = sorted(one["idop"] for one in self._bank.truth()["operations"] if one["code"] == "V")
        for idop in debits[::2]:
            self._bank.order("bounce", idop=idop)
            give_back(idop)

    def _kill_all_workers(self) -> None:
        """Which of them still lives nobody can tell from the database: all of them die, once more."""
        for worker in self.house.workers:
            worker.kill()
            self._killed += 1
        self._bury_workers()
        for worker in self.house.workers:
            worker.start()

    def _bury_workers(self) -> None:
        """No worker lives: a minute later what they held is given back to the queue."""
        self._sql("delete from procrastinate_workers")
        self._strike()

    def _round(self) -> None:
        """One round of the poller: every attempt that is still followed is asked about once."""
        self._sql(
            "update payment_attempt set next_poll_at = now(), created_at = created_at - interval '3 minutes'"
            " where next_poll_at is not null"
        )
        deadline = time.monotonic() + _QUIET_S
        while self._sql("select 1 from payment_attempt where next_poll_at <= now() limit 1"):
            self._strike()
            self._wait_until_quiet()
            if time.monotonic() > deadline:
                raise TimeoutError("the poller leaves attempts behind")

    def _wait_until_quiet(self) -> None:
        deadline = time.monotonic() + _QUIET_S
        while self._sql(
            "select 1 from procrastinate_jobs where status = 'doing'"
            " or (status = 'todo' and (scheduled_at is null or scheduled_at <= now())) limit 1"
        ):
            if time.monotonic() > deadline:
                raise TimeoutError(f"jobs do not end:\n{self.house.workers[0].log()[-3000:]}")
            time.sleep(0.1)

    def _apart(self) -> dict[str, int]:
        """idop → cents of difference between what was really paid and what the ledger says."""
        truth = {one["idop"]: one["paid_cents"] for one in self._bank.truth()["operations"]}
        booked = {idop: int(cents) for idop, cents in self._sql(_BOOKED)}
        apart = {idop: booked.get(idop, 0) - truth.get(idop, 0) for idop in truth.keys() | booked.keys()}
        return {idop: cents for idop, cents in apart.items() if cents}

    def _verdict(self, rounds: int, seconds: float) -> Verdict:
        told, apart = self._bank.truth(), self._apart()
        ours = {idop for (idop,) in self._sql("select psp_ref from payment_attempt where psp_ref is not null")}
        paid = [one["paid_cents"] for one in told["operations"] if one["paid_cents"]]
        (wrong_receipts,), (double_live,), (unbalanced,) = (
            self._sql(each)[0] for each in (_WRONG_RECEIPTS, _DOUBLE_LIVE, _UNBALANCED)
        )
        return Verdict(
            difference_cents=sum(map(abs, apart.values())),
            apart=[f"{idop} {cents:+d}" for idop, cents in apart.items()],
            wrong_receipts=wrong_receipts,
            strangers=sorted(set(told["asked_about"]) - ours),
            double_live=double_live,
            failed_jobs=[name for (name,) in self._sql(_FAILED)],
            unbalanced_cents=int(unbalanced),
            rounds=rounds,
            paid=len(paid),
            paid_cents=sum(paid),
            kills=self._killed,
            gave_up=self._gave_up,
            seconds=seconds,
        )

    @property
    def _bank(self) -> Bank:
        return self.house.bank

    def _sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            yield connection


_BOOKED = (
    "select psp_ref, sum(case kind when 'payment' then amount_cents else -amount_cents end) from ledger_entry"
    " where kind in ('payment', 'rejection') group by psp_ref"
)
_WRONG_RECEIPTS = (
    "select count(*) from ledger_entry e where e.kind = 'payment'"
    " and (select count(*) from receipt r where r.entry_id = e.id) <> 1"
)
_DOUBLE_LIVE = (
    "select count(*) from (select s.bill_id from attempt_share s join payment_attempt a on a.id = s.attempt_id"
    " where a.state in ('created', 'awaiting') group by s.bill_id having count(*) > 1) doubled"
)
_FAILED = "select task_name from procrastinate_jobs where status = 'failed'"
_UNBALANCED = "select coalesce(sum(debit_cents) - sum(credit_cents), 0) from ledger_line"
