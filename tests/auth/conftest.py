"""The real application in front of the demonstration's identity providers, over real HTTP."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth import providers
from auth.demo_idp.server import RunningIdp, start_in_thread
from auth.hospital_providers.models import HospitalProvider
from portal.config import Settings
from tests.auth.trip import Trip, provider_settings
from tests.factories.hospital_providers import hospital_provider
from tests.factories.hospitals import Hospital, hospital
from tests.ground import prepared


@pytest.fixture(scope="session")
def listening_idp(settings: Settings) -> Iterator[RunningIdp]:
    idp = start_in_thread(settings.base_url, portal_keys=lambda _base: providers.encryption_keys(settings).published())
    yield idp
    idp.stop()


@pytest.fixture
def provider(app: Flask, settings: Settings, listening_idp: RunningIdp) -> Iterator[RunningIdp]:
    """The national providers, honest again after each test; the application knows nothing of them yet."""
    former = app.extensions["parvis.doors"]
    configured = settings.model_copy(update={"providers": provider_settings(listening_idp)})
    app.extensions["parvis.doors"] = providers.connect(configured)
    yield listening_idp
    listening_idp.faults.clear()
    app.extensions["parvis.doors"] = former


@pytest.fixture
def trip(app: Flask, provider: RunningIdp) -> Callable[..., Trip]:
    """A new browser, or a given one, on its way to a provider."""

    def begin(name: str = "franceconnect", browser: FlaskClient | None = None) -> Trip:
        return Trip(provider, browser or app.test_client(), name)

    return begin


@pytest.fixture
def own_provider(app: Flask, provider: RunningIdp, north: Hospital) -> HospitalProvider:
    """The hospital of the north has connected its own directory, a Keycloak that numbers its levels."""
    with prepared():
        return hospital_provider(north.establishment.id, provider)


@pytest.fixture
def north(app: Flask) -> Hospital:
    with prepared():
        return hospital()


@pytest.fixture
def south(app: Flask) -> Hospital:
    with prepared():
        return hospital("990000025", "Hôpital du sud")
