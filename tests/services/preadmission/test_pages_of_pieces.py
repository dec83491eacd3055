"""A document's own page: several pages, their gestures, what was accepted before, and bad moments."""

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from portal import db, files
from portal.files import StoredFile
from services.pieces import actions as piece_actions
from services.pieces.models import Piece
from services.preadmission.models import Preadmission
from tests.factories import preadmission as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground


@pytest.fixture
def draft(ground: Ground) -> Preadmission:
    with db.transaction(db.system("tests")):
        return factory.preadmission(ground.patient, ground.hospital.unit)


@pytest.fixture
def page(draft: Preadmission) -> str:
    with db.transaction(db.system("tests")):
        return f"/pre-admission/{draft.id}/pieces/{factory.pieces_of(draft)['identity'].id}"


def send(browser: FlaskClient, page: str, *uploads: tuple[bytes, str], **fields: str) -> TestResponse:
    """Post the form; encoded in memory, since the test client would leave temporary files open."""
    data = MultiDict({"csrf_token": browser.csrf_token(), "once": str(uuid4()), **fields})
    for content, name in uploads:
        data.add("file", FileStorage(BytesIO(content), filename=name))
    boundary, body = encode_multipart(data)
    return browser.post(page, data=body, content_type=f"multipart/form-data; boundary={boundary}")


def gestures(text: str) -> list[str]:
    return re.findall(r'class="app-pages__gestures" method="post" action="([^"]+)"', text)


def identity() -> Piece:
    with db.transaction(db.system("tests")) as current:
        piece = current.scalars(select(Piece).where(Piece.kind == "identity")).one()
        _ = piece.pages
        return piece


def noise(megabytes: float) -> bytes:
    """A PNG photograph that weighs about so much."""
    import secrets

    side = int((megabytes * 1e6 / 3) ** 0.5)
    made = BytesIO()
    Image.frombytes("RGB", (side, side), secrets.token_bytes(side * side * 3)).save(made, "PNG", compress_level=0)
    return made.getvalue()


def test_both_sides_in_one_post_are_two_pages_in_their_order(ground: Ground, sign_in, page: str) -> None:
    sides = (factory.photo("recto"), "recto.png"), (factory.photo("verso"), "verso.png")
    assert send(sign_in(ground.account), page, *sides).status_code == 303
    assert [each.file.name for each in identity().pages] == ["recto.png", "verso.png"]
    assert identity().state == "deposited"


def test_more_adds_a_page_and_comes_back(ground: Ground, sign_in, page: str) -> None:
    browser = sign_in(ground.account)
    answer = send(browser, page, (factory.photo("recto"), "recto.png"), more="1", turned="90")
    assert (answer.status_code, answer.location) == (303, page)
    assert (identity().state, identity().pages[0].rotation) == ("awaited", 90)
    shown = browser.get(f"{page}?lang=en").text
    assert "1 page received" in shown
    assert browser.post(page, data={"once": str(uuid4())}).status_code == 303, "no other file: it is all there"
    assert identity().state == "deposited"


def test_of_two_files_the_good_one_is_kept_and_the_other_one_named(ground: Ground, sign_in, page: str) -> None:
    browser = sign_in(ground.account)
    answer = send(browser, f"{page}?lang=en", (factory.photo(), "recto.png"), (b"MZ" + bytes(99), "verso.png"))
    assert answer.status_code == 422
    assert "verso.png – The name of this file" in answer.text
    assert "Already received: recto.png" in answer.text
    received = re.search(r'name="received"[^>]*value="([^"]+)"', answer.text)
    assert received
    assert send(browser, page, (factory.photo("verso"), "verso.png"), received=received[1]).status_code == 303
    assert [each.file.name for each in identity().pages] == ["recto.png", "verso.png"]


def test_pages_are_turned_put_earlier_and_removed_without_scripts(ground: Ground, sign_in, page: str) -> None:
    browser = sign_in(ground.account)
    send(browser, page, *((factory.photo(name), f"{name}.png") for name in ("a", "b")), more="1")
    first, second = gestures(browser.get(page).text)
    for address, gesture in ((first, "turn"), (second, "earlier"), (second, "turn"), (first, "remove")):
        assert browser.post(address, data={"gesture": gesture}).location == page
    assert [(each.file.name, each.rotation) for each in identity().pages] == [("b.png", 90)]
    assert browser.post(second, data={"gesture": "burn"}).status_code == 400


def test_a_page_is_shown_once_its_copy_is_made_and_to_nobody_else(
    app, ground: Ground, sign_in, page: str, work_jobs
) -> None:
    browser = sign_in(ground.account)
    send(browser, page, (factory.photo(), "recto.png"))
    (address,) = gestures(browser.get(f"{page}?lang=en").text)
    assert browser.get(address).status_code == 404
    assert "Its picture is being prepared" in browser.get(f"{page}?lang=en").text
    work_jobs()
    image = browser.get(address)
    assert (image.status_code, image.mimetype) == (200, "image/jpeg")
    assert image.headers["Cache-Control"] == "no-store"
    assert f'src="{address}"' in browser.get(page).text
    stranger = sign_in(ground.other_account)
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, data={"gesture": "remove"}).status_code == 404
    assert len(identity().pages) == 1


