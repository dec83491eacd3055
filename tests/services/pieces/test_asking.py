"""A folder asks for what its answers make necessary, and loses nothing when they change."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.files import StoredFile
from services.pieces import actions, queries, wording
from services.pieces.models import HAS_EXPIRY, KINDS, STATES, Piece, PieceChange
from services.pieces.states import REFUSAL_REASONS
from tests.services.pieces.conftest import Ground, photo, piece_of, stored


def test_every_kind_state_and_reason_has_its_words() -> None:
    for words in (wording.KINDS, wording.SHORT_KINDS, wording.ADVICE):
        assert list(words) == list(KINDS)
    assert set(wording.STATES) == set(STATES)
    assert set(wording.REASONS) == set(REFUSAL_REASONS)


def test_the_scans_of_identity_documents_are_the_guarded_ones() -> None:
    guarded = {code for code, kind in KINDS.items() if kind.is_identity}
    assert guarded == {"identity", "protector_identity", "parent_identity"}
    assert guarded <= HAS_EXPIRY


def test_asking_twice_asks_once(ground: Ground, folder: Callable[..., UUID]) -> None:
    folder_id = folder({"identity": True, "health_card": False})
    with db.transaction(ground.as_patient) as current:
        place = ground.here.establishment.id
        again = actions.require(folder_id, place, ground.patient.id, {"health_card": True, "identity": True})
        assert [(piece.kind, piece.needed) for piece in again] == [("identity", True), ("health_card", True)]
        assert current.scalar(select(func.count()).select_from(PieceChange)) == 0


def test_what_is_no_longer_asked_keeps_its_pages_and_comes_back_with_them(
    ground: Ground, folder: Callable[..., UUID]
) -> None:
    folder_id, place = folder({"identity": True, "top_up_card": True}), ground.here.establishment.id
    with db.transaction(ground.as_patient):
        actions.send(piece_of(folder_id, "top_up_card"), stored().id)
        left = actions.require(folder_id, place, ground.patient.id, {"identity": True})
        assert [piece.kind for piece in left] == ["identity"]
        assert queries.one_of_folder(folder_id, piece_of(folder_id, "top_up_card").id) is None
    with db.transaction(ground.as_patient):
        back = actions.require(folder_id, place, ground.patient.id, {"identity": True, "top_up_card": False})
        assert [(piece.state, len(piece.pages)) for piece in back] == [("awaited", 0), ("deposited", 1)]


def test_an_unknown_kind_is_a_fault_of_the_caller(ground: Ground, folder: Callable[..., UUID]) -> None:
    with db.transaction(ground.as_patient), pytest.raises(KeyError):
        actions.require(uuid4(), ground.here.establishment.id, ground.patient.id, {"passport of the cat": True})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(sorted(KINDS)), st.booleans(), max_size=5), min_size=1, max_size=4))
def test_whatever_the_answers_were_the_last_ones_alone_count(ground: Ground, wishes: list[dict[str, bool]]) -> None:
    folder_id = uuid4()
    with db.transaction(ground.as_patient):
        for wanted in wishes:
            asked = actions.require(folder_id, ground.here.establishment.id, ground.patient.id, wanted)
            assert {piece.kind: piece.needed for piece in asked} == wanted
            assert [piece.rank for piece in asked] == sorted(piece.rank for piece in asked)


# -- who sees what -------------------------------------------------------------------------------------------------


def test_the_hospital_sees_nothing_before_it_is_shared_and_what_is_added_afterwards(
    ground: Ground, folder: Callable[..., UUID]
) -> None:
    folder_id, place = folder({"identity": True}, shared=False), ground.here.establishment.id
    with db.transaction(ground.as_clerk):
        assert queries.of_folder(folder_id) == []
    with db.transaction(ground.as_patient):
        actions.share(folder_id, ground.patient.id, place)
        actions.require(folder_id, place, ground.patient.id, {"identity": True, "ame": True})
    with db.transaction(ground.as_clerk):
        assert [piece.kind for piece in queries.of_folder(folder_id)] == ["identity", "ame"]


def test_an_agent_may_ask_and_the_patient_finds_it(ground: Ground) -> None:
    folder_id, place = uuid4(), ground.here.establishment.id
    with db.transaction(ground.as_clerk):
        actions.require(folder_id, place, ground.patient.id, {"identity": True, "referral_letter": True})
        actions.require(folder_id, place, ground.patient.id, {"identity": True, "referral_letter": True})
    with db.transaction(ground.as_patient):
        assert [piece.kind for piece in queries.of_folder(folder_id)] == ["identity", "referral_letter"]


def test_health_pieces_and_their_files_are_the_care_teams_alone(ground: Ground, folder: Callable[..., UUID]) -> None:
    folder_id = folder({"identity": True, "prescription": True})
    with db.transaction(ground.as_patient):
        actions.send(piece_of(folder_id, "prescription"), stored(photo("blue")).id)
    for actor, seen, files in ((ground.as_clerk, "identity", 0), (ground.as_nurse, "prescription", 1)):
        with db.transaction(actor) as current:
            assert [piece.kind for piece in queries.of_folder(folder_id)] == [seen]
            assert current.scalar(select(func.count()).select_from(StoredFile)) == files


def test_a_draft_s_files_are_the_patient_s_alone(ground: Ground, folder: Callable[..., UUID]) -> None:
    folder_id = folder({"identity": True}, shared=False)
    with db.transaction(ground.as_patient):
        actions.send(piece_of(folder_id, "identity"), stored().id)
    with db.transaction(ground.as_clerk) as current:
        assert current.scalar(select(func.count()).select_from(StoredFile)) == 0
    with db.transaction(ground.as_patient):
        actions.share(folder_id, ground.patient.id, ground.here.establishment.id)
    for actor, seen in ((ground.as_clerk, 1), (ground.as_clerk_there, 0), (ground.as_other_patient, 0)):
        with db.transaction(actor) as current:
            assert current.scalar(select(func.count()).select_from(StoredFile)) == seen


def test_another_hospital_cannot_ask_in_the_name_of_this_one(ground: Ground) -> None:
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(ground.as_clerk_there):
        actions.require(uuid4(), ground.here.establishment.id, ground.patient.id, {"identity": True})


def test_lists_cost_two_statements_however_many_folders(
    ground: Ground, folder: Callable[..., UUID], statements: Callable[[], object]
) -> None:
    folders = [folder({"identity": True, "ame": False}) for _ in range(3)]
    with db.transaction(ground.as_patient), statements() as seen:
        found = queries.of_folders(folders)
    assert {folder_id: len(pieces) for folder_id, pieces in found.items()} == dict.fromkeys(folders, 2)
    assert len([each for each in seen if each.lower().startswith("select piece")]) == 2
    assert all(isinstance(piece, Piece) for pieces in found.values() for piece in pieces)
