"""A child with two parents, a patient with a person of trust; and those of the demonstration."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from auth.models import Account, Patient
from portal import db
from portal.db import session
from portal.establishments import Unit
from services.preadmission.answers import Answers, Choices, Holders, Identity, Situation, Trust
from services.preadmission.choices import actions as choices
from services.preadmission.companions import actions, queries, texts
from services.preadmission.companions.actions import composing
from services.preadmission.companions.models import Companion, Signature
from services.preadmission.models import Preadmission
from services.preadmission.prices import actions as prices
from tests.factories import mandates, people
from tests.factories import preadmission as files
from tests.factories.demonstration import World, account_of
from tests.ground import today


@dataclass(frozen=True)
class Family:
    """A child of eight, their mother who acts for them here, and their father who has an account of his own."""

    child: Patient
    mother: Account
    father: Account
    father_as_patient: Patient
    mother_as_patient: Patient


def family(establishment_id: UUID | None = None) -> Family:
    """Nobody has signed anything yet; the mother alone acts for the child."""
    child = people.patient("AUBRAC", ("LÉO",), date(today().year - 8, 3, 2))
    mother, mother_as_patient = _adult("VASSEUR", ("ÉLISE",))
    father, father_as_patient = _adult("AUBRAC", ("MARC", "PAUL"))
    mandates.mandate(mother, child, "parent", establishment_id=establishment_id)
    return Family(child, mother, father, father_as_patient, mother_as_patient)


def _adult(birth_name: str, first_names: tuple[str, ...]) -> tuple[Account, Patient]:
    person = people.patient(birth_name, first_names)
    own = people.account(name=person.full_name)
    people.give_access(own, person)
    return own, person


def childs_file(one: Family, unit: Unit, state: str = "submitted", planned_on: date | None = None) -> Preadmission:
    """An operation of the child, both parents named."""
    answers: tuple[Answers, ...] = (
        Situation(authority="both"),
        Identity(phone="+33639980001", email="elise@exemple.test", street="4 rue des Lilas", postcode="91990",
                 town="Arceau"),
        BOTH,
    )  # fmt: skip
    made = files.preadmission(
        one.child, unit, state, account_id=one.mother.id, stay_kind="day_case", answers=answers, planned_on=planned_on
    )
    actions.follow_holders(made, BOTH)
    return made


BOTH = Holders(
    first_name="Élise Vasseur",
    second_first_name="Marc",
    second_name="Aubrac",
    second_email="marc@exemple.test",
    signing="online",
)
TRUST = Trust(
    wanted="yes", first_name="Noa", name="Morel", link="sibling", phone="+33639980099", email="noa@exemple.test",
    signing="online",
)  # fmt: skip


def trusting_file(person: Patient, account: Account, unit: Unit, state: str = "submitted") -> Preadmission:
    """A stay of an adult who names a person of trust."""
    made = files.preadmission(person, unit, state, account_id=account.id, answers=(TRUST, files.cover_of(person)))
    actions.follow_trust(made, TRUST)
    return made


def signed(companion: Companion, account: Account, *, by_patient: bool = False) -> None:
    """As if this account had signed."""
    act = texts.DESIGNATION if by_patient else texts.ACTS[companion.role]
    words = composing.compose(companion, act, "fr")
    session.add(
        Signature(
            id=uuid4(), companion_id=companion.id, account_id=account.id, by_patient=by_patient, at=db.now(),
            decision="signed", signer_name=account.name, provider="franceconnect", acr="eidas1", text_kind=act.kind,
            text_version=act.version, locale="fr", words=words, digest=texts.digest(words),
        )
    )  # fmt: skip
    if not by_patient:
        companion.account_id, companion.signer_name, companion.words = account.id, account.name, words
        actions.traces.move(companion, "signed")
    session.flush()


# -- the demonstration ---------------------------------------------------------------------------------------------


def demonstrate(world: World) -> None:
    """A child whose mother has signed and whose father has the link; an adult whose brother is asked; two prices."""
    child, mother = world.patients["child"], _account(world.patients["camille"])
    arceau = world.north.unit
    prices.set_price(world.north.establishment.id, None, 6250, today() - timedelta(days=300))
    prices.set_price(world.north.establishment.id, None, 6500, today() + timedelta(days=60))
    both = BOTH.model_copy(update={"first_name": mother.name, "second_name": "Lormeval"})
    operation = files.preadmission(
        child, arceau, "submitted", account_id=mother.id, stay_kind="day_case",
        planned_on=today() + timedelta(days=6), answers=(Situation(authority="both"), both, files.cover_of(child)),
    )  # fmt: skip
    actions.follow_holders(operation, both)
    for rank in (1, 2):
        one = queries.standing_one(operation.id, "holder", rank)
        assert one is not None, "both parents are named"
        signed(one, mother) if rank == 1 else actions.invite(one)
    suzanne = world.patients["suzanne"]
    stay = trusting_file(suzanne, _account(suzanne), arceau, "validated")
    trusted = queries.standing_one(stay.id, "trust")
    assert trusted is not None, "she names somebody"
    signed(trusted, _account(suzanne), by_patient=True)
    actions.invite(trusted)
    choices.note(stay, Choices(by_mail=True, outside_team=False, text_version="2026-11"))


def _account(person: Patient) -> Account:
    return session.get_one(Account, account_of(person))