def test_a_pdf_is_shown_sheet_by_sheet(app, ground: Ground, sign_in, page: str, work_jobs) -> None:
    browser = sign_in(ground.account)
    send(browser, page, (factory.pdf(3), "passeport.pdf"))
    work_jobs()
    shown = browser.get(f"{page}?lang=en").text
    assert "3 sheets" in shown
    (address,) = gestures(shown)
    assert browser.get(address).mimetype == "application/pdf"
    assert browser.get(f"{address}?feuille=3").mimetype == "image/jpeg"
    for sheet in ("0", "4", "-1"):
        assert browser.get(f"{address}?feuille={sheet}").status_code == 404


def test_what_was_accepted_before_is_used_again_with_one_button(ground: Ground, sign_in, page: str) -> None:
    with db.transaction(db.system("tests")):
        former = factory.preadmission(ground.patient, ground.hospital.unit, "validated")
        source = factory.pieces_of(former)["identity"]
        if source.state != "accepted":
            factory.put(source, "accepted")
        source.expires_on = today() + timedelta(days=400)
    browser = sign_in(ground.account)
    assert "You have given this document before" in browser.get(f"{page}?lang=en").text
    answer = browser.post(f"{page}/reprendre", data={"once": str(uuid4()), "source": str(source.id)})
    assert answer.status_code == 303
    with db.transaction(db.system("tests")) as current:
        piece = current.get_one(Piece, UUID(page.rsplit("/", 1)[1]))
        assert (piece.state, piece.reused_from) == ("accepted", source.id)
    again = browser.post(f"{page}/reprendre", data={"once": str(uuid4()), "source": str(uuid4())})
    assert again.status_code == 303


def test_refused_pages_make_room_for_new_ones_unless_a_side_was_missing(ground: Ground, sign_in, page: str) -> None:
    browser = sign_in(ground.account)
    for reason, left in (("unreadable", ["new.png"]), ("side_missing", ["new.png", "other.png"])):
        name = left[-1]
        if not identity().pages:
            send(browser, page, (factory.photo("old"), "old.png"))
        with db.transaction(db.system("tests")) as current:
            piece_actions.refuse(current.get_one(Piece, identity().id), reason, "Le verso, s’il vous plaît.")
        told = browser.get(f"{page}?lang=en").text
        assert "Why the hospital asks for it again" in told
        assert "Le verso, s’il vous plaît." in told
        send(browser, page, (factory.photo(name), name))
        assert [each.file.name for each in identity().pages] == left


def test_too_many_pages_are_told_and_nothing_is_half_done(ground: Ground, sign_in, page: str) -> None:
    browser = sign_in(ground.account)
    five = [(factory.photo(str(number)), f"{number}.png") for number in range(5)]
    assert send(browser, f"{page}?lang=en", *five).location == page
    assert "4 pages at most" in browser.get(f"{page}?lang=en").text
    assert identity().pages == []


@pytest.mark.parametrize(("megabytes", "status"), [(24.0, 303), (26.4, 422)])
def test_photos_of_25_mb_are_taken_and_heavier_ones_refused_clearly(
    ground: Ground, sign_in, page: str, megabytes: float, status: int
) -> None:
    answer = send(sign_in(ground.account), f"{page}?lang=en", (noise(megabytes), "photo.png"))
    assert answer.status_code == status
    assert ("This file is over 25 MB" in answer.text) == (status == 422)


def test_while_the_storage_is_away_the_form_is_kept_with_its_answers(
    ground: Ground, sign_in, page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    browser = sign_in(ground.account)
    broken = tmp_path / "store"
    broken.write_text("a file where the folder should be")
    from portal.gateways import storage

    with monkeypatch.context() as patch:
        patch.setattr(files._place, "store", storage.connect(f"file:{broken}"))
        day = {"expires_on-day": "28", "expires_on-month": "2", "expires_on-year": "2039"}
        answer = send(browser, f"{page}?lang=en", (factory.photo(), "recto.png"), **day)
    assert answer.status_code == 503
    assert "Wait a minute, then send it again" in answer.text
    assert 'value="2039"' in answer.text
    assert identity().pages == []
    assert send(browser, page, (factory.photo(), "recto.png"), **day).status_code == 303
    assert str(identity().expires_on) == "2039-02-28"


def test_one_page_of_a_document_costs_few_statements(ground: Ground, sign_in, page: str, statements) -> None:
    browser = sign_in(ground.account)
    send(browser, page, *((factory.photo(name), f"{name}.png") for name in ("a", "b", "c")))
    with statements() as seen:
        browser.get(page)
    assert len(seen) <= 12, seen


def test_a_polyglot_is_kept_as_sent_and_shown_as_one_thing(app, ground: Ground, sign_in, page: str, work_jobs) -> None:
    html = b"<script>alert(1)</script>"
    made = BytesIO()
    Image.new("RGB", (60, 40)).save(made, "JPEG", comment=html)
    browser = sign_in(ground.account)
    send(browser, page, (made.getvalue(), "carte.jpg"))
    work_jobs()
    (address,) = gestures(browser.get(page).text)
    shown = browser.get(address)
    assert html not in shown.data
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    with db.transaction(db.system("tests")) as current:
        stored = current.scalars(select(StoredFile)).one()
        assert b"".join(files.open_(stored)) == made.getvalue()
