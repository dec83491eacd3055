"""Agents at work in the demonstration: a right that waits for a second administrator, an emergency to judge."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from auth.agents.employers import SIRETS
from auth.agents.models import RightRequest, StaffUnit
from auth.demo_idp.people import HOSPITAL_SIRETS
from auth.emergencies.actions import LIFE
from auth.machines import actions as machines
from auth.machines.scopes import SCOPES
from auth.models import Account, EmergencyAccess, Identity, Patient
from portal import audit, db, establishments
from portal.db import Actor, session
from tests.factories import people

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def emergency(agent: Account, establishment_id: UUID, patient: Patient, **facts: object) -> EmergencyAccess:
    """A file that this agent opened just now."""
    opened = EmergencyAccess(
        **{
            "id": uuid4(),
            "account_id": agent.id,
            "establishment_id": establishment_id,
            "patient_id": patient.id,
            "kind": "care",
            "reason": "Le patient est aux urgences et ne peut pas répondre.",
            "opened_at": db.now(),
            "ends_at": db.now() + LIFE,
        }
        | facts
    )
    session.add(opened)
    session.flush()
    return opened


def request(agent: Account, establishment_id: UUID, right: str, by: Account, **facts: object) -> RightRequest:
    """A right that one administrator asked for, and nobody confirmed yet."""
    asked = RightRequest(
        **{
            "id": uuid4(),
            "account_id": agent.id,
            "establishment_id": establishment_id,
            "right": right,
            "requested_by": by.id,
            "requested_at": db.now(),
            "expires_at": db.now() + timedelta(days=7),
        }
        | facts
    )
    session.add(asked)
    session.flush()
    return asked


def demonstrate(world: "World") -> None:
    """The administrator has somebody's request to answer and an emergency to judge."""
    north, south = world.north.establishment, world.south.establishment
    for hospital in (north, south):
        establishments.change_setting(hospital.id, SIRETS, " ".join(HOSPITAL_SIRETS))
    second = people.agent(north.id, "administration", name="Mireille Arnoux")
    people.grant(second, south.id, "administration")
    second.email = "mireille.arnoux@hopital.exemple.test"
    session.add(Identity(issuer="https://demonstration.invalid", subject="mireille", account_id=second.id,
                         acr="eidas2", amr="pwd mfa", last_used_at=db.now() - timedelta(days=120)))  # fmt: skip
    second.created_at = db.now() - timedelta(days=400)
    request(world.agents["medical-secretary"], north.id, "audit", second)
    session.add(StaffUnit(account_id=world.agents["medical-secretary"].id, unit_id=world.north.unit.id,
                          establishment_id=north.id))  # fmt: skip
    _to_judge(world)
    _systems(world)


def _systems(world: "World") -> None:
    """The patient file, at work since this morning, and a former schedule, shut out."""
    north = world.north.establishment
    everything = [scope.code for scope in SCOPES if scope.right not in ("billing", "audit")]
    file, _secret = machines.add(machines.Draft(north.id, "Dossier patient (interface)", everything))
    file.last_used_at = db.now() - timedelta(minutes=4)
    former, _secret = machines.add(machines.Draft(north.id, "Ancien agenda", ["system/Slot.read"]))
    former.created_at, former.revoked_at = db.now() - timedelta(days=300), db.now() - timedelta(days=30)


def _to_judge(world: "World") -> None:
    """Yesterday evening, and what was looked at."""
    clerk, north, suzanne = world.agents["admissions-clerk"], world.north.establishment, world.patients["suzanne"]
    then = db.now() - timedelta(hours=20)
    opened = emergency(clerk, north.id, suzanne, opened_at=then, ends_at=then + LIFE)
    about = {
        "patient_id": suzanne.id,
        "establishment_id": north.id,
        "object_kind": "emergency_access",
        "object_id": opened.id,
    }
    system, agent = db.current_actor(), Actor("staff", clerk.name, clerk.id)
    db.act_as(agent)
    audit.record("emergency.opened", **about, kind="care")
    audit.record("emergency.looked", **about, what="file")
    db.act_as(system)
