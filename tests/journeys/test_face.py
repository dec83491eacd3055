"""The style guide in a real browser: what scripts add, what the keyboard reaches, what axe finds.

The browser asks the application itself: its requests are answered by the test client, without a socket.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

WIDE, NARROW, ZOOMED = 1280, 390, 320
HAS_FOCUS_RING = """() => {
  const here = document.activeElement;
  const marked = (element, pseudo) => /[35]px/.test(getComputedStyle(element, pseudo).boxShadow);
  const plate = here.closest(".govuk-radios__item, .govuk-checkboxes__item, .app-search__row");
  return [here, plate, here.nextElementSibling].some((each) => each && marked(each)) || marked(here, "::after");
}"""


@pytest.fixture
def open_page(browser: Browser, client: FlaskClient) -> Iterator[Any]:
    """Open an address of the portal in a new page of a given width."""
    opened = []

    def answer(route: Route) -> None:
        asked = urlsplit(route.request.url)
        response = client.get(f"{asked.path}?{asked.query}", check=False, buffered=True)
        route.fulfill(status=response.status_code, headers=dict(response.headers), body=response.data)

    def open_(address: str, width: int = WIDE, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        opened.append(context)
        context.route("**/*", answer)
        page = context.new_page()
        page.goto(f"http://portal.test{address}")
        return page

    yield open_
    for context in opened:
        context.close()


@pytest.mark.parametrize(
    ("address", "width"),
    [
        ("/_ui", ZOOMED),
        ("/_ui?state=errors", NARROW),
        ("/_ui?state=filled", WIDE),
        ("/", WIDE),
        ("/", ZOOMED),
        ("/no-such-page", NARROW),
    ],
)
def test_nothing_for_axe_to_say_and_nothing_wider_than_the_screen(open_page: Any, address: str, width: int) -> None:
    page = open_page(address, width, reduced_motion="reduce")
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["html"][:120] for node in fault["nodes"]]) for fault in found] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_refused_form_puts_the_reader_on_its_errors_and_each_leads_to_its_field(open_page: Any) -> None:
    page = open_page("/_ui?state=errors")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.click(".govuk-error-summary a[href='#birth_on-day']")
    assert page.evaluate("document.activeElement.id") == "birth_on-day"


def test_the_keyboard_sees_where_it_is_all_along(open_page: Any) -> None:
    page = open_page("/_ui")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "govuk-skip-link"
    stops = 0
    while page.evaluate("document.activeElement !== document.body"):
        where = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert page.evaluate(HAS_FOCUS_RING) or "govuk-skip-link" in where or "app-search__input" in where, where
        stops += 1
        page.keyboard.press("Tab")
    assert stops > 60


def test_a_table_sorts_by_the_amount_and_not_by_its_digits(open_page: Any) -> None:
    page = open_page("/_ui")
    page.click("#bills th:nth-child(3) button")
    amounts = page.locator("#bills tbody td:nth-child(3)").all_inner_texts()
    assert [amount.split(",")[0] for amount in amounts] == ["27", "162", "1 234"]
    assert page.get_attribute("#bills th:nth-child(3)", "aria-sort") == "ascending"


def test_a_table_filters_without_minding_accents(open_page: Any) -> None:
    page = open_page("/_ui")
    page.fill("#bills-filter", "payee")
    assert page.locator("#bills tbody tr:visible").count() == 2


def test_the_menu_folds_on_a_small_screen_and_stays_open_without_scripts(open_page: Any) -> None:
    page = open_page("/_ui", NARROW)
    assert not page.locator("#app-nav").is_visible()
    page.click(".app-header__toggle")
    assert page.locator("#app-nav").is_visible()
    assert open_page("/_ui", NARROW, java_script_enabled=False).locator("#app-nav").is_visible()
