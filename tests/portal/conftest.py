"""Other applications over the same database: other settings, or routes of the test's own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from portal import db, files, jobs, notifications
from portal.app import create_app
from portal.config import Settings
from portal.web.limits import limiter
from tests.pages import PageClient


@pytest.fixture
def make_app(app: Flask, settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Make an application whose settings differ; what it connected is put back afterwards."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        other = create_app(settings.model_copy(update=changes))
        other.test_client_class = PageClient
        made.append(other)
        return other

    yield make
    for other in made:
        other.extensions["parvis.engine"].dispose()
    db._factory.configure(bind=app.extensions["parvis.engine"])
    files.configure(settings)
    notifications.configure(settings)
    jobs.surround(app.app_context)
    limiter.enabled = False
