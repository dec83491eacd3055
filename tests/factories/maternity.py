"""Fictional places at maternity units, and requests for them."""

from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from auth.models import Patient
from portal import establishments
from portal.db import session
from portal.establishments import Site
from services.preadmission.answers import Maternity
from services.preadmission.maternity import actions, queries
from services.preadmission.maternity.models import MaternityPlaces, MaternityRequest, MaternityWish
from services.preadmission.models import Preadmission
from tests.factories import people
from tests.factories import preadmission as files
from tests.ground import today

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def due(months: int = 4) -> date:
    """The fifteenth of a month to come."""
    first = queries.first_day(today())
    for _each in range(months):
        first = queries.first_day(first + timedelta(days=32))
    return first + timedelta(days=14)


def places(site: Site, number: int = 2, level: str = "I", due_on: date | None = None) -> MaternityPlaces:
    made = MaternityPlaces(
        id=uuid4(), establishment_id=site.establishment_id, site_id=site.id,
        month=queries.first_day(due_on or due()), level=level, places=number,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def told(due_on: date | None = None, *others: str) -> Maternity:
    return Maternity(due_on=due_on or due(), other_sites=others)


def request(file: Preadmission, *sites: Site, due_on: date | None = None) -> MaternityRequest:
    """A request at these sites, as it arrives."""
    made = actions.ask(file, told(due_on), sites)
    return queries.of_file(made.preadmission_id) or made


def wish(made: MaternityRequest, rank: int = 1) -> MaternityWish:
    return next(each for each in made.wishes if each.rank == rank)


# -- the demonstration ---------------------------------------------------------------------------------------------


def demonstrate(world: "World") -> None:
    """Two sites with a few places, and a request in each state."""
    north, south = world.north.site, world.south.site
    for months, number in ((3, 24), (4, 1), (5, 26)):
        places(north, number, "II", due(months))
        places(south, number * 2, "I", due(months))
    establishments.change_setting(
        world.north.establishment.id, "maternity_unnamed_phone", world.north.establishment.phone or "01 99 00 10 15"
    )
    camille = _file(world, world.patients["camille"])
    offered = request(camille, south, north, due_on=due(4))
    actions.offer(wish(offered), "I", today() + timedelta(days=9), "La sage-femme vous attend : prenez rendez-vous.")
    for name, first, end in (("LENOIR", "ANAIS", "confirmed"), ("PETITJEAN", "SOFIA", "waiting_list"),
                             ("BELLEC", "MARION", "received"), ("OKONKWO-DE LA VALLÉE", "MARIE-ANTOINETTE", "studied"),
                             ("ROY", "INES", "refused")):  # fmt: skip
        person = people.patient(name, (first,))
        _to(request(_file(world, person), north, due_on=due(4)), end)


def _file(world: "World", person: Patient) -> Preadmission:
    known = list(session.query(Preadmission).filter_by(patient_id=person.id, stay_kind="maternity"))
    if known:
        return known[0]
    cover = files.cover_of(person)
    return files.preadmission(person, world.north.unit, "submitted", stay_kind="maternity", answers=[cover])


def _to(made: MaternityRequest, state: str) -> None:
    one, until = wish(made), today() + timedelta(days=7)
    if state == "confirmed":
        actions.offer(one, "II", until)
        actions.accept(one)
    elif state == "waiting_list":
        actions.put_on_list(one, "II")
    elif state == "studied":
        actions.study(one)
    elif state == "refused":
        actions.refuse(one, "Demandez à l’Hôpital des Rives, qui a des places ce mois-là.")
