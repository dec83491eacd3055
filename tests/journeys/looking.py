"""Looking at a page as a demanding visitor would: with axe, on a wide and on a small screen."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

WIDTHS = (1280, 390)
"""CSS pixels: a laptop, a telephone."""
_HEIGHT = 900
AXE = Axe().axe_script
_STICKING_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *, header *, footer *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 3).map((each) => each.outerHTML.slice(0, 160))"""
_complaints: dict[Page, list[str]] = {}
_without_scripts: set[Page] = set()


def listen(page: Page, *, scripts: bool = True) -> None:
    """Write down what the browser complains about: console errors, refusals of the content security policy."""
    heard = _complaints.setdefault(page, [])
    if not scripts:
        _without_scripts.add(page)
        page.on("close", lambda closed: _without_scripts.discard(closed))
    page.on("console", lambda message: heard.append(message.text) if _is_complaint(message) else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("close", lambda closed: _complaints.pop(closed, None))


def _is_complaint(message: ConsoleMessage) -> bool:
    """The status of a refused page (422, 404…) is also told as an error: that one is expected."""
    own_status = message.text.startswith("Failed to load resource") and message.location["url"] == message.page.url
    return message.type in ("error", "warning") and not own_status


def look(page: Page, heading: str) -> None:
    """Wait for the page whose h1 begins with `heading`; refuse it with an axe violation, wider than its screen, with
    another h1, or when the browser grumbles. Axe is a script: where scripts are off, it would be waited for without
    end.
    """
    expect(page.locator("h1")).to_have_text(re.compile(rf"^\s*{re.escape(heading)}"))
    where = page.url
    for width in WIDTHS:
        refuse_wider_than(page, width)
        faults = [] if page in _without_scripts else _faults(page)
        assert not faults, f"{where} at {width} px: {faults}"
    page.set_viewport_size({"width": WIDTHS[0], "height": _HEIGHT})
    assert not _complaints[page], f"{where}: {_complaints[page]}"


def refuse_wider_than(page: Page, width: int) -> None:
    """Make the window that wide, and refuse a page that then scrolls sideways."""
    page.set_viewport_size({"width": width, "height": _HEIGHT})
    out = page.evaluate(_STICKING_OUT)
    assert not out, f"{page.url} is wider than {width} px: {out}"


def _faults(page: Page) -> list[str]:
    """What axe finds: the rule, and the first elements that break it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations)")
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"][:3]]
