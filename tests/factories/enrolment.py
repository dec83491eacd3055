"""Links to the hospitals' numbers, one that waits, two accounts that may be one person's."""

from datetime import date
from uuid import UUID

from auth import records
from auth.enrolment import actions as enrolment
from auth.enrolment.models import LinkRequest
from auth.identity import actions as identity
from auth.identity import nir
from auth.models import Patient, PatientRecord
from portal import db
from portal.db import session
from tests.factories import people
from tests.factories.demonstration import World, account_of


def demonstrate(world: World) -> None:
    """Dominique linked at the north; Suzanne waits at the south; somebody resembles Yacine by all traits but one."""
    north, south = world.north.establishment.id, world.south.establishment.id
    _link(world.patients["dominique"], north)
    nir.write(world.patients["dominique"], "279035121518989")
    _wait(world.patients["suzanne"], south)
    _resemble(world.patients["yacine"])
    known = described(world.patients["jean-marie"])
    people.known_at(known, south, "520000077")
    enrolment.make_code(south, known)


def described(person: Patient, **changes: object) -> Patient:
    """A hospital's own description of this person, the same to the letter unless told."""
    facts = {
        "sex": person.sex,
        "birthplace_insee": person.birthplace_insee,
        "birthcountry_insee": person.birthcountry_insee,
        **changes,
    }
    return people.patient(person.birth_name, tuple(person.first_names), person.birth_on, **facts)  # type: ignore[arg-type]  # facts of any field


def _link(person: Patient, establishment_id: UUID) -> None:
    record = session.get_one(PatientRecord, (person.id, establishment_id))
    ipp, record.ipp = record.ipp, None
    session.flush()
    people.known_at(described(person), establishment_id, ipp)
    assert ipp is not None
    enrolment.link(person.id, establishment_id, ipp, "letter")


def _wait(person: Patient, establishment_id: UUID) -> None:
    """She typed her invoice number, but the hospital wrote her name otherwise: then she asked."""
    known = described(person)
    known.birth_name = f"{person.birth_name}E"
    people.known_at(known, establishment_id, "520000123")
    records.open_record(person.id, establishment_id)
    now = db.now()
    session.add(
        LinkRequest(
            establishment_id=establishment_id,
            patient_id=person.id,
            account_id=account_of(person),
            record_patient_id=known.id,
            doubt="traits_differ",
            differs="birth_name",
            created_at=now,
            asked_at=now,
        )
    )
    session.flush()


def _resemble(person: Patient) -> None:
    """After a correction of the civil register, FranceConnect knows him under another subject."""
    newer = described(person)
    newer.birth_on = date(person.birth_on.year, person.birth_on.month, person.birth_on.day % 28 + 1)
    own = people.account("patient", newer.full_name, "yacine.nouveau@exemple.test")
    people.give_access(own, newer)
    session.flush()
    identity.note_duplicates(newer, has_account=True)
