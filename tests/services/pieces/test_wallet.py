"""What a hospital has accepted is not asked twice; what is erased for one stay is not lost for the other."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from portal import db, files
from portal.files import StoredFile
from services.pieces import actions, jobs, queries
from services.pieces.actions import NotReusable
from services.pieces.models import Piece, PieceChange
from tests.ground import today
from tests.services.pieces.conftest import Ground, photo, piece_of, stored

STAY = today() + timedelta(days=20)
NEXT_YEAR = today() + timedelta(days=365)
SOON = today() + timedelta(days=5)


def reuse(ground: Ground, folder_id: UUID, source_id: UUID, *, ticked: bool = False) -> str:
    with db.transaction(ground.as_patient) as current:
        piece, source = piece_of(folder_id, "identity"), current.get_one(Piece, source_id)
        actions.reuse(piece, source, STAY, ticked=ticked)
        return piece.state


def test_an_accepted_piece_is_offered_for_the_next_stay(
    ground: Ground, folder: Callable[..., UUID], accepted: Callable[..., UUID]
) -> None:
    known = accepted("identity", NEXT_YEAR)
    folder_id = folder({"identity": True, "health_card": True})
    with db.transaction(ground.as_patient):
        assert [each.id for each in queries.reusable(piece_of(folder_id, "identity"), STAY)] == [known]
        assert queries.reusable(piece_of(folder_id, "health_card"), STAY) == []
        assert [each.id for each in queries.wallet(ground.patient.id)] == [known]
    with db.transaction(ground.as_other_patient):
        assert queries.wallet(ground.patient.id) == []


def test_at_the_same_hospital_it_is_accepted_at_once_with_the_same_file(
    ground: Ground, folder: Callable[..., UUID], accepted: Callable[..., UUID]
) -> None:
    known, folder_id = accepted("identity", NEXT_YEAR), folder()
    assert reuse(ground, folder_id, known) == "accepted"
    with db.transaction(ground.as_clerk) as current:
        piece, source = piece_of(folder_id, "identity"), current.get_one(Piece, known)
        assert piece.pages[0].file_id == source.pages[0].file_id
        assert (piece.expires_on, piece.reused_from) == (NEXT_YEAR, known)
        assert current.scalars(select(PieceChange.reason).where(PieceChange.piece_id == piece.id)).all() == ["reused"]


def test_another_hospital_looks_at_it_itself_and_only_if_the_patient_ticks(
    ground: Ground, folder: Callable[..., UUID], accepted: Callable[..., UUID]
) -> None:
    known, folder_id = accepted("identity", NEXT_YEAR), folder({"identity": True}, ground.there)
    with pytest.raises(NotReusable):
        reuse(ground, folder_id, known)
    with db.transaction(ground.as_clerk_there) as current:
        assert current.scalars(select(StoredFile)).all() == []
    assert reuse(ground, folder_id, known, ticked=True) == "deposited"
    with db.transaction(ground.as_clerk_there) as current:
        assert current.get(Piece, known) is None, "the other hospital's folder stays its own"
        actions.accept(piece_of(folder_id, "identity"))
        assert len(current.scalars(select(StoredFile)).all()) == 1


def test_what_is_not_valid_on_the_day_of_the_stay_is_asked_again(
    ground: Ground, folder: Callable[..., UUID], accepted: Callable[..., UUID]
) -> None:
    known, folder_id = accepted("identity", SOON), folder()
    with db.transaction(ground.as_patient):
        assert queries.reusable(piece_of(folder_id, "identity"), STAY) == []
        assert [each.id for each in queries.wallet(ground.patient.id)] == [known], "still valid today"
    with pytest.raises(NotReusable):
        reuse(ground, folder_id, known)


def test_neither_an_undecided_piece_nor_another_kind_is_reused(
    ground: Ground, folder: Callable[..., UUID], accepted: Callable[..., UUID]
) -> None:
    pending, folder_id = folder(), folder()
    with db.transaction(ground.as_patient):
        actions.send(piece_of(pending, "identity"), stored().id)
        undecided = piece_of(pending, "identity").id
    for source_id in (undecided, accepted("health_card")):
        with pytest.raises(NotReusable):
            reuse(ground, folder_id, source_id)


def test_erasing_one_stay_s_piece_keeps_the_file_of_the_other_and_the_last_one_erases_it(
    ground: Ground, folder: Callable[..., UUID], accepted: Callable[..., UUID], work_jobs: Callable[[], None]
) -> None:
    known, folder_id = accepted("identity", NEXT_YEAR), folder()
    reuse(ground, folder_id, known)
    with db.transaction(db.system("preadmission.purge")) as current:
        key = current.get_one(Piece, known).pages[0].file.storage_key
        actions.purge(current.get_one(Piece, known), "identity_after_stay")
    work_jobs()
    assert files._place.store.exists(key)
    with db.transaction(ground.as_clerk):
        assert piece_of(folder_id, "identity").is_readable
    with db.transaction(db.system("preadmission.purge")):
        actions.purge(piece_of(folder_id, "identity"))
    work_jobs()
    assert not files._place.store.exists(key)
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(StoredFile)).all() == []
        proof = current.scalars(select(PieceChange).where(PieceChange.to_state == "purged")).all()
        assert [len(row.digests) for row in proof] == [1, 1]
        assert {row.reason for row in proof} == {"identity_after_stay", ""}


def test_the_same_photo_in_two_folders_is_two_files(
    ground: Ground, accepted: Callable[..., UUID], work_jobs: Callable[[], None]
) -> None:
    first, second = accepted("identity", content=photo("red")), accepted("identity", content=photo("red"))
    with db.transaction(db.system("preadmission.purge")) as current:
        actions.purge(current.get_one(Piece, first))
    work_jobs()
    with db.transaction(ground.as_clerk) as current:
        file = current.get_one(Piece, second).pages[0].file
        assert b"".join(files.open_(file)) == photo("red")


def test_an_accepted_piece_expires_the_day_after_its_last(
    app: Flask, ground: Ground, accepted: Callable[..., UUID]
) -> None:
    over, last_day = accepted("identity", today() - timedelta(days=1)), accepted("top_up_card", today())
    undated = accepted("health_card")
    with app.app_context():
        jobs.expire_overdue()
        jobs.expire_overdue()
    with db.transaction(ground.as_clerk) as current:
        states = [current.get_one(Piece, each).state for each in (over, last_day, undated)]
        assert states == ["expired", "accepted", "accepted"]
        assert [row.from_state for row in queries.history(over)] == ["accepted", "deposited", "awaited"]
