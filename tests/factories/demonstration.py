"""The demonstration's hospital group: two hospitals, their people, and work under way in each room.

Run by `parvis demo` on its first start (`python -m tests.factories.demonstration`), in one transaction: a start that
is interrupted leaves nothing half-filled.
"""

import logging
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import structlog
from sqlalchemy import select

from auth.agents.models import StaffRole
from auth.demo_idp.agents import AGENTS
from auth.demo_idp.audiences import AUDIENCES
from auth.demo_idp.people import HOSPITAL_FINESS_SITES, PATIENTS, Person
from auth.demo_idp.practitioners import PROFESSIONALS
from auth.models import Account, Patient, PatientAccess, Professional
from portal import db, establishments, kpi
from portal.app import create_app
from portal.db import RIGHTS, session
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital

TEST_INS_OID = "1.2.250.1.213.1.4.10"


@dataclass
class World:
    """What the rooms' demonstrations build on. Patients: dominique, suzanne, yacine, camille, jean-marie, child."""

    north: Hospital
    south: Hospital
    patients: dict[str, Patient] = field(default_factory=dict)
    agents: dict[str, Account] = field(default_factory=dict)
    professionals: dict[str, Professional] = field(default_factory=dict)


def build() -> World:
    """Fill an empty database; inside a system transaction."""
    world = World(_arceau(), _deux_rives())
    _add_patients(world)
    _add_agents(world)
    _add_professionals(world)
    return world


def _arceau() -> Hospital:
    made = hospitals.hospital(
        HOSPITAL_FINESS_SITES[0],
        "Centre hospitalier du Val d’Arceau",
        short_name="CH Val d’Arceau",
        brand_colour="#1f5c63",
        phone="01 99 00 10 00",
        email="accueil@ch-arceau.exemple.test",
        address="12 avenue des Tilleuls, 91990 Arceau",
    )
    hospital, site = made.establishment, made.site
    site.name, site.address = "Site des Tilleuls", "12 avenue des Tilleuls, 91990 Arceau"
    site.access = "Bus 4 et 12, arrêt Hôpital. Parking P1, entrée B à 150 m, accessible en fauteuil."
    site.town, site.for_wheelchairs, site.for_hearing = "Arceau", True, True
    made.unit.phone, made.unit.floor = "01 99 00 12 10", "Bâtiment B, 2e étage"
    eyes = hospitals.unit(
        hospital, site, "1204", "Ophtalmologie", phone="01 99 00 12 04", floor="Bâtiment A, rez-de-chaussée"
    )
    hospitals.practitioner(eyes, "10000000025", "TRAN", "Minh", "Ophtalmologie", "Dr")
    nora = hospitals.practitioner(eyes, "10000000033", "BELKACEM", "Nora", "Ophtalmologie", "Dre")
    nora.languages = ["ar", "fsl"]
    surgery = hospitals.unit(
        hospital, site, "1310", "Chirurgie ambulatoire", phone="01 99 00 13 10", floor="Bâtiment C, 1er étage"
    )
    hospitals.practitioner(surgery, "10000000041", "FONTANEL", "Pierre", "Chirurgie viscérale", "Dr")
    establishments.change_setting(hospital.id, "payfip_numcli", "090909")
    establishments.change_setting(hospital.id, "payfip_saisie", "T")
    return made


def _deux_rives() -> Hospital:
    made = hospitals.hospital(
        HOSPITAL_FINESS_SITES[1],
        "Hôpital des Deux-Rives",
        short_name="Deux-Rives",
        brand_colour="#6a3d74",
        phone="01 99 00 20 00",
        email="accueil@deux-rives.exemple.test",
        address="3 quai du Moulin, 91995 Deux-Rives",
    )
    hospital, site = made.establishment, made.site
    site.name, site.address = "Site du Moulin", "3 quai du Moulin, 91995 Deux-Rives"
    site.access = "RER C, gare de Deux-Rives, puis 8 minutes à pied. Dépose-minute devant l’entrée principale."
    site.town, site.for_wheelchairs = "Deux-Rives", True
    ward, doctor = made.unit, made.practitioner
    doctor.languages = ["en", "pt"]
    ward.uf, ward.name, ward.phone, ward.floor = "2010", "Maternité et gynécologie", "01 99 00 20 10", "1er étage"
    doctor.rpps, doctor.family_name, doctor.given_name = "10000000058", "AUBERTIN", "Salomé"
    doctor.speciality = "Gynécologie-obstétrique"
    images = hospitals.unit(hospital, site, "2105", "Imagerie médicale", phone="01 99 00 21 05", floor="Rez-de-jardin")
    hospitals.practitioner(images, "10000000066", "OUÉDRAOGO", "Awa", "Radiologie", "Dre")
    establishments.change_setting(hospital.id, "payfip_numcli", "090910")
    establishments.change_setting(hospital.id, "payfip_saisie", "T")
    return made


