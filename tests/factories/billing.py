"""Fictional bills, and payments heard of without a trip to the bank."""

import secrets
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from auth.models import Patient
from portal import db, establishments
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.payments.means import MOVES_MONEY, Answer, Ending
from services.billing import actions
from services.billing.access_keys import digest_of_birth, digest_of_key
from services.billing.models import AttemptShare, Bill, PaymentAttempt
from services.billing.sources.models import BillSource
from tests.factories.demonstration import World
from tests.ground import today

LETTER_KEY = "PRVS-2K7Q-9TXD"
"""The key on the letters of the demonstration."""


def bill(establishment: Establishment, person: Patient | None = None, due_cents: int = 4520, **facts: Any) -> Bill:
    """A bill of a consultation; its total is the sum of its shares unless given."""
    number = f"{uuid4().int % 10**8:08d}"
    amo, amc = facts.pop("amo_cents", 5480), facts.pop("amc_cents", 0)
    reference = facts.pop("reference", f"F{number}")
    made = Bill(
        **{
            "id": uuid4(),
            "establishment_id": establishment.id,
            "patient_id": person.id if person else None,
            "source": "regie",
            "exer": "2026",
            "reference": reference,
            "refdet": reference,
            "access_digest": digest_of_key(reference, LETTER_KEY),
            "birth_digest": digest_of_birth(reference, person.birth_on) if person else None,
            "label": "Consultation de cardiologie",
            "unit": "Cardiologie",
            "care_on": date(2026, 9, 14),
            "issued_on": date(2026, 10, 1),
            "due_on": date(2026, 12, 1),
            "amo_cents": amo,
            "amc_cents": amc,
            "due_cents": due_cents,
            "total_cents": amo + amc + due_cents,
            **facts,
        }
    )
    session.add(made)
    session.flush()
    return made


def attempt(owed: Bill, ending: Ending | None, *, days_ago: int = 0, code: str = "", lie_cents: int = 0) -> None:
    """Somebody tried to pay this bill, and its provider said this (None: nothing yet). lie_cents: a wrong amount."""
    at = db.now() - timedelta(days=days_ago, minutes=7)
    made = PaymentAttempt(
        id=uuid4(), establishment_id=owed.establishment_id, source=owed.source, psp_ref=str(uuid4()),
        return_digest=secrets.token_bytes(32), amount_cents=owed.due_cents, refdet=owed.refdet, exer=owed.exer,
        numcli="090909", mode="T", email="", state="awaiting", created_at=at, state_at=at,
    )  # fmt: skip
    made.shares.append(
        AttemptShare(bill=owed, establishment_id=owed.establishment_id, amount_cents=owed.due_cents, live=True)
    )
    session.add(made)
    session.flush()
    if ending is not None:
        actions.hear(made.id, _said(made, ending, code, lie_cents), tests_count=True)
        session.flush()


def _said(made: PaymentAttempt, ending: Ending, code: str, lie_cents: int) -> Answer:
    return Answer(
        psp_ref=made.psp_ref or "", ending=ending, code=code or ending.value, reference=made.refdet,
        account=made.numcli, amount_cents=made.amount_cents + lie_cents, currency="EUR", mode=made.mode,
        number=f"{uuid4().int % 10**12:012d}-tip" if ending in MOVES_MONEY else "", paid_at=made.created_at,
    )  # fmt: skip


def demonstrate(world: World) -> None:
    """Bills in every state, so that each page of the room shows something."""
    north, south = world.north.establishment, world.south.establishment
    dominique, suzanne, yacine = (world.patients[name] for name in ("dominique", "suzanne", "yacine"))
    _sources(north, south)
    _of_dominique(north, dominique)
    _of_suzanne(north, suzanne)
    attempt(_sent(north, yacine, 3150, 30, "Consultation d’ophtalmologie", "Ophtalmologie"), Ending.REFUSED, days_ago=1)
    _sent(north, world.patients["child"], 1890, 5, "Consultation de pédiatrie", "Ophtalmologie")
    _sent(south, world.patients["camille"], 12_000, 9, "Suppléments : chambre particulière, 2 nuits",
          "Maternité et gynécologie", amo_cents=0, source="private")  # fmt: skip
    _sent(south, world.patients["camille"], 3_000, 4, "Consultation de suivi", "Maternité et gynécologie")
    _sent(north, dominique, 5_650, 20, "Séjour en chirurgie ambulatoire", "Chirurgie ambulatoire", source="titre")
    _sent(north, world.patients["jean-marie"], 8_900, 50, "Soins externes", "Chirurgie ambulatoire")
    for number in range(8):
        _sent(north, None, 2300 + 415 * number, 3 * number, "Passage externe", "Cardiologie")


