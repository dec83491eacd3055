"""What those who watch over accesses have in the demonstration: two unusual weeks, a review under way, an incident."""

from datetime import timedelta
from typing import TYPE_CHECKING

from auth.models import Account
from auth.oversight import actions, weeks
from auth.oversight.actions import Report
from auth.oversight.models import EXPLAINED, UnusualAccess
from portal import db
from portal.calendar import civil_day
from portal.db import Actor, session
from portal.establishments import Establishment

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    """Last week's unusual accesses, one judged; the rights of the north to confirm; a letter sent to the wrong box."""
    north, clerk = world.north.establishment, world.agents["admissions-clerk"]
    _unusual(world, north, clerk)
    session.flush()
    actions.open_review(north)
    system, officer = db.current_actor(), world.agents["administrator"]
    db.act_as(Actor("staff", officer.name, officer.id, rights={"audit": frozenset({north.id})}))
    incident = actions.open_incident(
        north,
        Report(
            "sending",
            "Lettre envoyée à une autre boîte",
            "Une lettre de liaison a été envoyée à un autre cabinet de la même rue. Le cabinet a confirmé l’avoir"
            " effacée sans la lire.",
            db.now() - timedelta(hours=30),
            "some",
            1,
        ),
    )
    actions.add_step(incident, "note", "Le cabinet a été appelé ; l’adresse a été corrigée dans l’annuaire interne.")
    _close_one(north)
    db.act_as(system)


def _unusual(world: "World", north: Establishment, clerk: Account) -> None:
    last = weeks.monday(civil_day(db.now(), north.tz)) - timedelta(days=7)
    secretary = world.agents["medical-secretary"]
    patients = [each.id for each in world.patients.values()]
    session.add_all(
        [
            UnusualAccess(establishment_id=north.id, week_on=last, rule="same_name", account_id=clerk.id, times=1,
                          patient_ids=patients[:1]),
            UnusualAccess(establishment_id=north.id, week_on=last, rule="many_files", account_id=secretary.id, times=96,
                          usual=22, patient_ids=[]),
            UnusualAccess(establishment_id=north.id, week_on=last - timedelta(days=7), rule="no_tie",
                          account_id=secretary.id, times=7, patient_ids=patients[:3], state=EXPLAINED,
                          comment="Reprise des courriers en attente après l’arrêt du standard.",
                          reviewed_by=clerk.id, reviewed_at=db.now() - timedelta(days=3)),
        ]
    )  # fmt: skip


def _close_one(north: Establishment) -> None:
    """An older incident, closed."""
    former = actions.open_incident(
        north,
        Report("outage", "Portail indisponible quarante minutes", "Panne du stockage ; rien n’a été perdu.",
               db.now() - timedelta(days=40), "none", 0),
    )  # fmt: skip
    actions.close_incident(former, "Le stockage est désormais doublé.")
