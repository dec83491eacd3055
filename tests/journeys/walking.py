"""What visitors do on most journeys."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image
from playwright.sync_api import Page, expect

from tests.journeys.stack import Stack

Visitor = Callable[..., Page]
"""The fixture `visitor`: `visitor("fr-FR")` is a new person with a browser of their own, in that language."""

SIGN_IN_PAGES = {
    "franceconnect": "/connexion",
    "franceconnect-plus": "/connexion",
    "prosanteconnect": "/pro/connexion",
    "proconnect": "/admin/connexion",
    "hospital": "/admin/connexion",
}


def sign_in(page: Page, provider: str, person: str) -> None:
    """Through the provider's own page; from the sign-in page when the visitor is on one, else from the front door."""
    if not page.url.split("?")[0].endswith("/connexion"):
        page.goto(SIGN_IN_PAGES[provider])
    start = "/auth/hospital/" if provider == "hospital" else f"/auth/{provider}/start"
    page.locator(f"a[href^='{start}']").click()
    page.locator(f"button[name=person][value={person}]").click()
    expect(page.locator("a.app-header__home")).to_be_visible()


def prove(page: Page, stack: Stack, mobile: str = "06 39 98 00 03") -> None:
    """A password alone shows no health data: the person copies the code that the portal sends to their telephone, and
    gives its number the first time."""
    if "/mon-compte/" not in page.url:
        page.goto("/mon-compte/verification")
    choice = page.get_by_role("link", name="A code by text message")
    is_first = choice.count() > 0
    if is_first:
        choice.click()
        page.fill("#number", mobile)
    press(page, "Send me a code" if is_first else "Send me the code")
    page.fill("#code", stack.code())
    press(page, "Confirm")
    if is_first:
        page.get_by_role("link", name="I have kept them, continue").click()
    expect(page.locator("#code")).to_have_count(0)


def sign_out(page: Page) -> None:
    page.locator("summary.app-account").click()
    press(page, "Sign out")


def press(page: Page, button: str, *, within: str = "") -> None:
    """Press the button that says exactly this; `within`: in the card that has this heading."""
    place = page.locator(".app-card", has=page.get_by_role("heading", name=within)) if within else page
    place.get_by_role("button", name=button, exact=True).click()


def eventually(page: Page, holds: Callable[[], bool], seconds: float = 20) -> None:
    """Reload the page until something is there: the worker does its part in its own time."""
    for _attempt in range(int(seconds / 0.25)):
        if holds():
            return
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError(f"{page.url}: it never came\n{page.locator('main').inner_text()}")


def fill_date(page: Page, name: str, day: int, month: int, year: int) -> None:
    """A date is three fields (day, month, year)."""
    for part, value in (("day", day), ("month", month), ("year", year)):
        page.fill(f"#{name}-{part}", str(value))


def choose_first_free_time(page: Page) -> None:
    """Choose the first time offered by the slot picker."""
    page.locator(".app-slots__input").first.check()


def choose_late_free_time(page: Page) -> None:
    """Choose the last time in sight: days ahead, so that it may still be cancelled, whatever today is."""
    page.locator(".app-slots__input:visible").last.check()


def photo(words: str = "SPÉCIMEN") -> bytes:
    """A small PNG, as a telephone would send."""
    made = BytesIO()
    Image.new("RGB", (320, 200), "#dfe7e4").save(made, "PNG", title=words)
    return made.getvalue()


def reference(page: Page) -> str:
    """The number of a receipt page."""
    return page.locator(".app-receipt__reference").inner_text()
