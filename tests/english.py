"""Browsers that ask for English, for tests that read what pages say: the French words are checked elsewhere."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture(autouse=True)
def in_english(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import it in a module of tests: every browser of that module prefers English."""
    if "app" not in request.fixturenames:
        return
    app: Flask = request.getfixturevalue("app")
    make = app.test_client

    def english(*arguments: Any, **options: Any) -> FlaskClient:
        browser = make(*arguments, **options)
        browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return browser

    monkeypatch.setattr(app, "test_client", english)
