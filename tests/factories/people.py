"""Fictional people: patients, practitioners of the city, hospital staff."""

from datetime import date
from uuid import UUID, uuid4

from auth.models import Account, Identity, Patient, PatientAccess, PatientRecord, Professional, StaffRight
from portal.db import Actor, session


def patient(
    birth_name: str = "MARTIN",
    first_names: tuple[str, ...] = ("JEANNE",),
    birth_on: date = date(1980, 5, 17),
    **facts: str,
) -> Patient:
    """A patient without an account."""
    made = Patient(
        id=uuid4(),
        birth_name=birth_name,
        first_names=list(first_names),
        birth_on=birth_on,
        **{"sex": "F", "birthplace_insee": "75056", "birthcountry_insee": "99100"} | facts,
    )
    session.add(made)
    session.flush()
    return made


def account(
    audience: str = "patient",
    name: str = "Jeanne MARTIN",
    email: str = "jeanne@exemple.test",
    issuer: str = "",
    subject: str = "",
) -> Account:
    made = Account(id=uuid4(), audience=audience, name=name, email=email)
    session.add(made)
    session.flush()
    if issuer:
        identity(made, issuer, subject)
    return made


def identity(own: Account, issuer: str, subject: str) -> None:
    """Another way for the account to prove itself."""
    session.add(Identity(id=uuid4(), issuer=issuer, subject=subject, account_id=own.id))
    session.flush()


def patient_with_account(**facts: str) -> tuple[Account, Patient]:
    """A patient and the account with which they act for themselves."""
    person = patient(**facts)  # type: ignore[arg-type]  # facts of any field
    own = account(name=person.full_name)
    give_access(own, person)
    return own, person


def give_access(own: Account, person: Patient, relation: str = "self") -> None:
    session.add(PatientAccess(account_id=own.id, patient_id=person.id, relation=relation))
    session.flush()


def known_at(person: Patient, establishment_id: UUID, ipp: str | None = None) -> None:
    """The hospital has a record of this patient."""
    session.add(PatientRecord(patient_id=person.id, establishment_id=establishment_id, ipp=ipp))
    session.flush()


def professional(
    rpps: str = "10000000017",
    family_name: str = "LEROY",
    given_name: str = "Paul",
    issuer: str = "",
    subject: str = "",
    **facts: str,
) -> Professional:
    own = account("professional", f"{given_name} {family_name}", "", issuer, subject)
    made = Professional(
        id=uuid4(),
        account_id=own.id,
        subject_name_id=f"8{rpps}",
        rpps=rpps,
        family_name=family_name,
        given_name=given_name,
        activities=[],
        **facts,
    )
    session.add(made)
    session.flush()
    return made


def agent(
    establishment_id: UUID, *rights: str, name: str = "Agent d’essai", issuer: str = "", subject: str = ""
) -> Account:
    """A member of staff with these rights at one hospital."""
    made = account("staff", name, "agent@exemple.test", issuer, subject)
    grant(made, establishment_id, *rights)
    return made


def grant(made: Account, establishment_id: UUID, *rights: str) -> None:
    for right in rights:
        session.add(StaffRight(account_id=made.id, establishment_id=establishment_id, right=right))
    session.flush()


# -- as actors of a unit of work -----------------------------------------------------------------------------------


def as_patient(own: Account, *people: Patient) -> Actor:
    return Actor("patient", own.name, own.id, patients=frozenset(person.id for person in people))


def as_professional(made: Professional) -> Actor:
    return Actor("professional", made.full_name, made.account_id, professional_id=made.id)


def as_agent(made: Account, establishment_id: UUID, *rights: str) -> Actor:
    return Actor("staff", made.name, made.id, rights={right: frozenset({establishment_id}) for right in rights})
