"""Fictional bill sources with somebody to ask, questions about bills, prepared answers and past reminders."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.models import Account, Patient
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from services.billing.models import Bill
from services.billing.questions import actions
from services.billing.questions.models import BillAnswer, BillQuestion
from services.billing.reminders.models import BillReminder
from services.billing.sources.models import BillSource
from tests.factories import billing, people
from tests.factories.demonstration import World, account_of
from tests.factories.requests import acting
from tests.ground import today

_ANSWERS = (
    ("", "Nous vérifions", "Bonjour,\n\nNous vérifions votre facture auprès du service et revenons vers vous ici même"
     " sous cinq jours ouvrés. D’ici là, vous n’avez rien à payer.\n\nLe service facturation"),
    ("unclear", "Qui paie quoi", "Bonjour,\n\nLa Sécurité sociale (AMO) et votre complémentaire (AMC) paient leur part"
     " directement à l’hôpital. Il reste à votre charge la somme « Votre part ».\n\nBien à vous,\nLe service"
     " facturation"),
    ("paid", "Paiement retrouvé", "Bonjour,\n\nNous avons bien retrouvé votre paiement : la facture sera soldée d’ici"
     " trois jours ouvrés. Vous n’avez rien à faire.\n\nLe service facturation"),
    ("instalments", "Paiement en trois fois", "Bonjour,\n\nNous acceptons un paiement en trois fois, chaque mois, à"
     " partir du mois prochain. Dites-nous si cela vous convient.\n\nLe service facturation"),
)  # fmt: skip

_DISPUTE = (
    "Bonjour,\n\nJe suis sortie le matin du troisième jour : je pense n’avoir à payer que deux forfaits.\n\nMerci"
)
_UNCLEAR = "Pourquoi cette somme ? Je croyais être remboursée à 100 %."
_ANSWER = "Bonjour,\n\nC’est le ticket modérateur : votre complémentaire n’était pas connue ce jour-là."


def asked(
    bill: Bill, account: Account, person: Patient, kind: str = "question", text: str = "Bonjour ?"
) -> BillQuestion:
    """Somebody asks about their bill."""
    with acting(people.as_patient(account, person)):
        return actions.ask(person.id, bill.id, kind, text)


def answered(
    thread: BillQuestion, agent: Account, text: str = "Bonjour, voici.", *, closes: bool = False
) -> BillQuestion:
    """A billing agent answers."""
    place = thread.establishment_id
    with acting(people.as_agent(agent, place, "billing")):
        return actions.answer([place], thread.id, text, version=thread.version, closes=closes)


def source(place: Establishment, kind: str = "regie", **facts: Any) -> BillSource:
    """The hospital's usual source of that kind, paid through PayFiP in test mode."""
    made = BillSource(
        **{
            "id": uuid4(),
            "establishment_id": place.id,
            "code": kind,
            "kind": kind,
            "name": "Régie des recettes" if kind == "regie" else "Titres de recettes",
            "numcli": "090909" if kind == "regie" else "090911",
            "saisie": "T",
            "means": ["payfip"],
            "access": "key",
            "several": False,
            "reminds": kind == "regie",
            **facts,
        }
    )
    session.add(made)
    session.flush()
    return made


def demonstrate(world: World) -> None:
    """A thread in each state, answers to start from, and what was sent lately."""
    north = world.north.establishment
    dominique, suzanne = world.patients["dominique"], world.patients["suzanne"]
    for kind, title, body in _ANSWERS:
        session.add(BillAnswer(id=uuid4(), establishment_id=north.id, kind=kind, title=title, body=body))
    asked(
        _bill(dominique, "Forfait journalier hospitalier, 3 jours"), _account(dominique), dominique, "dispute", _DISPUTE
    )
    thread = asked(_bill(suzanne, "Consultation de cardiologie"), _account(suzanne), suzanne, "unclear", _UNCLEAR)
    answered(thread, world.agents["billing-agent"], _ANSWER)
    _several(north, dominique)
    _reminded(north, account_of(dominique))


def _account(person: Patient) -> Account:
    return session.get_one(Account, account_of(person))


def _several(north: Establishment, person: Patient) -> None:
    """Enough past bills for the list to be worth filtering."""
    for number in range(5):
        sent_on = today() - timedelta(days=260 + 60 * number)
        old = billing.bill(
            north, person, 1650 + 370 * number, label="Actes de biologie", unit="Laboratoire", exer=str(sent_on.year),
            issued_on=sent_on, care_on=sent_on - timedelta(days=14), due_on=sent_on + timedelta(days=60),
        )  # fmt: skip
        old.closed_reason, old.closed_at = "paid_elsewhere", db.now() - timedelta(days=200 + 60 * number)


def _reminded(north: Establishment, account: UUID) -> None:
    for days, state in ((12, "sent"), (4, "dropped"), (2, "sent")):
        day = calendar.civil_day(db.now(), north.tz) - timedelta(days=days)
        session.add(BillReminder(
            id=uuid4(), establishment_id=north.id, recipient_id=account, account_id=account, day=day, state=state,
            because="nothing_due" if state == "dropped" else "", bills=1,
        ))  # fmt: skip


def _bill(person: Patient, label: str) -> Bill:
    """The person's newest bill of that name, which the demonstration of bills made."""
    found = select(Bill).where(Bill.patient_id == person.id, Bill.label == label).order_by(Bill.issued_on.desc())
    return session.scalars(found.limit(1)).one()
