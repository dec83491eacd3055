"""Who uses the portal during a drill: patients who are signed in, with drafts to send, bills to pay, times to book."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from uuid import UUID

from auth import sessions
from auth.models import Account, Patient, WebSession
from portal import db, establishments
from portal.db import session
from portal.establishments import Unit
from tests.campaign.payers import Owed
from tests.factories import appointments, billing, demonstration, people, preadmission
from tests.factories.hospitals import Hospital
from tests.ground import today

DAYS, CELLS = 20, 40


@dataclass(frozen=True)
class Draft:
    """A pre-admission with every answer and no document. pieces: those it cannot be sent without."""

    id: UUID
    pieces: tuple[UUID, ...]


@dataclass(frozen=True)
class Person:
    number: int
    account_id: UUID
    patient_id: UUID
    cookies: dict[str, str]
    drafts: tuple[Draft, ...]
    bills: tuple[Owed, ...]


@dataclass(frozen=True)
class World:
    establishment_id: UUID
    reason_id: UUID
    slots: Sequence[str]
    people: Sequence[Person]


def fill(persons: int, drafts: int, bills: int, *, hospital: str = "") -> World:
    """Inside an application's context, in an empty database. hospital: the address of the hospital's system."""
    with db.transaction(db.system("drills")):
        where = demonstration.build().north
        if hospital:
            establishments.change_setting(where.establishment.id, "his_url", hospital, secret=True)
        return settle(where, persons, drafts, bills)


def settle(where: Hospital, persons: int, drafts: int, bills: int) -> World:
    """Everybody, at this hospital; in a transaction."""
    establishments.change_setting(where.establishment.id, "payfip_numcli", "090909")
    establishments.change_setting(where.establishment.id, "payfip_saisie", "T")
    reason = appointments.reason(where.unit, duration_min=15)
    slots = []
    for ahead in range(DAYS):
        day = today() + timedelta(days=3 + ahead)
        opened = appointments.consultation(where, [reason], day, time(8), time(18))
        slots += [f"{opened.id}-{cell}" for cell in range(CELLS)]
    crowd = [_person(number, where.unit, drafts, bills) for number in range(persons)]
    return World(where.establishment.id, reason.id, slots, crowd)


def _person(number: int, unit: Unit, drafts: int, bills: int) -> Person:
    own, patient = people.patient_with_account(birth_name=f"EXERCICE{_letters(number)}")
    own.email = f"exercice{number}@exemple.test"
    cookies = _signed_in(own)
    owed = [billing.bill(_place(unit), patient, 1000 + 37 * nth) for nth in range(bills)]
    return Person(
        number,
        own.id,
        patient.id,
        cookies,
        tuple(_draft(patient, own, unit, nth) for nth in range(drafts)),
        tuple(Owed(bill.id, cookies, {}, address(number)) for bill in owed),
    )


def _letters(number: int) -> str:
    """AA, BA… for the first 676, then three or more."""
    first, rest = chr(65 + number % 26), number // 26
    return first + (chr(65 + rest) if rest < 26 else _letters(rest - 26))


def address(number: int) -> str:
    """Where this person's browser is: limits count each apart, as they would."""
    return f"10.{9 + number // 256}.{number % 256}.1"


def _place(unit: Unit) -> establishments.Establishment:
    return session.get_one(establishments.Establishment, unit.establishment_id)


def _draft(patient: Patient, own: Account, unit: Unit, nth: int) -> Draft:
    made = preadmission.preadmission(
        patient, unit, planned_on=today() + timedelta(days=12 + nth), account_id=own.id, complete=True
    )
    return Draft(made.id, tuple(each.id for each in preadmission.pieces_of(made).values() if each.needed))


def _signed_in(own: Account) -> dict[str, str]:
    token = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            digest=sessions.digest(token), account_id=own.id, provider="franceconnect", acr="eidas1", amr="mfa",
            activity={}, expires_at=db.now() + sessions.LIMITS["patient"].absolute,
        )
    )  # fmt: skip
    session.flush()
    return {sessions.cookie_name(secure=False): token}
