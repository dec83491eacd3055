"""Another patient, another hospital, an agent without the right, a visitor: each sees nothing and changes nothing."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import ANONYMOUS, Actor
from services.pieces.models import Piece, PieceChange, PiecePage
from services.preadmission.models import Preadmission, PreadmissionChange, StepAnswers
from tests.factories import people
from tests.factories import preadmission as factory
from tests.services.preadmission.conftest import Ground

TABLES = (Preadmission, PreadmissionChange, StepAnswers, Piece, PieceChange, PiecePage)


def strangers(ground: Ground) -> dict[str, Actor]:
    with db.transaction(db.system("tests")):
        doctor = people.professional()
        billing = people.agent(ground.hospital.establishment.id, "billing")
    here = ground.hospital.establishment.id
    return {
        "another patient": ground.as_other_patient,
        "another hospital's clerk": ground.as_other_clerk,
        "an agent without the right": people.as_agent(billing, here, "billing", "documents", "appointments"),
        "a practitioner": people.as_professional(doctor),
        "a visitor": ANONYMOUS,
    }


def sent(ground: Ground) -> tuple[Preadmission, Piece]:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "submitted")
        return file, factory.put(factory.pieces_of(file)["identity"])


def drafted(ground: Ground) -> tuple[Preadmission, Piece]:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit)
        return file, factory.put(factory.pieces_of(file)["identity"])


@pytest.mark.parametrize("table", TABLES)
def test_strangers_see_no_row_and_write_none(ground: Ground, table: type[db.Base]) -> None:
    file, piece = sent(ground)
    for who, actor in strangers(ground).items():
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(table)) == 0, who
        if table in (Preadmission, Piece):
            with db.transaction(actor) as current:
                assert current.execute(update(table).values(state="refused")).rowcount == 0, who
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor) as current:
            current.execute(insert(table).inline().values(row_of(table, file, piece, actor)))


def row_of(table: type[db.Base], file: Preadmission, piece: Piece, actor: Actor) -> dict[str, object]:
    """A row about somebody else's file, as a stranger would forge it."""
    model = file if table is Preadmission else piece
    change = {"id": uuid4(), "at": db.now(), "actor": actor.label, "patient_id": file.patient_id, "from_state": "draft",
              "to_state": "submitted"}  # fmt: skip
    if table is StepAnswers:
        return {"id": uuid4(), "preadmission_id": file.id, "step": "trust", "answers": "{}", "version": 1}
    if table is PiecePage:
        page = piece.pages[0]
        return {"id": uuid4(), "piece_id": piece.id, "patient_id": file.patient_id, "position": 2,
                "file_id": page.file_id}  # fmt: skip
    if table is PreadmissionChange:
        return change | {"preadmission_id": file.id}
    if table is PieceChange:
        return change | {"piece_id": piece.id}
    copied = {column.key: getattr(model, column.key) for column in table.__table__.columns}
    fresh = (
        {"id": uuid4(), "reference": "BBBB-BBBB"} if table is Preadmission else {"id": uuid4(), "folder_id": uuid4()}
    )
    return copied | fresh


@pytest.mark.parametrize("table", TABLES)
def test_the_hospital_sees_nothing_of_a_draft(ground: Ground, table: type[db.Base]) -> None:
    drafted(ground)
    with db.transaction(ground.as_clerk) as current:
        assert current.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize("table", TABLES)
def test_the_patient_and_the_hospital_see_a_sent_file(ground: Ground, table: type[db.Base]) -> None:
    sent(ground)
    for actor in (ground.as_patient, ground.as_clerk):
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(table)) > 0


@pytest.mark.parametrize("table", [PreadmissionChange, PieceChange])
def test_nobody_signs_a_change_with_another_name(ground: Ground, table: type[db.Base]) -> None:
    file, piece = sent(ground)
    forged = row_of(table, file, piece, ground.as_clerk)
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(ground.as_patient) as current:
        current.execute(insert(table).inline().values(forged))


# -- over HTTP -----------------------------------------------------------------------------------------------------


def patient_urls(file_id: UUID, piece_id: UUID) -> list[str]:
    steps = ("", "/sejour", "/etapes/identite", "/etapes/prise-en-charge", "/pieces", "/verification",
             "/accuse-de-reception", "/annuler", f"/pieces/{piece_id}", f"/pieces/{piece_id}/fichier")  # fmt: skip
    return [f"/pre-admission/{file_id}{step}" for step in steps]


def staff_posts(file_id: UUID, piece_id: UUID) -> list[str]:
    gestures = ("prendre", "renvoyer", "valider", "refuser", f"pieces/{piece_id}/accepter",
                f"pieces/{piece_id}/refuser", f"pieces/{piece_id}/dispenser")  # fmt: skip
    return [f"/admin/pre-admissions/{file_id}/{gesture}" for gesture in gestures]


def test_another_patient_gets_404_everywhere(ground: Ground, sign_in) -> None:
    file, piece = drafted(ground)
    browser = sign_in(ground.other_account)
    for url in patient_urls(file.id, piece.id):
        assert browser.get(url).status_code == 404, url
    for step in ("etapes/identite", "verification", "annuler", f"pieces/{piece.id}"):
        posted = browser.post(f"/pre-admission/{file.id}/{step}", data={"once": str(uuid4())})
        assert posted.status_code == 404, step


def test_a_piece_of_mine_is_not_reached_through_another_file_of_mine(ground: Ground, sign_in) -> None:
    _file, piece = drafted(ground)
    other, _piece = drafted(ground)
    assert sign_in(ground.account).get(f"/pre-admission/{other.id}/pieces/{piece.id}").status_code == 404


def test_another_hospitals_clerk_gets_404_everywhere(ground: Ground, sign_in) -> None:
    file, piece = sent(ground)
    browser = sign_in(ground.other_clerk)
    assert file.reference not in browser.get("/admin/pre-admissions").text
    for url in (f"/admin/pre-admissions/{file.id}", f"/admin/pre-admissions/{file.id}/pieces/{piece.id}/fichier"):
        assert browser.get(url).status_code == 404
    for url in staff_posts(file.id, piece.id):
        assert browser.post(url).status_code == 404, url
    with db.transaction(db.system("tests")) as current:
        assert current.get_one(Preadmission, file.id).state == "submitted"


def test_the_hospitals_own_clerk_gets_404_for_a_draft(ground: Ground, sign_in) -> None:
    file, piece = drafted(ground)
    browser = sign_in(ground.clerk)
    assert browser.get(f"/admin/pre-admissions/{file.id}").status_code == 404
    assert browser.get(f"/admin/pre-admissions/{file.id}/pieces/{piece.id}/fichier").status_code == 404


def test_an_agent_without_the_right_and_a_patient_get_403_at_the_desk(ground: Ground, sign_in) -> None:
    file, _piece = sent(ground)
    with db.transaction(db.system("tests")):
        billing = people.agent(ground.hospital.establishment.id, "billing")
    for account in (billing, ground.account):
        browser: FlaskClient = sign_in(account)
        assert browser.get("/admin/pre-admissions").status_code == 403
        assert browser.post(f"/admin/pre-admissions/{file.id}/valider").status_code == 403


def test_a_visitor_is_sent_to_the_door(ground: Ground, client: FlaskClient) -> None:
    answer = client.get("/pre-admission")
    assert answer.status_code == 303
    assert answer.location.startswith("/connexion")
    assert client.get("/admin/pre-admissions").location.startswith("/admin/connexion")
