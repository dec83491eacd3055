"""Every page of the demonstration that a link leads to opens over a database that refuses writes: nothing changes."""

from collections import Counter, deque
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr

from portal.config import Settings
from tests.architecture.test_crawl import Somebody, _content, _endpoint, _links
from tests.architecture.test_crawl import people as people
from tests.conftest import Database

pytestmark = [pytest.mark.xdist_group("demonstration"), pytest.mark.timeout(1200)]


def test_reading_pages_stay_up_and_nothing_is_written(
    app: Flask, settings: Settings, database: Database, people: dict[str, Somebody], make_app: Callable[..., Flask],
    sign_in: Callable[[UUID], FlaskClient], work_jobs: Callable[[], None],
) -> None:  # fmt: skip
    work_jobs()
    signed_in = {name: sign_in(each.account_id) for name, each in people.items() if each.account_id}
    before = _content(database)
    standby = f"{settings.database_url.get_secret_value()}&options=-c%20default_transaction_read_only%3Don"
    reading = make_app(read_only=True, database_url=SecretStr(standby))
    failed: list[str] = []
    for name, somebody in people.items():
        browser = reading.test_client()
        if name in signed_in and (cookie := signed_in[name].get_cookie("parvis_session")):
            browser.set_cookie("parvis_session", cookie.value)
        failed += _interrupted(reading, browser, somebody.homes, name)
    assert failed == []
    assert [table for table, content in _content(database).items() if content != before[table]] == []


def _interrupted(app: Flask, browser: FlaskClient, homes: tuple[str, ...], who: str) -> list[str]:
    """One page of each kind; those that could not be shown. Signing in is a writing, and says so."""
    failed: list[str] = []
    opened: Counter[str] = Counter()
    waiting, known = deque(homes), set(homes)
    while waiting:
        address = waiting.popleft()
        endpoint = _endpoint(app, address)
        opened[endpoint] += 1
        if opened[endpoint] > 1:
            continue
        answer = browser.get(address)
        if answer.status_code >= 500 and endpoint not in SIGNING_IN:
            failed.append(f"{who}: {address}: {answer.status_code}")
        fresh = [link for link in _links(answer, address) if link not in known]
        known.update(fresh)
        waiting.extend(fresh)
        answer.close()
    return failed


SIGNING_IN = {"auth.sign_in", "auth.sign_in_professional", "auth.sign_in_staff"}
