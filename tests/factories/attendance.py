"""Emergency departments, and what is said of them."""

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from portal import db
from portal.db import session
from portal.establishments import Unit
from services.attendance import actions
from services.attendance.actions import Described
from services.attendance.estimates import Told
from services.attendance.models import EmergencyDepartment
from services.offer.models import OpeningHours
from tests.factories import hospitals

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def department(unit: Unit, code: str = "adultes", kind: str = "adult", **facts: Any) -> EmergencyDepartment:
    """One that everybody sees, unless the facts say otherwise."""
    return actions.add_department(unit, Described(code, kind, **{"is_published": True} | facts))


def told(at: datetime | None = None, state: str = "open", waiting: int | None = 23,
         minutes: tuple[int, int] | None = (60, 120), **message: str) -> Told:  # fmt: skip
    return Told(at or db.now(), state, waiting, minutes, message)


def demonstrate(world: "World") -> None:
    """Three departments at Arceau and one across the river, as they stand this very minute."""
    here, now = world.north.establishment, db.now()
    units = [
        hospitals.unit(here, world.north.site, "9001", "Urgences adultes", phone="01 99 00 19 01",
                       floor="Rez-de-chaussée"),
        hospitals.unit(here, world.north.site, "9002", "Urgences pédiatriques", phone="01 99 00 19 02",
                       floor="Rez-de-chaussée"),
        hospitals.unit(here, world.north.site, "9003", "Urgences ophtalmologiques", phone="01 99 00 19 03",
                       floor="Bâtiment A"),
    ]  # fmt: skip
    session.add_all(
        OpeningHours(establishment_id=here.id, unit_id=units[2].id, weekday=day, opens=time(8), closes=time(20))
        for day in range(6)
    )
    adults = department(units[0], "adultes", access="Entrée C, rue des Tilleuls ; ambulances : rampe nord", position=1)
    children = department(units[1], "enfants", "paediatric", access="Entrée C, porte jaune", position=2)
    eyes = department(units[2], "yeux", "ophthalmology", position=3)
    for ago, waiting, minutes in ((75, 18, (60, 120)), (40, 27, (120, 180)), (8, 31, (120, 240))):
        actions.report(adults, told(now - timedelta(minutes=ago), "saturated", waiting, minutes,
                                    fr="Forte affluence : pour un avis, appelez d’abord le 15 ou votre médecin.",
                                    en="Very busy: call 15 or your doctor first."), now)  # fmt: skip
    actions.report(children, told(now - timedelta(minutes=4), "open", 6, (15, 45)), now)
    actions.report(eyes, told(now - timedelta(hours=3), "open", 12, (30, 60)), now)
    south = world.south
    across = hospitals.unit(south.establishment, south.site, "9001", "Accueil des urgences")
    department(across, "urgences", "all_ages")
