"""A child with two parents, a patient with a person of trust; and those of the demonstration."""

from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from auth.models import Account, Patient
from portal import db
from portal.db import session
from portal.establishments import Unit
from services.preadmission.answers import Answers, Holders, Identity, Situation, Trust
from services.preadmission.companions import actions, texts
from services.preadmission.companions.actions import composing
from services.preadmission.companions.models import Companion, Signature
from services.preadmission.models import Preadmission
from tests.factories import mandates, people
from tests.factories import preadmission as files
from tests.factories.demonstration import World
from tests.ground import today


@dataclass(frozen=True)
class Family:
    """A child of eight, their mother who acts for them here, and their father who has an account of his own."""

    child: Patient
    mother: Account
    father: Account
    father_as_patient: Patient
    mother_as_patient: Patient


def family(establishment_id: object = None) -> Family:
    """Nobody has signed anything yet; the mother alone acts for the child."""
    child = people.patient("AUBRAC", ("LÉO",), date(today().year - 8, 3, 2))
    mother, mother_as_patient = people.patient_with_account(birth_name="VASSEUR", first_names=("ÉLISE",))
    father, father_as_patient = people.patient_with_account(birth_name="AUBRAC", first_names=("MARC", "PAUL"))
    mandates.mandate(mother, child, "parent", establishment_id=establishment_id)
    return Family(child, mother, father, father_as_patient, mother_as_patient)


def childs_file(one: Family, unit: Unit, state: str = "submitted", **facts: object) -> Preadmission:
    """An operation of the child, both parents named."""
    answers: tuple[Answers, ...] = (
        Situation(authority="both"),
        Identity(phone="+33639980001", email="elise@exemple.test", street="4 rue des Lilas", postcode="91990",
                 town="Arceau"),
        BOTH,
    )  # fmt: skip
    made = files.preadmission(
        one.child, unit, state, account_id=one.mother.id, stay_kind="day_case", answers=answers, **facts
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
    made = files.preadmission(person, unit, state, account_id=account.id, answers=(TRUST,))
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
    """A child whose father has signed and whose mother has not; an adult whose sister has been asked."""
