"""Documents photographed with a telephone: looked at, turned, put in order, sent in spite of the network."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, Route, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def address(stack: Stack) -> str:
    """Where Dominique sends her identity card, for the stay that she prepares."""
    (folder, piece), *_others = stack.sql(
        "select f.id, p.id from preadmission f join piece p on p.folder_id = f.id join patient t on t.id = p.patient_id"
        " where f.state = 'draft' and p.kind = 'identity' and birth_name = 'PAT-TROIS'"
    )
    stack.sql("delete from piece_page where piece_id = %s returning id", piece)
    stack.sql("update piece set state = 'awaited' where id = %s returning id", piece)
    return f"/pre-admission/{folder}/pieces/{piece}"


def card(path: Path, words: str, size: tuple[int, int] = (1600, 1000), ground: str = "#eef2f0") -> Path:
    """A sharp photograph of a card; dark, small or blurred when asked."""
    image = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(image)
    for row in range(0, size[1], 40):
        draw.text((40, row), f"{words} " * 30, fill="black")
    draw.rectangle((60, 60, size[0] // 3, size[1] // 2), fill="#1f5c63")
    made = BytesIO()
    image.save(made, "JPEG", quality=90)
    path.write_bytes(made.getvalue())
    return path


def choose(page: Page, *paths: Path) -> None:
    page.locator("input[type=file]").set_input_files(list(paths))
    expect(page.locator("[data-app-queue] > li")).to_have_count(len(paths))


def test_both_sides_are_seen_turned_ordered_and_sent_through_a_broken_connection(
    visitor: Visitor, stack: Stack, tmp_path: Path, address: str
) -> None:
    page = visitor(**TELEPHONE)
    sign_in(page, "franceconnect", "dominique")
    page.goto(address)
    look(page, "Identity document")
    choose(page, card(tmp_path / "verso.jpg", "verso"), card(tmp_path / "recto.jpg", "recto"))
    page.get_by_role("button", name="Earlier – recto.jpg").click()
    page.get_by_role("button", name="Turn – verso.jpg").click()
    expect(page.get_by_role("status")).to_have_text("verso.jpg is turned.")
    cuts = cut_the_first_tries(page, 2)
    page.get_by_role("button", name="Send this document").click()
    expect(page.locator("h1")).to_have_text("Your documents")
    assert cuts == []
    pages = stack.sql(
        "select f.name, g.position, g.rotation from piece_page g join stored_file f on f.id = g.file_id"
        " where g.piece_id = %s order by g.position",
        address.rsplit("/", 1)[1],
    )
    assert pages == [("recto.jpg", 1, 0), ("verso.jpg", 2, 90)]


def test_a_poor_photo_is_told_and_never_refused(visitor: Visitor, tmp_path: Path, address: str) -> None:
    page = visitor(**TELEPHONE)
    sign_in(page, "franceconnect", "dominique")
    page.goto(address)
    dark, small = card(tmp_path / "sombre.jpg", "x", ground="#101010"), card(tmp_path / "petite.jpg", "x", (320, 200))
    blurred = tmp_path / "floue.jpg"
    Image.new("RGB", (1600, 1000), "#b0b0b0").save(blurred)
    choose(page, dark, small, blurred)
    cards = page.locator("[data-app-queue] > li")
    for rank, words in enumerate(("This photo is dark", "This photo is small", "This photo looks blurred")):
        expect(cards.nth(rank)).to_contain_text(words)
    page.get_by_role("button", name="Remove – petite.jpg").click()
    expect(cards).to_have_count(2)
    page.get_by_role("button", name="Add and choose another page").click()
    expect(page.locator("[data-app-pages] li")).to_have_count(2)
    look(page, "Identity document")


def test_a_refused_file_says_why_beside_it_and_the_others_arrive(
    visitor: Visitor, tmp_path: Path, address: str
) -> None:
    page = visitor(**TELEPHONE)
    sign_in(page, "franceconnect", "dominique")
    page.goto(address)
    lie = tmp_path / "carte.pdf"
    lie.write_bytes(b"MZ\x90\x00" + bytes(600))
    choose(page, lie, card(tmp_path / "recto.jpg", "recto"))
    page.get_by_role("button", name="Send this document").click()
    expect(page.locator("[data-app-queue] > li")).to_have_count(1)
    expect(page.locator("[data-app-queue] > li")).to_contain_text("does not match what is in it")
    expect(page.locator("[data-app-pages] li")).to_contain_text("recto.jpg")
    expect(page.locator("h1")).to_have_text("Identity document")


def test_without_scripts_a_second_page_is_added_by_a_second_post(
    visitor: Visitor, tmp_path: Path, address: str
) -> None:
    page = visitor(java_script_enabled=False)
    sign_in(page, "franceconnect", "dominique")
    page.goto(address)
    for name, button in (("recto.jpg", "Add and choose another page"), ("verso.jpg", "Send this document")):
        page.locator("input[type=file]").set_input_files(card(tmp_path / name, name))
        page.get_by_role("button", name=button).click()
    expect(page.locator("h1")).to_have_text("Your documents")
    page.goto(address)
    expect(page.locator("[data-app-pages] li")).to_have_count(2)
    page.get_by_role("button", name="Remove page 1").click()
    expect(page.locator("[data-app-pages] li")).to_contain_text("verso.jpg")


def cut_the_first_tries(page: Page, times: int) -> list[int]:
    """The network breaks that many posts half-way; what is left of them."""
    left = list(range(times))

    def broken(route: Route) -> None:
        if left and route.request.method == "POST":
            left.pop()
            route.abort("connectionreset")
        else:
            route.fallback()

    page.route("**/pre-admission/**", broken)
    return left
