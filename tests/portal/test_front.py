"""The remembered home page: the same words for everybody, a nonce for each."""

import dataclasses
import re

import pytest
from flask import Flask

from portal.pages import front


@pytest.fixture
def outside_tests(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests draw each page afresh; these look at what visitors get."""
    monkeypatch.setitem(app.config, "PORTAL_ENV", "development")
    monkeypatch.setattr(front, "_remembered", {})


@pytest.mark.usefixtures("outside_tests")
def test_two_visitors_get_one_drawing_and_two_nonces(app: Flask) -> None:
    one, other = app.test_client().get("/").text, app.test_client().get("/").text
    nonces = [set(re.findall(r'nonce="([^"]+)"', page)) for page in (one, other)]
    assert len(nonces[0]) == len(nonces[1]) == 1
    assert nonces[0] != nonces[1]
    assert re.sub(r'nonce="[^"]+"', "", one) == re.sub(r'nonce="[^"]+"', "", other)


@pytest.mark.usefixtures("outside_tests")
def test_each_language_has_its_own(app: Flask) -> None:
    french = app.test_client().get("/", headers={"Accept-Language": "fr"}).text
    english = app.test_client().get("/", headers={"Accept-Language": "en"}).text
    assert '<html lang="fr"' in french
    assert '<html lang="en"' in english


@pytest.mark.usefixtures("outside_tests")
def test_it_is_drawn_again_after_a_few_seconds(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.test_client().get("/")
    [(language, page)] = front._remembered.items()
    front._remembered[language] = dataclasses.replace(page, html="stale", at=page.at - front.FRESH_S - 1)
    assert "stale" not in app.test_client().get("/").text
