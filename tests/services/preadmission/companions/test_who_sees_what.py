"""A companion sees what they sign and nothing of the file; a stranger sees nothing at all, and writes nothing."""

from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.db import ANONYMOUS, Actor
from services.pieces.models import Piece
from services.preadmission.answers import Choices
from services.preadmission.choices import actions as choice_actions
from services.preadmission.choices.models import ChoiceMade
from services.preadmission.companions import queries
from services.preadmission.companions.models import Companion, CompanionChange, Signature
from services.preadmission.models import Preadmission, StepAnswers
from services.preadmission.prices.models import RoomPrice
from tests.factories import companions as factory
from tests.factories import people
from tests.ground import today
from tests.services.preadmission.conftest import Ground

TABLES = (Companion, CompanionChange, Signature, ChoiceMade)
HIDDEN = (Preadmission, StepAnswers, Piece, ChoiceMade)


def strangers(ground: Ground) -> dict[str, Actor]:
    here = ground.hospital.establishment.id
    with db.transaction(db.system("tests")):
        doctor = people.professional()
        others = people.agent(here, "billing", "care")
    return {
        "another patient": ground.as_other_patient,
        "another hospital's clerk": ground.as_other_clerk,
        "an agent without the right": people.as_agent(others, here, "billing", "care", "documents", "appointments"),
        "a practitioner": people.as_professional(doctor),
        "a visitor": ANONYMOUS,
    }


@pytest.fixture
def signed(ground: Ground) -> tuple[factory.Family, Preadmission]:
    with db.transaction(db.system("tests")):
        family = factory.family(ground.hospital.establishment.id)
        file = factory.childs_file(family, ground.hospital.unit)
        factory.signed(queries.standing_one(file.id, "holder", 2), family.father)
        choice_actions.note(file, Choices(by_mail=True, text_version="2026-11"))
        return family, file


@pytest.mark.parametrize("table", TABLES)
def test_strangers_see_no_row_and_change_none(ground: Ground, signed, table) -> None:
    for who, actor in strangers(ground).items():
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(table)) == 0, who
        with db.transaction(actor) as current:
            assert current.execute(update(Companion).values(state="signed")).rowcount == 0, who


def test_a_companion_sees_their_own_line_and_their_own_signature_and_nothing_of_the_file(ground, signed) -> None:
    family, _file = signed
    with db.transaction(people.as_patient(family.father, family.father_as_patient)) as current:
        assert [each.rank for each in current.scalars(select(Companion))] == [2]
        assert len(current.scalars(select(Signature)).all()) == 1
        for table in HIDDEN:
            assert current.scalar(select(func.count()).select_from(table)) == 0, table.__name__


def test_the_family_and_the_admissions_office_see_both(ground, signed) -> None:
    family, _file = signed
    for actor in (people.as_patient(family.mother, family.child), ground.as_clerk):
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(Companion)) == 2
            assert current.scalar(select(func.count()).select_from(Signature)) == 1


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("origin", ["hospital", "invitation"])
def test_the_hospital_that_began_a_draft_reads_nothing_of_it_before_it_is_sent(ground, signed, table, origin) -> None:
    family, file = signed
    with db.transaction(db.system("tests")) as current:
        draft = current.get_one(Preadmission, file.id)
        draft.origin, draft.state, draft.submitted_at = origin, "draft", None
    with db.transaction(ground.as_clerk) as current:
        assert current.scalar(select(func.count()).select_from(Preadmission)) == 1
        assert current.scalar(select(func.count()).select_from(table)) == 0
    with db.transaction(people.as_patient(family.mother, family.child)) as current:
        assert current.scalar(select(func.count()).select_from(table)) > 0


@pytest.mark.parametrize("table", [CompanionChange, Signature, ChoiceMade])
def test_evidence_is_never_changed_nor_deleted_by_anybody_who_signs(ground, signed, table) -> None:
    family, _file = signed
    for actor in (people.as_patient(family.mother, family.child), ground.as_clerk):
        with db.transaction(actor) as current:
            assert current.execute(update(table).values(id=uuid4())).rowcount == 0
        with db.transaction(actor) as current:
            assert current.execute(table.__table__.delete()).rowcount == 0


@pytest.mark.parametrize("decision", ["signed", "received"])
def test_nobody_signs_in_the_place_of_somebody_else(ground, signed, decision) -> None:
    family, file = signed
    with db.transaction(db.system("tests")):
        first = queries.standing_one(file.id, "holder", 1)
    forged = {"id": uuid4(), "companion_id": first.id, "at": db.now(), "decision": decision, "signer_name": "x",
              "provider": "", "acr": "", "text_kind": "operation", "text_version": "2026-11", "locale": "fr",
              "words": "x", "digest": b"x", "by_patient": False}  # fmt: skip
    whose = {"account_id": family.father.id} if decision == "signed" else {"account_id": None}
    mother = people.as_patient(family.mother, family.child)
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(mother) as current:
        current.execute(insert(Signature).inline().values(forged | whose))


def test_a_price_is_public_and_set_by_the_administrators_of_the_hospital_alone(ground) -> None:
    here = ground.hospital.establishment.id
    with db.transaction(db.system("tests")):
        boss = people.agent(here, "administration")
    row = {"id": uuid4(), "establishment_id": here, "price_cents": 6000, "starts_on": today(), "created_at": db.now(),
           "created_by_name": ""}  # fmt: skip
    elsewhere = people.as_agent(boss, ground.other_hospital.establishment.id, "administration")
    for actor in (*strangers(ground).values(), ground.as_clerk, ground.as_patient, elsewhere):
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor) as current:
            current.execute(insert(RoomPrice).inline().values(row))
    with db.transaction(people.as_agent(boss, here, "administration")) as current:
        current.execute(insert(RoomPrice).inline().values(row))
    with db.transaction(ANONYMOUS) as current:
        assert current.scalar(select(RoomPrice.price_cents)) == 6000


# -- over HTTP -----------------------------------------------------------------------------------------------------


def test_strangers_get_404_everywhere(ground, signed, sign_in) -> None:
    _family, file = signed
    with db.transaction(db.system("tests")):
        second = queries.standing_one(file.id, "holder", 2)
    browser = sign_in(ground.other_account)
    base = f"/pre-admission/{file.id}"
    for url in (f"{base}/signatures", f"{base}/signatures/autorisation", f"{base}/signatures/{second.id}/retirer",
                f"{base}/signatures/{second.id}/feuille.pdf", f"{base}/choix", f"{base}/choix/historique",
                f"/signatures/{second.id}", f"/signatures/{second.id}/signature.pdf"):  # fmt: skip
        assert browser.get(url).status_code == 404, url
    for url in (f"{base}/signatures/{second.id}/lien", f"{base}/signatures/{second.id}/papier",
                f"/signatures/{second.id}/signer", f"/signatures/{second.id}/refuser",
                f"/signatures/{second.id}/retirer"):  # fmt: skip
        assert browser.post(url, data={"once": str(uuid4())}).status_code == 404, url
    desk = sign_in(ground.other_clerk)
    for gesture in ("identite", "autre-personne", "feuille-recue"):
        assert desk.post(f"/admin/signatures/{file.id}/{second.id}/{gesture}").status_code == 404
    assert desk.get(f"/admin/signatures/{file.id}").status_code == 404
