"""Other applications over the same database: other settings, or routes of the test's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask

from auth.factors import sealing as factors
from auth.identity import sealing as identities
from portal import db, files, jobs, kpi, notifications, text_messages
from portal.app import create_app
from portal.config import Settings
from portal.web.limits import limiter
from services.billing import jobs as billing
from tests.pages import PageClient

MakeApp = Callable[..., Flask]


@pytest.fixture(scope="session")
def made_apps() -> dict[object, Flask]:
    """Those made until now: making one costs more than most tests."""
    return {}


@pytest.fixture
def make_app(app: Flask, settings: Settings, made_apps: dict[object, Flask]) -> Iterator[MakeApp]:
    """`make_app(blueprint, **changes)`: an application with these routes too, whose settings differ. What it connected
    is put back afterwards."""
    used: list[Flask] = []

    def make(blueprint: Blueprint | None = None, **changes: Any) -> Flask:
        key = (blueprint, frozenset(changes.items()))
        if key not in made_apps:
            made_apps[key] = _made(settings.model_copy(update=changes), blueprint)
        used.append(made_apps[key])
        connect(made_apps[key])
        return made_apps[key]

    yield make
    for other in used:
        other.extensions["parvis.engine"].dispose()
    connect(app)


def _made(settings: Settings, blueprint: Blueprint | None) -> Flask:
    made = create_app(settings)
    made.test_client_class = PageClient
    if blueprint:
        made.register_blueprint(blueprint)
    return made


def connect(app: Flask) -> None:
    """Lead what this process has one of (session, doors, keys) where this application's settings say."""
    settings: Settings = app.config["SETTINGS"]
    db._factory.configure(bind=app.extensions["parvis.engine"])
    kpi.configure(settings.secret_keys())
    for each in (files, notifications, text_messages, factors, identities):
        each.configure(settings)
    billing.connect(settings)
    jobs.surround(app.app_context)
    limiter.enabled = settings.env != "test"
