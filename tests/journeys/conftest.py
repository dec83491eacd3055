"""A Chromium for the tests that need one: `CHROMIUM=` points at it, `REQUIRE_BROWSER=1` refuses to go without."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.conftest import ROOT
from tests.journeys.looking import listen
from tests.journeys.stack import Stack, running

SCREENSHOTS = ROOT / "var" / "journeys"
FAILED = pytest.StashKey[bool]()
OPEN = pytest.StashKey[list[BrowserContext]]()
PATIENCE_MS = 30_000
"""A machine that does something else at the same time is slow, not wrong."""

expect.set_options(timeout=PATIENCE_MS)

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser, started once for all the tests of a process."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing = "no Chromium found: set CHROMIUM= to its path"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def stack(browser: Browser, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole demonstration, running; nothing is started when there is no browser to walk through it."""
    with running(server_url, tmp_path_factory.mktemp("journeys")) as started:
        yield started
        started.refuse_silent_faults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a fixture know, when it ends, whether its test failed; tell with a failure what was on the screens."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
        if report.failed:
            report.sections.extend(_on_the_screens(item.stash.get(OPEN, [])))
    return report


@pytest.fixture
def visitor(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """A new person at the portal's front door, in a browser of their own; its last pages are kept when a test fails."""
    contexts: list[BrowserContext] = []
    request.node.stash[OPEN] = contexts

    def arrives(language: str = "en-GB", **options: Any) -> Page:
        context = browser.new_context(base_url=stack.url, locale=language, reduced_motion="reduce", **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        listen(page, scripts=options.get("java_script_enabled", True))
        return page

    yield arrives
    for number, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            _keep(context, f"{request.node.name}-{number}")
        context.close()


def _on_the_screens(contexts: list[BrowserContext]) -> Iterator[tuple[str, str]]:
    for page in (page for context in contexts for page in context.pages):
        try:
            text = page.locator("body").inner_text(timeout=2_000)
        except PlaywrightError as fault:
            text = str(fault)
        yield f"a screen, at {page.url}", text[:3_000]


def _keep(context: BrowserContext, name: str) -> None:
    for number, page in enumerate(context.pages):
        page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png", full_page=True)
