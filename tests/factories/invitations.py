"""Fictional invitations to prepare a stay, in several states."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from services.preadmission.actions import Stay
from services.preadmission.invitations import actions
from services.preadmission.invitations.actions import Expected
from tests.ground import today

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_PEOPLE = (
    ("DELMAS", "Renée", "1948-03-02", "", 16, "inpatient"),
    ("OKONKWO-LEFEBVRE DE LA BOUTRESSE", "Marie-Antoinette", "1971-11-30", "", 18, "day_case"),
    ("PETITJEAN", "Luc", "1989-07-14", "luc.petitjean@exemple.test", 21, "inpatient"),
    ("ZAOUI", "Inès", "1996-01-09", "ines.zaoui@exemple.test", 9, "outpatient"),
)


def demonstrate(world: "World") -> None:
    """Letters that wait, a code that was sent, a stay that was cancelled."""
    for rank, (name, first_name, born_on, email, in_days, kind) in enumerate(_PEOPLE):
        stay = Stay(world.north.unit.id, today() + timedelta(days=in_days), kind)
        expected = Expected(name, first_name, date.fromisoformat(born_on), f"26-{4100 + rank}", f"8{rank}0417")
        made, _done = actions.invite(stay, expected, "file")
        made.email = email  # no mail leaves from a demonstration
        if name == "PETITJEAN":
            actions.new_code(made)
        if name == "ZAOUI":
            actions.cancel(made, "Report demandé par le service")
