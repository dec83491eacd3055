"""Fictional pre-admissions, in every state, with documents that open."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from io import BytesIO
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pikepdf
from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select
from stdnum import luhn

from auth.identity import nir
from auth.models import Patient, PatientAccess
from auth.records import open_record
from portal import db, establishments, files
from portal.db import session
from portal.establishments import Unit
from portal.files import StoredFile
from services.pieces import actions as piece_actions
from services.pieces import states as piece_states
from services.pieces.models import Piece
from services.preadmission import asked, queries, states
from services.preadmission.answers import (
    AccidentFacts,
    Answers,
    Choices,
    Coverage,
    Directives,
    Doctor,
    Holders,
    Identity,
    Maternity,
    Protector,
    Relative,
    Room,
    Situation,
    Trust,
)
from services.preadmission.asked import Facts
from services.preadmission.doctors import queries as doctors
from services.preadmission.doctors.models import Doctor as RegisteredDoctor
from services.preadmission.models import Preadmission, StepAnswers, new_reference
from services.preadmission.pages import HOURS
from tests.ground import today

if TYPE_CHECKING:
    from tests.factories.demonstration import World

PATHS = {
    "draft": ("draft",),
    "submitted": ("draft", "submitted"),
    "in_review": ("draft", "submitted", "in_review"),
    "to_complete": ("draft", "submitted", "in_review", "to_complete"),
    "completed": ("draft", "submitted", "in_review", "to_complete", "completed"),
    "validated": ("draft", "submitted", "in_review", "validated"),
    "refused": ("draft", "submitted", "in_review", "refused"),
    "cancelled_by_patient": ("draft", "submitted", "cancelled_by_patient"),
    "lapsed": ("draft", "submitted", "lapsed"),
    "transmitted": ("draft", "submitted", "in_review", "validated", "transmitted"),
    "integrated": ("draft", "submitted", "in_review", "validated", "transmitted", "integrated"),
    "closed": ("draft", "submitted", "in_review", "validated", "transmitted", "integrated", "closed"),
    "cancelled_by_hospital": ("draft", "submitted", "in_review", "validated", "cancelled_by_hospital"),
    "purged": ("draft", "submitted", "in_review", "refused", "purged"),
}
NIR = "279035121518989"
"""The national test patient's, published by the Agence du numérique en santé."""


def cover_of(patient: Patient) -> Coverage:
    """The cover of somebody fictional: a number of their sex, year and month, in a department that does not exist."""
    sex, day = "1" if patient.sex == "M" else "2", patient.birth_on or date(1980, 1, 1)
    number = f"{sex}{day:%y%m}00{sum(map(ord, patient.birth_name + patient.first_name)) % 1_000_000:06}"
    return Coverage(amo_kind="french", nir=f"{number}{nir.key_of(number):02}", amc_kind="private",
                    amc_name="Mutuelle de l’Arche", member_number="0042 118")  # fmt: skip


def everything(facts: Facts) -> list[Answers]:
    """Believable answers to every step that this person is asked."""
    given: list[Answers] = [
        Situation(authority="both" if facts.is_minor else ""),
        Identity(phone="+33639980001", email="patiente@exemple.test", street="4 rue des Lilas", postcode="91990",
                 town="Arceau"),
        Doctor(name="Hélène Roumillac", town="Arceau"),
        Coverage(amo_kind="french", nir=NIR, amc_kind="private", amc_name="Mutuelle de l’Arche",
                 member_number="0042 118"),
        AccidentFacts(happened_on=facts.planned_on - timedelta(days=20), employer="Ateliers du Pont"),
        Maternity(due_on=facts.planned_on),
        Holders(first_name="Alix Morel", second_name="Noa Morel", second_email="noa@exemple.test"),
        Protector(name="Association Les Tilleuls", phone="+33639980077"),
        Relative(name="Alix Morel", link="sibling", phone="+33639980099"),
        Trust(wanted="no"),
        Room(room="shared"),
        Directives(exist="no"),
        Choices(by_mail=True, text_version="2026-11"),
    ]  # fmt: skip
    return [each for each in given if each.step in asked.steps(facts)]


