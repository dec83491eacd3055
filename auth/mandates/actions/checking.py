"""The identity unit's decisions, and what a hospital's own system already knows."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.mandates import ages, changing, queries, states
from auth.mandates.actions.asking import check_days
from auth.mandates.facts import MeasureOver, NothingInScope, NotPossible, UnknownProxy
from auth.mandates.models import Mandate
from auth.models import Patient, PatientRecord
from portal import db, files
from portal.db import session
from portal.establishments import Establishment
from portal.files import StoredFile


@dataclass(frozen=True)
class Checked:
    """What an agent, or the hospital's system, read on a proof. ends_on: the measure's last day; a parent's mandate
    ends the day before majority, whatever is said here."""

    patient_id: UUID
    scopes: frozenset[str]
    ends_on: date | None = None
    judged_on: date | None = None
    sole_authority: bool = False


def look(mandate: Mandate) -> None:
    """An agent opens a request or a mandate."""
    changing.record(mandate, "opened")


def open_proof(mandate: Mandate) -> StoredFile:
    """Hand the proof to an agent. Raises FileNotReadable when there is none."""
    if mandate.proof_file is None:
        raise files.FileNotReadable(mandate.id)
    changing.record(mandate, "proof_opened")
    return mandate.proof_file


def check(mandate: Mandate, checked: Checked) -> None:
    """An agent read the proof and says whose record it is: the mandate is active from now on.

    Raises NotPossible (a patient whom this hospital does not know), ForOneself, NotAMinor, MeasureOver,
    NothingInScope, TransitionRefused.
    """
    assert mandate.establishment_id is not None, "what an agent checks was asked of a hospital"
    patient = _known_patient(checked.patient_id, mandate.establishment_id)
    agent = db.current_actor()
    facts = _facts(mandate.kind, patient, checked, ages.today_in(mandate.time_zone, db.now()))
    facts |= {"checked_by_name": agent.name, "checked_at": db.now()}
    changing.become(mandate, "active", "checked", facts=facts)


def refuse(mandate: Mandate, reason: str) -> None:
    """The proof proves nothing, or nothing any more. reason: one of states.REFUSALS. Raises TransitionRefused."""
    agent = db.current_actor()
    facts = {"refusal_reason": reason, "checked_by_name": agent.name, "checked_at": db.now()}
    changing.become(mandate, "refused", "refused", reason=reason, facts=facts)


def push(kind: str, proxy_patient_id: UUID, establishment_id: UUID, checked: Checked) -> Mandate:
    """The hospital's own system knows that this person (by their record) is parent, guardian or curator of that one.

    Raises UnknownProxy without an account, and as `check` does. For jobs and machines.
    """
    place = session.get_one(Establishment, establishment_id)
    proxy = next((each for each in queries.acting_for(proxy_patient_id) if each.relation == "self"), None)
    if proxy is None:
        raise UnknownProxy
    patient = _known_patient(checked.patient_id, establishment_id)
    facts = _facts(kind, patient, checked, ages.today_in(place.time_zone, db.now()))
    mandate = Mandate(
        id=uuid4(),
        kind=kind,
        state="requested",
        account_id=proxy.account_id,
        establishment_id=establishment_id,
        time_zone=place.time_zone,
        proxy_name=proxy.name,
    )
    with changing.as_system():
        session.add(mandate)
    changing.become(mandate, "active", "pushed", facts=facts | {"checked_at": db.now()})
    return mandate


def _known_patient(patient_id: UUID, establishment_id: UUID) -> Patient:
    found = session.scalar(
        select(Patient)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .where(Patient.id == patient_id, PatientRecord.establishment_id == establishment_id)
    )
    if found is None:
        raise NotPossible
    return found


def _facts(kind: str, patient: Patient, checked: Checked, today: date) -> dict[str, Any]:
    """What a checked mandate says. Raises NotAMinor, MeasureOver, NothingInScope."""
    scopes = [scope for scope in states.SCOPES_OF[kind] if scope in checked.scopes]
    if not scopes:
        raise NothingInScope
    ends_on = ages.last_day_of_minority(patient.birth_on) if kind == "parent" else checked.ends_on
    check_days(kind, patient.birth_on, ends_on, today)
    if ends_on is None:
        raise MeasureOver
    return {
        "patient_id": patient.id,
        "person_name": patient.full_name,
        "scopes": scopes,
        "starts_on": today,
        "ends_on": ends_on,
        "judged_on": checked.judged_on,
        "sole_authority": checked.sole_authority and kind == "parent",
    }
