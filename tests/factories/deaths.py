"""Deaths and guests in the demonstration: one death that stands, one that an agent says is a mistake; both hospitals
invite guests and open accounts at the desk."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from auth.death import actions
from auth.models import Patient
from portal import db, establishments
from portal.db import session
from tests.factories import people
from tests.ground import today

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    here = world.north.establishment.id
    for hospital in (world.north, world.south):
        establishments.change_setting(hospital.establishment.id, "guest_invitations", "yes")
        establishments.change_setting(hospital.establishment.id, "local_accounts", "yes")
    old = _patient(world, "ESTRADE", ("Marcel", "Henri"), date(1931, 11, 4), "8009000001")
    actions.declare(old.id, died_on=today() - timedelta(days=4), source="hospital", establishment_id=here)
    alive = _patient(world, "ESTRADE", ("Marcelle",), date(1931, 11, 14), "8009000002")
    wrong = actions.declare(alive.id, died_on=today() - timedelta(days=4), source="import", establishment_id=here)
    assert wrong is not None
    agent = world.agents["admissions-clerk"]
    wrong.undo_asked_at, wrong.undo_asked_by, wrong.undo_asked_by_name = db.now(), agent.id, agent.name
    wrong.undo_reason = "Venue à l’accueil avec sa carte d’identité : confusion avec son cousin."
    session.flush()


def _patient(world: "World", birth_name: str, first_names: tuple[str, ...], born: date, ipp: str) -> Patient:
    made = people.patient(birth_name, first_names, born, birthplace_insee="91174")
    people.known_at(made, world.north.establishment.id, ipp)
    return made
