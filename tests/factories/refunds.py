"""Payments that came in, refunds, disputes and payouts, without a trip to a provider."""

import secrets
from datetime import timedelta
from uuid import uuid4

from auth.models import Account
from portal import db
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.payments import stripe_account
from portal.gateways.payments.means import Answer, Counter, Ending
from portal.gateways.payments.stripe_account import Movement
from services.billing import actions
from services.billing.disputes import actions as disputes
from services.billing.ledger.models import LedgerEntry
from services.billing.models import AttemptShare, Bill, PaymentAttempt
from services.billing.payouts import actions as payouts
from services.billing.refunds import actions as refunds
from services.billing.refunds.actions.traces import move, trace
from services.billing.refunds.models import Refund
from tests.factories import billing
from tests.factories.demonstration import World


def payment(
    *owed: Bill, psp: str = "stripe", cents: int | None = None, days_ago: int = 0, number: str = "", email: str = ""
) -> LedgerEntry:
    """Money came in for these bills, as its provider said; cents: for each, its due unless given."""
    at = db.now() - timedelta(days=days_ago, minutes=7)
    amounts = {each.id: cents or each.due_cents for each in owed}
    place = session.get_one(Establishment, owed[0].establishment_id)
    made = PaymentAttempt(
        id=uuid4(), establishment_id=place.id, source=owed[0].source, psp=psp, psp_ref=f"cs_test_{uuid4().hex}",
        return_digest=secrets.token_bytes(32), amount_cents=sum(amounts.values()), refdet=owed[0].refdet,
        exer=owed[0].exer, numcli=place.finess if psp == "stripe" else "090909", mode="T", email=email,
        state="expired", created_at=at, state_at=at,
    )  # fmt: skip
    made.shares.extend(
        AttemptShare(bill_id=each.id, establishment_id=place.id, amount_cents=amounts[each.id], live=False)
        for each in owed
    )
    session.add(made)
    session.flush()
    said = Answer(
        psp_ref=made.psp_ref or "", ending=Ending.PAID, code="paid", amount_cents=made.amount_cents, currency="EUR",
        reference=made.refdet, account=made.numcli, mode="T", number=number or _number(psp), paid_at=at,
    )  # fmt: skip
    actions.hear(made.id, said, tests_count=True)
    session.flush()
    return session.query(LedgerEntry).filter_by(attempt_id=made.id, kind="payment").one()


def _number(psp: str) -> str:
    return f"pi_{uuid4().hex[:24]}" if psp == "stripe" else f"{uuid4().int % 10**12:012d}-tip"


# -- the demonstration -------------------------------------------------------------------------------------------


def demonstrate(world: World) -> None:
    """Refunds in every tray, a dispute to answer and one won, and two transfers to the bank."""
    place = world.north.establishment
    _refunds(place, world.agents["billing-agent"], world.agents["administrator"])
    _at_stripe(place)


def _refunds(place: Establishment, agent: Account, other: Account) -> None:
    for asked_by, cents, psp, then in (
        (other, 31_500, "stripe", ""),
        (agent, 18_000, "stripe", ""),
        (other, 12_000, "payfip", ""),
        (agent, 2_400, "payfip", "approved"),
        (agent, 4_520, "stripe", "pending"),
        (other, 1_980, "stripe", "done"),
        (agent, 2_750, "stripe", "failed"),
    ):
        twice = billing.bill(place, None, cents, label="Consultation", unit="Cardiologie")
        payment(twice, psp=psp, days_ago=21)
        entry = payment(twice, psp=psp, days_ago=20)
        _refund(twice, entry, asked_by, then)
    for days, cents, psp in ((44, 3_150, "stripe"), (9, 5_230, "payfip")):
        twice = billing.bill(place, None, cents, label="Échographie", unit="Cardiologie")
        payment(twice, psp=psp, days_ago=days + 30)
        payment(twice, psp=psp, days_ago=days)


def _refund(bill: Bill, entry: LedgerEntry, asked_by: Account, then: str) -> None:
    """One refund, asked for by this agent, as far as `then` ("": it waits for a second person)."""
    made = Refund(
        id=uuid4(), establishment_id=bill.establishment_id, bill_id=bill.id, entry_id=entry.id, psp=entry.psp,
        amount_cents=bill.due_cents, reason="overpaid", note="Payée deux fois le même jour.", state="asked",
        needs_second=not then, asked_by=asked_by.id, asked_by_name=asked_by.name, asked_at=db.now() - timedelta(days=2),
    )  # fmt: skip
    session.add(made)
    trace(made, "")
    if then:
        move(made, "approved")
    if then not in ("", "approved"):
        refunds.begin(made.id)
        refunds.hear(made.id, f"re_{made.id.hex[:24]}", "pending")
    if then in ("done", "failed"):
        refunds.hear(made.id, f"re_{made.id.hex[:24]}", then, "expired_or_canceled_card" if then == "failed" else "")


def _at_stripe(place: Establishment) -> None:
    """Four payments: one disputed, one whose dispute was won, all sent to the bank in two transfers."""
    paid = [
        (owed := billing.bill(place, None, cents, label="Chambre particulière", unit="Maternité"), payment(owed))
        for cents in (6_000, 12_000, 8_400, 4_520)
    ]
    _dispute(place, paid[1][1], "needs_response")
    _dispute(place, paid[2][1], "won")
    for number, some in enumerate((paid[:2], paid[2:])):
        _payout(place, [entry for _bill, entry in some], days_ago=9 - 7 * number, lost=number == 1)


def _dispute(place: Establishment, entry: LedgerEntry, state: str) -> None:
    name = f"du_{uuid4().hex[:24]}"
    moved = [_movement("dispute", -entry.amount_cents, name, fee=2_000)]
    if state == "won":
        moved.append(_movement("dispute_reversal", entry.amount_cents, name))
    disputes.hear(
        place.id,
        place.finess,
        stripe_account.Dispute(
            name,
            entry.number,
            f"ch_{uuid4().hex[:24]}",
            entry.amount_cents,
            "EUR",
            state,
            "unrecognized" if state == "won" else "fraudulent",
            tuple(moved),
            db.now() + timedelta(days=2),
        ),
    )


def _payout(place: Establishment, entries: list[LedgerEntry], *, days_ago: int, lost: bool) -> None:
    """A transfer of these payments less Stripe's fees; lost: with a payment that the ledger does not know."""
    name = f"po_{uuid4().hex[:24]}"
    sent = [(entry.amount_cents, entry.number) for entry in entries] + ([(1_500, "pi_unknown")] if lost else [])
    moved = [_movement("charge", cents, number, fee=cents * 15 // 1000 + 25, payment=number) for cents, number in sent]
    total = sum(each.net_cents for each in moved)
    told = stripe_account.Payout(name, total, "EUR", "paid", db.now() - timedelta(days=days_ago), "", "")
    payouts.hear(place.id, Counter(place.finess, "T"), told, [*moved, _movement("payout", -total, name)])


def _movement(kind: str, amount: int, source: str, *, fee: int = 0, payment: str = "") -> Movement:
    name = f"txn_{uuid4().hex[:24]}"
    return Movement(name, kind, amount, fee, amount - fee, "EUR", source, db.now() - timedelta(days=3), payment)
