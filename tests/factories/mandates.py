"""Mandates in force, asked for and over; and those of the demonstration."""

from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise
from uuid import UUID, uuid4

from PIL import Image, ImageDraw

from auth.mandates import ages, states
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess
from portal import db, files
from portal.db import session
from portal.files import StoredFile
from tests.factories import people
from tests.factories.demonstration import World, account_of


def mandate(
    own: Account,
    person: Patient,
    kind: str = "parent",
    *,
    establishment_id: UUID | None = None,
    scopes: tuple[str, ...] = (),
    ends_on: date | None = None,
    starts_on: date | None = None,
    state: str = "active",
    time_zone: str = "Europe/Paris",
    **facts: object,
) -> Mandate:
    """A mandate and, unless it is over, the access that it gives."""
    covered = list(scopes or states.SCOPES_OF[kind])
    last = ends_on or (ages.last_day_of_minority(person.birth_on) if kind == "parent" else date(2099, 12, 31))
    made = Mandate(
        id=uuid4(),
        kind=kind,
        state=state,
        account_id=own.id,
        patient_id=person.id,
        establishment_id=establishment_id,
        proxy_name=own.name,
        person_name=person.full_name,
        scopes=covered,
        starts_on=starts_on,
        ends_on=last,
        time_zone=time_zone,
        **facts,
    )
    session.add(made)
    session.merge(
        PatientAccess(
            account_id=own.id,
            patient_id=person.id,
            relation=kind,
            scopes=covered,
            starts_on=starts_on,
            ends_on=last,
            time_zone=time_zone,
            revoked_at=None if state == "active" else db.now(),
        )
    )
    session.flush()
    _tell_how(made, "requested" if kind != "carer" else "offered")
    session.flush()
    return made


def _tell_how(made: Mandate, began: str) -> None:
    """The changes that led there."""
    path = ["", began, "active", made.state] if made.state != "active" else ["", began, "active"]
    start = db.now() - timedelta(days=40)
    for step, (former, later) in enumerate(pairwise(path)):
        by_hospital = later == "active" and began == "requested"
        session.add(
            MandateChange(
                id=uuid4(),
                mandate_id=made.id,
                at=start + timedelta(days=step if later != "expired" else 37),
                actor=_who(made, later, by_hospital)[0],
                actor_name=_who(made, later, by_hospital)[1],
                from_state=former,
                to_state=later,
            )
        )


def _who(made: Mandate, later: str, by_hospital: bool) -> tuple[str, str]:
    if later in ("expired", "ended"):
        return "system:mandates.close", ""
    return ("staff:demo", made.checked_by_name) if by_hospital else (f"patient:{made.account_id}", made.proxy_name)


def proof(own: Account, establishment_id: UUID) -> StoredFile:
    """A page that somebody photographed, attached to their request. Committed on its own, as an upload is."""
    stored = files.receive(files.from_bytes([photo()]), "livret.png")
    stored = files.attach(stored.id, establishment_id=establishment_id, staff_right="identity")
    stored.account_id = own.id
    return stored


def photo() -> bytes:
    """A sheet with lines on it."""
    sheet = Image.new("RGB", (620, 880), "#fbf7ee")
    pen = ImageDraw.Draw(sheet)
    for line in range(80, 800, 36):
        pen.line((60, line, 560 - line % 90, line), fill="#4a4a4a", width=3)
    kept = BytesIO()
    sheet.save(kept, "PNG")
    return kept.getvalue()


# -- the demonstration -----------------------------------------------------------------------------------------------


def demonstrate(world: World) -> None:
    """A parent, a carer, a guardian whose judgement is over; a request that waits for the identity unit."""
    north = world.north.establishment.id
    agent = world.agents["administrator"].name
    camille = session.get_one(Account, account_of(world.patients["camille"]))
    mandate(camille, world.patients["child"], "parent", establishment_id=north, proof_kind="family_book",
            checked_by_name=agent, checked_at=db.now() - timedelta(days=39))  # fmt: skip
    _carer(world)
    _guardian(world, agent)
    _waiting_request(world)


def _carer(world: World) -> None:
    """Suzanne's daughter sees to her appointments and her bills, and reads none of her letters."""
    daughter = session.get_one(Account, account_of(world.patients["helene"]))
    today = db.now().date()
    mandate(daughter, world.patients["suzanne"], "carer", scopes=("administrative", "payment"),
            starts_on=today - timedelta(days=38), ends_on=today + timedelta(days=250))  # fmt: skip


def _guardian(world: World, agent: str) -> None:
    """The measure was not renewed in time: nothing is shown any more, and the page says what to bring."""
    guardian = session.get_one(Account, account_of(world.patients["bernard"]))
    protected = people.patient("KERSAUDY", ("Maëlle",), date(1998, 2, 11), birthplace_insee="29019")
    people.known_at(protected, world.north.establishment.id, "8001000002")
    world.patients["protected"] = protected
    today = db.now().date()
    mandate(guardian, protected, "guardian", establishment_id=world.north.establishment.id, state="expired",
            judged_on=today - timedelta(days=1830), starts_on=today - timedelta(days=400),
            ends_on=today - timedelta(days=4), proof_kind="judgement", checked_by_name=agent)  # fmt: skip


def _waiting_request(world: World) -> None:
    """A father asks; an agent will compare what he typed with the hospital's records."""
    father = session.get_one(Account, account_of(world.patients["yacine"]))
    child = people.patient("OUARDALI", ("Ilyès", "Samir"), date(2021, 6, 30), sex="M", birthplace_insee="91174")
    people.known_at(child, world.north.establishment.id, "8001000003")
    asked = Mandate(
        id=uuid4(),
        kind="parent",
        state="requested",
        account_id=father.id,
        establishment_id=world.north.establishment.id,
        proxy_name=father.name,
        asked_birth_name="OUARDALI",
        asked_first_names="Ilyès",
        asked_birth_on=date(2021, 6, 30),
        proof_kind="family_book",
        proof_file_id=proof(father, world.north.establishment.id).id,
        asked_at=db.now() - timedelta(hours=20),
    )
    session.add(asked)
    session.flush()
    session.add(
        MandateChange(id=uuid4(), mandate_id=asked.id, at=asked.asked_at, actor=f"patient:{father.id}",
                      actor_name=father.name, from_state="", to_state="requested")
    )  # fmt: skip
    session.flush()
