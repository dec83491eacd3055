"""What two fictional hospitals offer: activities, hours, contacts, access, and a few mistakes that readers reported."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from portal import db
from portal.db import session
from portal.establishments import Establishment, Site, Unit
from services.offer.models import (
    Activity,
    Contact,
    ErrorReport,
    OpeningException,
    OpeningHours,
)
from services.offer.surroundings import Owner
from tests.factories import hospitals
from tests.factories.demonstration import World
from tests.ground import today

WEEKDAYS = (0, 1, 2, 3, 4)
ALL_WEEK = (0, 1, 2, 3, 4, 5, 6)


def _owner(owner: Owner) -> dict[str, Any]:
    kind = {Site: "site_id", Unit: "unit_id", Activity: "activity_id"}[type(owner)]
    return {"establishment_id": owner.establishment_id, kind: owner.id}


def activity(unit: Unit, name: str = "Consultation de cardiologie", *, code: str = "", **facts: Any) -> Activity:
    made = Activity(
        id=uuid4(),
        code=code or uuid4().hex[:8],
        establishment_id=unit.establishment_id,
        unit_id=unit.id,
        name=name,
        **facts,
    )
    session.add(made)
    session.flush()
    return made


def hours(
    owner: Owner, opens: str, closes: str, days: Sequence[int] = WEEKDAYS, *, kind: str = "open",
    on_holidays: bool = False,
) -> None:  # fmt: skip
    """opens, closes: `08:30`."""
    times = {"opens": time.fromisoformat(opens), "closes": time.fromisoformat(closes)}
    for day in days:
        session.add(OpeningHours(id=uuid4(), weekday=day, kind=kind, on_holidays=on_holidays, **times, **_owner(owner)))
    session.flush()


def closed(owner: Owner, starts_on: date, ends_on: date, reason: str = "") -> OpeningException:
    made = OpeningException(id=uuid4(), starts_on=starts_on, ends_on=ends_on, reason=reason, **_owner(owner))
    session.add(made)
    session.flush()
    return made


def contact(
    owner: Owner, value: str, *, audience: str = "patient", kind: str = "phone", label: str = "", hours: str = "",
    position: int = 0,
) -> Contact:  # fmt: skip
    made = Contact(
        id=uuid4(), audience=audience, kind=kind, value=value, label=label, hours=hours, position=position,
        **_owner(owner),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def report(unit: Unit, words: str = "Le numéro ne répond plus.", **facts: Any) -> ErrorReport:
    made = ErrorReport(
        id=uuid4(), establishment_id=unit.establishment_id, kind="unit", about_id=unit.id, about_name=unit.name,
        mistake="phone", words=words, **facts,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


# -- the demonstration -------------------------------------------------------------------------------------------


def demonstrate(world: World) -> None:
    """Both hospitals as their own pages would tell them."""
    _place(world.north.site, 48.5962, 2.2471, "910000017")
    _place(world.south.site, 48.6405, 2.3590, "910000025")
    _tell_how_to_come(world)
    _add_annexe(world.north.establishment)
    _open_sites(world)
    for unit in session.scalars(select(Unit).order_by(Unit.uf)).all():
        _furnish(unit)
    _close_for_works(world)
    _report(world)


def _place(site: Site, latitude: float, longitude: float, ror: str) -> None:
    site.latitude, site.longitude, site.ror = latitude, longitude, f"ROR-IDF-{ror}"


def _tell_how_to_come(world: World) -> None:
    north, south = world.north.site, world.south.site
    north.transport = "Bus 4 et 12, arrêt Hôpital, devant l’entrée A. Navette gratuite depuis la gare."
    north.parking = "Parking P1, entrée B : gratuit trente minutes, 8 places pour personnes handicapées."
    north.on_foot = "15 minutes depuis la gare d’Arceau par l’avenue des Tilleuls, trottoir large et sans marche."
    south.transport = "RER C, gare de Deux-Rives, puis 8 minutes à pied. Bus 21, arrêt Quai du Moulin."
    south.parking = "Parking de l’hôpital, 120 places, payant. Dépose-minute devant l’entrée principale."
    south.on_foot = "Depuis la gare : suivez le quai, l’hôpital est après le pont."


def _add_annexe(hospital: Establishment) -> None:
    annexe = hospitals.site(
        hospital, "990000121", "Centre de consultations de Brévigny", town="Brévigny-sur-Arceau",
        address="5 place de la Halle, 91992 Brévigny-sur-Arceau",
        access="Au-dessus de la maison de santé, entrée par la cour.",
    )  # fmt: skip
    annexe.latitude, annexe.longitude = 48.5311, 2.3312
    annexe.parking = "Parking de la Halle, gratuit, à 50 m."
    annexe.for_wheelchairs = True
    hospitals.unit(hospital, annexe, "1290", "Consultations avancées de Brévigny", phone="01 99 00 12 90")


def _open_sites(world: World) -> None:
    for hospital in (world.north, world.south):
        hours(hospital.site, "07:00", "20:00", ALL_WEEK, on_holidays=True)
        hours(hospital.site, "13:00", "20:00", ALL_WEEK, kind="visits", on_holidays=True)
        contact(hospital.site, hospital.establishment.phone, label="Accueil", hours="24 h sur 24")


_OFFERED: dict[str, tuple[dict[str, Any], ...]] = {
    "1001": (
        {"name": "Consultation de cardiologie", "speciality": "SM04", "age_from": 16,
         "presentation": "Suivi de l’hypertension, de l’insuffisance cardiaque et des troubles du rythme.",
         "equipment": ["Électrocardiogramme", "Holter", "Mesure ambulatoire de la tension"]},
        {"name": "Échographie cardiaque", "speciality": "SM04", "kind": "examination", "position": 1,
         "equipment": ["Échographe cardiaque", "Échographie d’effort"],
         "presentation": "Durée : 30 minutes. Il n’est pas nécessaire d’être à jeun."},
        {"name": "Avis rapide insuffisance cardiaque", "speciality": "SM04", "kind": "consultation", "position": 2,
         "is_public": False, "presentation": "Sur appel d’un médecin de ville, sous 72 heures."},
    ),
    "1204": (
        {"name": "Consultation d’ophtalmologie", "speciality": "SM38", "languages": ["ar", "fsl"],
         "equipment": ["Champ visuel", "OCT", "Rétinographe"]},
        {"name": "Ophtalmologie pédiatrique", "speciality": "SM38", "age_to": 15, "position": 1},
    ),
    "1310": (
        {"name": "Chirurgie ambulatoire viscérale", "speciality": "SM14", "kind": "day_hospital", "age_from": 15,
         "presentation": "Hernies, vésicule, proctologie : vous rentrez chez vous le jour même."},
    ),
    "1290": (
        {"name": "Cardiologie, consultation avancée", "speciality": "SM04",
         "presentation": "Les cardiologues d’Arceau reçoivent à Brévigny le mardi et le jeudi."},
        {"name": "Consultation mémoire", "speciality": "SM18", "age_from": 65, "position": 1},
    ),
    "2010": (
        {"name": "Suivi de grossesse", "speciality": "SM20", "languages": ["en", "pt"],
         "presentation": "Du premier rendez-vous à la sortie de la maternité, avec une sage-femme ou un médecin."},
        {"name": "Maternité", "speciality": "SM20", "kind": "hospitalisation", "position": 1,
         "equipment": ["Salle nature", "Chambres individuelles"]},
        {"name": "Urgences gynécologiques et obstétricales", "speciality": "SM20", "kind": "emergency",
         "position": 2},
    ),
    "2105": (
        {"name": "Scanner", "speciality": "SM74", "kind": "examination", "equipment": ["Scanner 64 barrettes"]},
        {"name": "IRM", "speciality": "SM74", "kind": "examination", "position": 1,
         "equipment": ["IRM 1,5 tesla"]},
        {"name": "Mammographie de dépistage", "speciality": "SM74", "kind": "examination", "position": 2,
         "age_from": 50, "age_to": 74, "equipment": ["Mammographe numérique"]},
    ),
}  # fmt: skip
_PRESENTED = {
    "1001": "Le service soigne les maladies du cœur et des vaisseaux, en consultation et à l’hôpital.",
    "1204": "Maladies des yeux de l’enfant et de l’adulte, chirurgie de la cataracte, urgences de l’œil en journée.",
    "1310": "Opérations d’un jour : une infirmière vous appelle la veille et le lendemain.",
    "1290": "Des médecins de l’hôpital reçoivent près de chez vous, au-dessus de la maison de santé.",
    "2010": "Deux mille naissances par an, suivi des grossesses, gynécologie de l’adolescente et de l’adulte.",
    "2105": "Scanner, IRM, échographie, radiologie et dépistage du cancer du sein.",
}


def _furnish(unit: Unit) -> None:
    unit.presentation = _PRESENTED.get(unit.uf, "")
    made = [activity(unit, code=f"{unit.uf}{n}", **facts) for n, facts in enumerate(_OFFERED.get(unit.uf, ()), 1)]
    if unit.uf == "1290":
        hours(unit, "09:00", "12:30", (1, 3))
        hours(unit, "13:30", "17:00", (1, 3))
    else:
        hours(unit, "08:30", "12:30")
        hours(unit, "13:30", "17:30")
    for each in made:
        if each.kind == "emergency":
            hours(each, "00:00", "00:00", ALL_WEEK, on_holidays=True)
    if unit.phone:
        contact(unit, unit.phone, label="Secrétariat", hours="Du lundi au vendredi, 9 h – 17 h")
        contact(unit, f"{unit.phone[:-2]}99", audience="professional", label="Médecin senior", hours="8 h – 20 h")
        box = f"uf{unit.uf}@hopital.mssante.exemple.test"
        contact(unit, box, audience="professional", kind="mssante", label="Messagerie sécurisée du service")


def _close_for_works(world: World) -> None:
    begins = today() + timedelta(days=9)
    closed(world.north.unit, begins, begins + timedelta(days=4), "Travaux dans la salle d’attente")


def _report(world: World) -> None:
    now = db.now()
    report(world.north.unit, "Le secrétariat ne répond plus au numéro affiché.", email="lectrice@exemple.test",
           created_at=now - timedelta(days=2))  # fmt: skip
    report(world.south.unit, "L’entrée par le quai est fermée le dimanche.", created_at=now - timedelta(days=1))
