"""Pages come, turn, move and go; what is sent is whole; nothing comes twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal import db, files
from portal.audit import AuditEvent
from portal.db import Actor
from portal.files import FileNotReadable, StoredFile
from portal.kpi import KpiEvent
from services.pieces import actions, jobs, queries
from services.pieces.actions import NoPage, TooManyFiles
from services.pieces.models import KINDS, Piece
from services.pieces.states import PieceTransitionRefused
from tests.services.pieces.conftest import Ground, photo, piece_of, stored

COLOURS = ("white", "red", "green", "blue", "black", "yellow", "brown")


@pytest.fixture
def identity(folder: Callable[..., UUID]) -> UUID:
    """The folder whose identity piece is being filled."""
    return folder({"identity": True})


def names(folder_id: UUID) -> list[str]:
    return [page.file.name for page in piece_of(folder_id, "identity").pages]


def test_both_sides_of_a_card_are_one_piece(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        actions.add_page(piece, stored(photo("white"), "recto.png").id)
        assert piece.state == "awaited", "the patient has not said that it is all"
        actions.add_page(piece, stored(photo("red"), "verso.png").id, rotation=90)
        actions.deposit(piece)
    with db.transaction(ground.as_clerk):
        piece = piece_of(identity, "identity")
        assert piece.state == "deposited"
        pages = [(page.position, page.file.name, page.rotation) for page in piece.pages]
        assert pages == [(1, "recto.png", 0), (2, "verso.png", 90)]


def test_nothing_is_not_sent(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_patient), pytest.raises(NoPage):
        actions.deposit(piece_of(identity, "identity"))


def test_the_same_photo_twice_is_one_page(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        first = actions.add_page(piece, stored().id)
        assert actions.add_page(piece, stored().id) is first
        assert len(piece.pages) == 1


def test_two_uploads_at_once_of_one_page_are_one_page(app: Flask, ground: Ground, identity: UUID) -> None:
    def send(_turn: int) -> None:
        with app.app_context(), db.transaction(ground.as_patient):
            actions.add_page(piece_of(identity, "identity"), stored().id)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))
    with db.transaction(ground.as_patient):
        assert len(piece_of(identity, "identity").pages) == 1


def test_two_pages_at_once_are_two_pages(app: Flask, ground: Ground, identity: UUID) -> None:
    def send(colour: str) -> None:
        with app.app_context(), db.transaction(ground.as_patient):
            actions.add_page(piece_of(identity, "identity"), stored(photo(colour)).id)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, ("red", "blue")))
    with db.transaction(ground.as_patient):
        assert [page.position for page in piece_of(identity, "identity").pages] == [1, 2]


def test_a_piece_has_at_most_so_many_pages(ground: Ground, identity: UUID) -> None:
    most = KINDS["identity"].most_pages
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        for colour in COLOURS[:most]:
            actions.add_page(piece, stored(photo(colour)).id)
        with pytest.raises(TooManyFiles) as fact:
            actions.add_page(piece, stored(photo(COLOURS[most])).id)
    assert fact.value.limit == most


def test_pages_are_put_in_order_and_taken_away(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        for colour in COLOURS[:3]:
            actions.add_page(piece, stored(photo(colour), f"{colour}.png").id)
        actions.move_page(piece.pages[2], 1)
        assert names(identity) == ["green.png", "white.png", "red.png"]
        actions.move_page(piece.pages[0], 99)
        assert names(identity) == ["white.png", "red.png", "green.png"]
        actions.remove_page(piece.pages[1])
    with db.transaction(ground.as_patient):
        pages = piece_of(identity, "identity").pages
        assert [(page.position, page.file.name) for page in pages] == [(1, "white.png"), (2, "green.png")]


def test_a_piece_without_its_last_page_is_awaited_again(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        actions.send(piece, stored().id)
        actions.remove_page(piece.pages[0])
        assert piece.state == "awaited"


def test_one_file_replaces_all_pages(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        for colour in COLOURS[:2]:
            actions.add_page(piece, stored(photo(colour)).id)
        actions.send(piece, stored(photo("blue"), "tout.png").id)
        assert names(identity) == ["tout.png"]
        actions.send(piece, stored(photo("blue"), "encore.png").id)
        assert names(identity) == ["tout.png"], "the same bytes: nothing to replace"


def test_a_page_taken_away_is_erased_from_the_storage(
    app: Flask, ground: Ground, identity: UUID, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        page = actions.add_page(piece, stored().id)
        file_id, key = page.file_id, page.file.storage_key
    work_jobs()
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        copy = piece.pages[0].file.shown_key
        assert files._place.store.exists(key)
        assert copy is not None
        assert files._place.store.exists(copy)
        actions.remove_page(piece.pages[0])
    work_jobs()
    assert not files._place.store.exists(key)
    assert not files._place.store.exists(copy)
    with db.transaction(db.system("tests")) as current:
        assert current.get(StoredFile, file_id) is None


@pytest.mark.parametrize("state", ["accepted", "withdrawn", "purged"])
def test_settled_pages_do_not_change(ground: Ground, identity: UUID, state: str) -> None:
    with db.transaction(db.system("tests")) as current:
        piece_of(identity, "identity").state = state
        current.flush()
    with db.transaction(ground.as_patient), pytest.raises(PieceTransitionRefused):
        actions.add_page(piece_of(identity, "identity"), stored().id)


def test_an_agent_turns_a_page_of_any_piece(ground: Ground, accepted: Callable[..., UUID]) -> None:
    piece_id = accepted()
    with db.transaction(ground.as_clerk) as current:
        actions.turn_page(current.get_one(Piece, piece_id).pages[0], 450)
    with db.transaction(ground.as_patient) as current:
        assert current.get_one(Piece, piece_id).pages[0].rotation == 90


def test_nobody_puts_the_upload_of_another_account_in_a_piece(ground: Ground, identity: UUID) -> None:
    with db.transaction(ground.as_other_patient):
        theirs = stored()
    for file_id in (theirs.id, uuid4()):
        with db.transaction(ground.as_patient), pytest.raises(FileNotReadable):
            actions.add_page(piece_of(identity, "identity"), file_id)


# -- the antivirus -------------------------------------------------------------------------------------------------


@pytest.fixture
def scanner_down(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The scanner does not answer; the call brings it back."""
    scanner = files._place.scanner
    monkeypatch.setattr(scanner.faults, "down", True)

    def back() -> None:
        monkeypatch.setattr(scanner.faults, "down", False)
        monkeypatch.setattr(scanner, "door", type(scanner.door)("antivirus.tests"))

    return back


EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""In two halves, or this file would be quarantined by the scanners of those who clone it."""


def test_a_piece_waits_for_the_scanner_and_is_counted_once_it_has_judged(
    app: Flask, ground: Ground, identity: UUID, scanner_down: Callable[[], None], work_jobs: Callable[[], None]
) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        actions.send(piece, stored().id)
        assert (piece.state, piece.is_there, piece.is_readable) == ("scanning", True, False)
    with db.transaction(ground.as_clerk), pytest.raises(PieceTransitionRefused):
        actions.refuse(piece_of(identity, "identity"), "unreadable")
    scanner_down()
    work_jobs()
    with app.app_context():
        jobs.follow_scans()
        jobs.follow_scans()
    with db.transaction(ground.as_clerk):
        assert piece_of(identity, "identity").state == "deposited"
        assert piece_of(identity, "identity").pages[0].file.shown_state == "made"
    with db.transaction(db.system("tests")) as current:
        assert current.scalar(select(func.count()).where(KpiEvent.event == "piece_deposited")) == 1


def test_an_infected_page_leaves_no_bytes_and_asks_for_another(
    app: Flask, ground: Ground, identity: UUID, scanner_down: Callable[[], None], work_jobs: Callable[[], None]
) -> None:
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        actions.add_page(piece, stored(photo("red"), "recto.png").id)
        bad = actions.add_page(piece, stored(photo("blue") + EICAR, "verso.png").id)
        actions.deposit(piece)
        key = bad.file.storage_key
    scanner_down()
    work_jobs()
    with app.app_context():
        jobs.follow_scans()
    assert not files._place.store.exists(key)
    with db.transaction(ground.as_patient):
        piece = piece_of(identity, "identity")
        assert (piece.state, piece.is_to_redo) == ("infected", True)
        with pytest.raises(NoPage):
            actions.deposit(piece)
        with pytest.raises(FileNotReadable):
            actions.hand_over_original(piece.pages[1])
        actions.remove_page(piece.pages[1])
        assert piece.state == "deposited", "the other page is clean"


# -- looking -------------------------------------------------------------------------------------------------------


def opened(actor: Actor, folder_id: UUID, kind: str = "identity", **how: object) -> bytes:
    with db.transaction(actor):
        return actions.hand_over(piece_of(folder_id, kind).pages[0], **how).data  # type: ignore[arg-type]  # as written


def test_agents_see_an_identity_document_with_their_name_across_it(
    ground: Ground, folder: Callable[..., UUID], work_jobs: Callable[[], None]
) -> None:
    folder_id = folder({"identity": True, "health_card": True})
    with db.transaction(ground.as_patient):
        actions.send(piece_of(folder_id, "identity"), stored(photo(size=(900, 600))).id)
        actions.send(piece_of(folder_id, "health_card"), stored(photo(size=(900, 601))).id)
    with db.transaction(ground.as_clerk), pytest.raises(FileNotReadable):
        actions.hand_over(piece_of(folder_id, "identity").pages[0], watermark="CH – A. Gent – 1/1")
    work_jobs()
    plain = opened(ground.as_patient, folder_id)
    assert opened(ground.as_clerk, folder_id, watermark="CH – A. Gent – 1/1") != plain
    assert opened(ground.as_clerk, folder_id, "health_card") != plain
    with pytest.raises(ValueError, match="watermark"):
        opened(ground.as_clerk, folder_id)


def test_the_original_of_an_identity_document_goes_to_the_hospital_s_system_and_to_no_agent(
    ground: Ground, folder: Callable[..., UUID]
) -> None:
    folder_id = folder({"identity": True, "health_card": True})
    with db.transaction(ground.as_patient):
        for kind in ("identity", "health_card"):
            actions.send(piece_of(folder_id, kind), stored(photo("red")).id)
    with db.transaction(ground.as_clerk):
        with pytest.raises(actions.OriginalKept):
            actions.hand_over_original(piece_of(folder_id, "identity").pages[0])
        assert actions.hand_over_original(piece_of(folder_id, "health_card").pages[0]).name == "carte.png"
    for actor in (db.system("preadmission.transmit"), ground.as_patient):
        with db.transaction(actor):
            file = actions.hand_over_original(piece_of(folder_id, "identity").pages[0])
            assert b"".join(files.open_(file)) == photo("red")


def test_an_agent_s_look_is_written_down_and_one_s_own_is_not(
    ground: Ground, folder: Callable[..., UUID], work_jobs: Callable[[], None]
) -> None:
    folder_id = folder()
    with db.transaction(ground.as_patient):
        actions.send(piece_of(folder_id, "identity"), stored().id)
    work_jobs()
    opened(ground.as_patient, folder_id)
    opened(ground.as_clerk, folder_id, watermark="CH")
    with db.transaction(db.system("tests")) as current:
        looks = current.scalars(select(AuditEvent).where(AuditEvent.action == "piece.opened")).all()
        assert [look.patient_id for look in looks] == [ground.patient.id]
        assert queries.history(piece_of(folder_id, "identity").id)[0].to_state == "deposited"