def source(place: Establishment, code: str = "regie", kind: str = "regie", **facts: Any) -> BillSource:
    """A described source, whose counter is PayFiP's in test mode unless given."""
    made = BillSource(
        **{
            "id": uuid4(), "establishment_id": place.id, "code": code, "kind": kind, "name": "Régie des consultations",
            "numcli": "090909", "saisie": "T", "means": ["payfip"], "access": "key", **facts,
        }
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _sources(north: Establishment, south: Establishment) -> None:
    source(north, several=True, reminds=True, contact_name="Régie des consultations", contact_phone="01 99 00 12 40",
           contact_email="regie@nord.exemple.test", contact_hours="du lundi au vendredi, de 9 h à 16 h")  # fmt: skip
    source(north, "titre", "titre", name="Titres du budget principal", numcli="090910",
           contact_name="Trésorerie hospitalière", contact_phone="01 99 00 98 00")  # fmt: skip
    source(south, reminds=True, name="Régie centrale", numcli="090920", access="amount_birth",
           means=["payfip", "stripe"])  # fmt: skip
    source(south, "private", "private", name="Chambres particulières", numcli="", saisie="", means=["stripe"],
           access="none")  # fmt: skip
    _take_stripe(south)


def _take_stripe(south: Establishment) -> None:
    """The simulator of Stripe opens an account to any test key; its webhooks are signed by the environment's secret."""
    agreement = {"enabled": "yes", "accountant": "Trésorerie hospitalière d’Arceau", "agreed_on": "2026-09-01"}
    for key, value in agreement.items():
        establishments.change_setting(south.id, f"stripe_{key}", value)
    establishments.change_setting(south.id, "stripe_api_key", "sk_test_demonstration", secret=True)


def _of_dominique(north: Establishment, dominique: Patient) -> None:
    _sent(north, dominique, 4520, 12, "Consultation de cardiologie", "Cardiologie", amc_cents=1860)
    _sent(north, dominique, 6000, 3, "Forfait journalier hospitalier, 3 jours", "Chirurgie ambulatoire", amo_cents=0)
    attempt(
        _sent(north, dominique, 2400, 70, "Consultation d’ophtalmologie", "Ophtalmologie"), Ending.PAID, days_ago=58
    )
    closed = _sent(north, dominique, 1650, 200, "Radiographie", "Imagerie médicale")
    closed.closed_reason, closed.closed_at = "paid_elsewhere", db.now() - timedelta(days=160)


def _of_suzanne(north: Establishment, suzanne: Patient) -> None:
    attempt(_sent(north, suzanne, 5230, 40, "Consultation de cardiologie", "Cardiologie"), Ending.DEBIT_ACCEPTED)
    attempt(_sent(north, suzanne, 7410, 15, "Échographie", "Cardiologie", amc_cents=2090), None)
    attempt(_sent(north, suzanne, 3300, 21, "Soins infirmiers", "Cardiologie"), Ending.PAID, lie_cents=100)
    twice = _sent(north, suzanne, 2900, 60, "Électrocardiogramme", "Cardiologie")
    attempt(twice, Ending.PAID, days_ago=31)
    attempt(twice, Ending.PAID, days_ago=30)


def _sent(
    place: Establishment, person: Patient | None, due_cents: int, days_ago: int, label: str, unit: str, **facts: Any
) -> Bill:
    """A bill sent that many days ago, due in sixty days, for care two weeks earlier."""
    sent_on = today() - timedelta(days=days_ago)
    return bill(
        place, person, due_cents, label=label, unit=unit, exer=str(sent_on.year), issued_on=sent_on,
        care_on=sent_on - timedelta(days=14), due_on=sent_on + timedelta(days=60), **facts,
    )  # fmt: skip