def _add_patients(world: World) -> None:
    issuer = AUDIENCES["franceconnect"].issuer
    for number, person in enumerate(PATIENTS, start=1):
        claims = person.claims
        patient = people.patient(
            claims["family_name"],
            tuple(claims["given_name_array"]),
            date.fromisoformat(claims["birthdate"]),
            sex="F" if claims["gender"] == "female" else "M",
            birthplace_insee=claims["birthplace"],
            birthcountry_insee=claims["birthcountry"],
            used_name=claims.get("preferred_username", ""),
            email=claims["email"],
            mobile=f"+3363998{number:04d}",
        )
        own = people.account("patient", patient.full_name, claims["email"], issuer, person.subject)
        if verified := AUDIENCES["franceconnect-plus"].person(person.key):
            people.identity(own, AUDIENCES["franceconnect-plus"].issuer, verified.subject)
        people.give_access(own, patient)
        people.known_at(patient, world.north.establishment.id, f"800{number:07d}")
        world.patients[person.key] = patient
        if person.key == "camille":
            _add_child(world, own)
    people.known_at(world.patients["camille"], world.south.establishment.id, "520000041")
    dominique = world.patients["dominique"]
    dominique.ins, dominique.ins_oid, dominique.identity_status = "279035121518989", TEST_INS_OID, "QUAL"


def _add_child(world: World, mother: Account) -> None:
    child = people.patient("LORMEVAL", ("Zoé", "Anna"), date(2019, 3, 8), birthplace_insee="91174")
    people.give_access(mother, child, "parent")
    people.known_at(child, world.north.establishment.id, "8001000001")
    world.patients["child"] = child


_AGENT_RIGHTS = {
    "admissions-clerk": ("preadmission",),
    "appointments-agent": ("appointments",),
    "billing-agent": ("billing",),
    "medical-secretary": ("documents", "appointments", "referrals"),
    "administrator": RIGHTS,
}


def _add_agents(world: World) -> None:
    issuer = AUDIENCES["proconnect"].issuer
    for person in AGENTS:
        if rights := _AGENT_RIGHTS.get(person.key):
            agent = people.agent(
                world.north.establishment.id, *rights, name=person.name, issuer=issuer, subject=person.subject
            )
            people.grant(agent, world.south.establishment.id, *rights)
            if own := AUDIENCES["hospital"].person(person.key):
                people.identity(agent, AUDIENCES["hospital"].issuer, own.subject)
            world.agents[person.key] = agent
    for place, name in ((world.north, "Accueil de nuit"), (world.south, "Bureau des entrées et régie")):
        rights = ["appointments", "documents"] if place is world.north else ["preadmission", "billing"]
        session.add(StaffRole(establishment_id=place.establishment.id, name=name, rights=rights))


def _add_professionals(world: World) -> None:
    issuer = AUDIENCES["prosanteconnect"].issuer
    for person in PROFESSIONALS:
        subject_name_id = _subject_name_id(person)
        made = people.professional(
            subject_name_id.removeprefix("8") if subject_name_id.startswith("8") else "",
            person.claims["family_name"],
            person.claims["given_name"],
            issuer,
            person.subject,
        )
        made.subject_name_id = subject_name_id
        world.professionals[person.key] = made


def account_of(patient: Patient) -> UUID:
    """The account with which this patient acts for themselves."""
    return session.scalars(
        select(PatientAccess.account_id).where(PatientAccess.patient_id == patient.id, PatientAccess.relation == "self")
    ).one()


def _subject_name_id(person: Person) -> str:
    return str(person.claims["SubjectNameID"])


def main() -> None:
    """Write the whole demonstration."""
    from tests.factories import rooms

    app = create_app()
    # The demonstration holds payments that went wrong on purpose: their alarms are not for whoever types `make run`.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with app.app_context(), db.transaction(db.system("demonstration")):
        rooms.demonstrate(build())
    with app.app_context():
        kpi.close_months(db.now().date())  # as each night does: evidence is of closed months


if __name__ == "__main__":
    main()
