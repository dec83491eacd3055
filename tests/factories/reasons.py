"""Fictional rooms, devices and interpreters, and a clash with the hospital's agenda."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import db
from portal.db import session
from portal.establishments import Unit
from services.appointments import states
from services.appointments.models import Appointment, Reason, ReasonPool, Resource, ResourcePool
from services.appointments.outside import actions as outside

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def pool(establishment_id: UUID, kind: str, name: str, *names: str) -> ResourcePool:
    """Resources that stand for one another."""
    made = ResourcePool(id=uuid4(), establishment_id=establishment_id, kind=kind, name=name)
    session.add(made)
    session.flush()
    session.add_all(
        Resource(id=uuid4(), establishment_id=establishment_id, pool_id=made.id, name=each, out_of_use=False)
        for each in names
    )
    session.flush()
    return made


def needs(reason: Reason, *pools: ResourcePool) -> None:
    """The reason takes one of each."""
    session.add_all(
        ReasonPool(reason_id=reason.id, pool_id=each.id, establishment_id=reason.establishment_id) for each in pools
    )
    session.flush()


def demonstrate(world: "World") -> None:
    """Scanners, rooms and interpreters; a closed reason, a teleconsultation, and one clash."""
    here = world.north.establishment.id
    pool(here, "room", "Salles d’effort", "Salle d’effort A", "Salle d’effort B")
    pool(here, "interpreter", "Interprètes, arabe", "Mme Haddad", "M. Benali")
    scans = session.scalars(select(Reason).where(Reason.name == "Échographie")).one()
    scanners = pool(scans.establishment_id, "device", "Échographes", "Échographe 1", "Échographe 2", "Échographe 3")
    needs(scans, scanners)
    _remote(here)
    clash = session.scalars(
        select(Appointment)
        .where(
            Appointment.establishment_id == here,
            Appointment.state == states.BOOKED,
            Appointment.start_at > db.now() + timedelta(days=2),
        )
        .order_by(Appointment.start_at)
        .limit(1)
    ).first()
    if clash is not None:
        outside.take_outside(here, "AGENDA-0001", clash.practitioner_id, clash.start_at, clash.end_at)


def _remote(establishment_id: UUID) -> None:
    unit = session.scalars(
        select(Unit).where(Unit.establishment_id == establishment_id).order_by(Unit.name).limit(1)
    ).one()
    facts = {"establishment_id": establishment_id, "unit_id": unit.id, "duration_min": 15}
    session.add(
        Reason(
            id=uuid4(),
            name="Téléconsultation de suivi",
            is_remote=True,
            link="https://visio.example.org/{reference}",
            open_to_new_patients=False,
            position=8,
            **facts,
        )
    )
    session.add(Reason(id=uuid4(), name="Consultation pré-voyage", closed_at=db.now(), position=9, **facts))
    session.flush()