def photo(words: str = "SPECIMEN", size: tuple[int, int] = (640, 400)) -> bytes:
    """A PNG that looks like a card photographed flat."""
    image = Image.new("RGB", size, "#dfe7e4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, size[0] - 20, size[1] - 20), outline="#1f5c63", width=4)
    draw.rectangle((50, 90, 210, 300), fill="#b9c8c4")
    draw.text((240, 100), words, fill="#12393e", font=ImageFont.load_default(28))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def pdf(pages: int = 1) -> bytes:
    """A PDF of blank pages."""
    made = pikepdf.new()
    for _page in range(pages):
        made.add_blank_page()
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def scanned(words: str) -> bytes:
    """A PDF as a scanner makes it: a picture of a page."""
    out = BytesIO()
    Image.open(BytesIO(photo(words, (900, 1200)))).save(out, "PDF")
    return out.getvalue()


def locked_pdf() -> bytes:
    """A PDF that asks for a password."""
    out = BytesIO()
    with pikepdf.open(BytesIO(pdf())) as made:
        made.save(out, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return out.getvalue()


def preadmission(
    patient: Patient,
    unit: Unit,
    state: str = "draft",
    *,
    planned_on: date | None = None,
    days_ago: int = 1,
    account_id: UUID | None = None,
    agent: str = "",
    stay_kind: str = "inpatient",
    answers: Sequence[Answers] | None = None,
    complete: bool | None = None,
) -> Preadmission:
    """A file in this state, begun `days_ago` days ago, its pieces awaited. A sent one has every answer, and `answers`
    take the place of those of their steps. complete: whether a draft has every answer too."""
    this_day = today()
    made = Preadmission(
        id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, patient_id=patient.id,
        account_id=account_id, reference=new_reference(), state="", stay_kind=stay_kind,
        planned_on=planned_on or this_day + timedelta(days=12), origin="patient", version=0,
    )  # fmt: skip
    rows = [_change(made, step, days_ago, rank, agent) for rank, step in enumerate(PATHS[state])]
    session.add(made)
    session.flush()
    session.add_all(rows)
    made.patient = patient
    _answer(made, answers or (), complete=state != "draft" if complete is None else complete)
    piece_actions.require(made.id, made.establishment_id, patient.id, asked.pieces(queries.facts(made)))
    shared_at = made.submitted_at
    if shared_at:
        piece_actions.share(made.id, patient.id, made.establishment_id)
        open_record(patient.id, made.establishment_id)
    return made


def whole_draft(patient: Patient, unit: Unit, stay_kind: str = "inpatient") -> Preadmission:
    """A draft with every answer and every document that it cannot be sent without."""
    made = preadmission(patient, unit, stay_kind=stay_kind, complete=True)
    for piece in pieces_of(made).values():
        if piece.needed:
            put(piece)
    return made


def settle(made: Preadmission) -> None:
    """Every document that is needed was accepted."""
    for piece in pieces_of(made).values():
        if piece.needed:
            put(piece, "accepted")


def _answer(made: Preadmission, answers: Sequence[Answers], *, complete: bool) -> None:
    """The situation first: it decides what else is asked."""
    own = {each.step: each for each in answers}
    _write(made, own)
    if complete:
        for _round in range(2):
            _write(made, {each.step: own.get(each.step, each) for each in everything(queries.facts(made))})


def _write(made: Preadmission, answers: Mapping[str, Answers]) -> None:
    there = queries.steps_of(made.id)
    session.add_all(
        StepAnswers(id=uuid4(), preadmission_id=made.id, step=step, answers=each.model_dump_json(), version=1)
        for step, each in answers.items()
        if step not in there
    )
    cover = answers.get("coverage")
    if isinstance(cover, Coverage) and cover.nir:
        made.nir_digest = nir.index(cover.nir)
    session.flush()


def _change(made: Preadmission, to_state: str, days_ago: int, rank: int, agent: str) -> object:
    row = states.change(made, to_state, db.current_actor())
    row.at = db.now() - timedelta(days=days_ago) + timedelta(hours=3 * rank)
    row.actor_name = agent if to_state in ("in_review", "to_complete", "validated", "refused") else ""
    made.changed_at = row.at
    if to_state == "submitted":
        made.submitted_at = row.at
    if to_state == "in_review":
        made.agent_name = agent
    if to_state == "to_complete":
        made.complete_by = today() + timedelta(days=5)
    if to_state == "refused":
        made.decision_reason = "Ce séjour est prévu dans un autre hôpital du groupe : préparez-le depuis sa page."
    return row


def pieces_of(made: Preadmission) -> dict[str, Piece]:
    """Kind → piece."""
    return {piece.kind: piece for piece in session.scalars(select(Piece).where(Piece.folder_id == made.id))}


def stored(content: bytes | None = None, name: str = "carte.png") -> StoredFile:
    """An uploaded file of the current actor, not attached yet."""
    return files.receive(files.from_bytes([photo() if content is None else content]), name)


def put(
    piece: Piece, state: str = "deposited", *, content: bytes | None = None, name: str = "carte.png", reason: str = ""
) -> Piece:
    """Give the piece a file, and bring it to this state."""
    piece_actions.add_page(piece, stored(content, name).id)
    steps: Sequence[str] = ("deposited",) if state == "deposited" else ("deposited", state)
    for step in steps:
        session.add(piece_states.change(piece, step, db.current_actor(), reason if step == "refused" else ""))
    session.flush()
    return piece


# -- the demonstration ---------------------------------------------------------------------------------------------


def demonstrate(world: "World") -> None:
    """A tray with something in each of its corners; for Dominique a file sent back, a draft half filled in, and
    documents accepted before, of which one has expired since."""
    clerk = world.agents["admissions-clerk"].name
    for key, place, state, in_days, days_ago, kind in _PLANS:
        person, unit = world.patients[key], {"north": world.north.unit, "south": world.south.unit}[place]
        made = preadmission(person, unit, state, planned_on=today() + timedelta(days=in_days), days_ago=days_ago,
                            account_id=_account_of(person), agent=clerk, stay_kind=kind,
                            answers=_HALF if state == "draft" else [cover_of(person)])  # fmt: skip
        if made.agent_name:
            made.agent_id = world.agents["admissions-clerk"].id
        _fill_pieces(made, person)
    for hospital in (world.north, world.south):
        establishments.change_setting(hospital.establishment.id, HOURS, "du lundi au vendredi, de 8 h à 18 h")
    _register_of_doctors()


_PLANS = (
    ("dominique", "north", "closed", -40, 60, "day_case"),
    ("dominique", "north", "to_complete", 9, 3, "inpatient"),
    ("dominique", "north", "draft", 40, 1, "day_case"),
    ("dominique", "south", "integrated", 25, 12, "outpatient"),
    ("suzanne", "north", "submitted", 2, 4, "inpatient"),
    ("yacine", "north", "submitted", 6, 1, "outpatient"),
    ("camille", "south", "in_review", 21, 2, "maternity"),
    ("child", "north", "completed", 3, 5, "day_case"),
    ("jean-marie", "north", "submitted", 15, 6, "inpatient"),
    ("jean-marie", "south", "cancelled_by_hospital", 30, 7, "day_case"),
    ("suzanne", "south", "validated", 5, 8, "outpatient"),
    ("suzanne", "north", "lapsed", -3, 20, "outpatient"),
    ("yacine", "south", "refused", 12, 9, "day_case"),
    ("yacine", "north", "transmitted", 18, 5, "inpatient"),
    ("camille", "north", "purged", -200, 230, "outpatient"),
)
"""Patient, hospital, state, day of the stay and of the beginning from today, kind of stay."""
_HALF: Sequence[Answers] = (
    Situation(),
    Identity(phone="+33639980001", email="dominique@exemple.test", street="4 rue des Lilas", postcode="91990",
             town="Arceau"),
    Doctor(name="Hélène Roumillac", town="Arceau"),
)  # fmt: skip
_DOCTORS = (
    ("ROUMILLAC", "Hélène", "Médecine générale", "91990", "Arceau"),
    ("ROUMILLAC", "Hélène", "Médecine générale", "75013", "Paris"),
    ("ROUSSELOT", "Anselme", "Médecine générale", "91990", "Arceau"),
    ("LE GOFF-MÜLLER", "Maïwenn", "Médecine générale", "91290", "Arpajon"),
    ("NEVELET", "Bastien", "Cardiologie", "91290", "Arpajon"),
    ("BENSAÏD", "Nora", "Médecine générale", "75013", "Paris"),
    ("DUBOIS-FICTIF", "Camille", "Pédiatrie", "97400", "Saint-Denis"),
)


def _register_of_doctors() -> None:
    """A few lines such as those of the public register, of people who do not exist."""
    numbers: dict[str, str] = {}
    for family_name, given_name, speciality, postcode, town in _DOCTORS:
        body = f"109999{len(numbers) + 1:04}"
        rpps = numbers.setdefault(f"{family_name} {given_name}", body + luhn.calc_check_digit(body))
        session.add(
            RegisteredDoctor(
                id=uuid4(), rpps=rpps, family_name=family_name, given_name=given_name, speciality=speciality,
                postcode=postcode, town=town, name_key=doctors.key(f"{family_name} {given_name}"),
                town_key=doctors.key(town),
            )
        )  # fmt: skip
    session.flush()


def _account_of(person: Patient) -> UUID | None:
    return session.scalar(select(PatientAccess.account_id).where(PatientAccess.patient_id == person.id))


def _fill_pieces(made: Preadmission, person: Patient) -> None:
    """What each state of a file leaves in its documents; a purged one has none left."""
    pieces = pieces_of(made)
    if made.state in ("draft", "purged"):
        return
    judged = made.state in ("validated", "transmitted", "integrated", "closed", "to_complete")
    verdict = "accepted" if judged else "deposited"
    put(pieces["identity"], verdict,
        content=photo(f"SPECIMEN\n{person.birth_name}\n{person.first_name}"), name="carte-d-identite.png")  # fmt: skip
    pieces["identity"].expires_on = today() + timedelta(days=900)
    put(pieces["health_card"], verdict, content=scanned("SPECIMEN\nAttestation de droits"),
        name="attestation-de-droits.pdf")  # fmt: skip
    if made.state == "to_complete":
        put(pieces["top_up_card"], "refused", content=photo("?"), name="mutuelle.png", reason="unreadable")
    elif judged:
        for piece in pieces.values():
            if piece.needed and not piece.pages:
                put(piece, "accepted", content=photo(f"SPECIMEN\n{piece.kind}"), name=f"{piece.kind}.png")
    if made.state == "closed":
        pieces["top_up_card"].expires_on = today() - timedelta(days=20)
    session.flush()
