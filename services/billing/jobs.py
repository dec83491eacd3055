"""The trips to PayFiP. Each is: look, ask with no transaction open, write down in one transaction.

`settle` is the only way money comes in, whoever calls: a notification, the payer who returns, the clock, an agent,
an operator. It needs no done-mark: the ledger's unique key makes it harmless to run twice, or twelve times at once.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from portal import db, establishments, jobs
from portal.config import Settings
from portal.gateways import OutcomeUnknown, Refused, Unavailable, payments
from portal.gateways.payments import Exchange, Mode, Payments, Result
from services.billing import actions, bill_file, queries, states
from services.billing.actions import Silence, Started
from services.billing.bill_file import BillLine, Refusal
from services.billing.models import PaymentAttempt

_POLLED_AT_ONCE = 100
_LEASE = timedelta(minutes=10)
"""An attempt whose job was enqueued is left alone this long; the job itself sets the true next moment."""
_BATCH = 1000
_REFUSALS_KEPT = 1000
_PAYFIP_SECONDS = 8.0
"""Payers wait for an answer this long at most: web threads are few. Whoever is cut is asked about again later."""


class PaymentSiteAway(Exception):
    """PayFiP could not open a payment now. Nothing was taken; trying again is safe."""


class PaymentRefused(Exception):
    """PayFiP refuses to open this payment; `code` is its own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Counter:
    """The door, the portal's own address, and whether test payments credit bills here."""

    door: Payments | None = None
    base_url: str = ""
    tests_count: bool = False


_counter = _Counter()


def connect(settings: Settings) -> None:
    """Open the payment door that the environment names. Raises UnsupportedUrl."""
    _counter.door = payments.connect(
        settings.payfip_endpoint_url, payment_url=settings.payfip_payment_url, timeout_seconds=_PAYFIP_SECONDS
    )
    _counter.base_url = settings.base_url
    _counter.tests_count = not settings.is_production


def _door() -> Payments:
    assert _counter.door is not None, "the room is registered before it is used"
    return _counter.door


def payment_page_url(idop: str) -> str:
    return _door().payment_page_url(idop)


# -- opening a payment -------------------------------------------------------------------------------------------


def open_payment_page(started: Started) -> str:
    """Ask PayFiP to open an operation for an attempt already committed, and return where the payer goes.

    Raises PaymentRefused, PaymentSiteAway: the attempt is closed, another may begin at once.
    """
    with db.transaction(db.system("billing.open")) as current:
        attempt = current.get_one(PaymentAttempt, started.attempt_id)
    evidence: list[Exchange] = []
    try:
        idop = _create(attempt, started.return_token, evidence)
    except Refused as refusal:
        _give_up(attempt.id, refusal.code, evidence)
        raise PaymentRefused(refusal.code) from refusal
    except (Unavailable, OutcomeUnknown) as trouble:
        # Perhaps an operation was opened, but nobody knows its idop: nobody can pay it.
        _give_up(attempt.id, type(trouble).__name__, evidence)
        raise PaymentSiteAway from trouble
    with db.transaction(db.system("billing.open")):
        actions.open_payment(attempt.id, idop, _last(evidence))
    return payment_page_url(idop)


def _create(attempt: PaymentAttempt, return_token: str, evidence: list[Exchange]) -> str:
    return _door().create(
        exer=attempt.exer,
        email=attempt.email,
        amount_cents=attempt.amount_cents,
        numcli=attempt.numcli,
        subject=f"Facture {attempt.refdet}",
        refdet=attempt.refdet,
        mode=Mode(attempt.mode),
        notify_url=f"{_counter.base_url}/callbacks/payfip",
        return_url=f"{_counter.base_url}/factures/retour/{return_token}",
        exchange=evidence.append,
    )


def _give_up(attempt_id: UUID, code: str, evidence: list[Exchange]) -> None:
    with db.transaction(db.system("billing.open")):
        actions.give_up(attempt_id, code, _last(evidence))


def _last(evidence: list[Exchange]) -> Exchange | None:
    return evidence[-1] if evidence else None


# -- settling ----------------------------------------------------------------------------------------------------


def settle(attempt_id: UUID) -> str:
    """Ask PayFiP what became of an attempt, draw the consequences, and return the attempt's state."""
    with db.transaction(db.system("billing.settle")) as current:
        attempt = current.get_one(PaymentAttempt, attempt_id)
    if attempt.is_settled or attempt.state == "failed":
        return attempt.state
    if attempt.psp_ref is None:
        return _close_if_lost(attempt)
    evidence: list[Exchange] = []
    answer = _ask(attempt.psp_ref, evidence)
    with db.transaction(db.system("billing.settle")):
        return actions.hear(attempt_id, answer, _last(evidence), tests_count=_counter.tests_count)


def _ask(idop: str, evidence: list[Exchange]) -> Result | Silence:
    try:
        return _door().result(idop, exchange=evidence.append)
    except Refused as refusal:
        return Silence(refusal.code)
    except Unavailable:
        return Silence()


def _close_if_lost(attempt: PaymentAttempt) -> str:
    """The process died between our record and PayFiP's answer, or is still waiting for it."""
    if db.now() < attempt.created_at + states.CREATION_LOST_AFTER:
        return attempt.state
    with db.transaction(db.system("billing.settle")):
        actions.give_up(attempt.id, "lost")
    return "failed"


@jobs.task("billing.settle")
def settle_later(attempt_id: str) -> None:
    """`settle`, asked for by a notification or by the clock."""
    settle(UUID(attempt_id))


@jobs.periodic("* * * * *", "billing.poll_attempts")
def poll_attempts() -> None:
    """Ask about every attempt whose moment has come: notifications may never come. Safe to run twice at once."""
    now = db.now()
    with jobs.reading():
        for attempt in queries.attempts_due(now, _POLLED_AT_ONCE):
            attempt.next_poll_at = now + _LEASE
            jobs.enqueue("billing.settle", attempt_id=str(attempt.id))


# -- bills from the billing system -------------------------------------------------------------------------------


@dataclass
class ImportReport:
    """What became of the file's lines; the first thousand refusals are kept, all are counted."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusal: Refusal) -> None:
        self.refused += 1
        if len(self.refusals) < _REFUSALS_KEPT:
            self.refusals.append(refusal)


def import_bills(path: Path) -> ImportReport:
    """Load a file of bills in batches, each its own transaction; run again, it takes up where it was cut.

    Raises NotSuchAFile before anything is written.
    """
    report, batch = ImportReport(), dict[tuple[str, ...], BillLine]()
    with db.transaction(db.system("billing.import")):
        known = {place.finess: place.id for place in establishments.establishments()}
    for line in bill_file.read(path):
        if isinstance(line, Refusal):
            report.refuse(line)
        elif line.finess not in known:
            report.refuse(Refusal(line.line, line.reference, f"finess: no hospital has the number {line.finess}"))
        else:
            # One statement cannot write the same bill twice: a repeated one waits for the next batch.
            if line.key in batch or len(batch) >= _BATCH:
                _merge(batch, known, report)
            batch[line.key] = line
    _merge(batch, known, report)
    return report


def _merge(batch: dict[tuple[str, ...], BillLine], known: dict[str, UUID], report: ImportReport) -> None:
    if not batch:
        return
    with db.transaction(db.system("billing.import")):
        merged = actions.merge_bills(list(batch.values()), known)
    report.added += merged.added
    report.changed += merged.changed
    report.unchanged += len(batch) - merged.added - merged.changed
    batch.clear()
