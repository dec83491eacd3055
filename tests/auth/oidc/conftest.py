"""The demonstration providers, started once, honest again after each test."""

from collections.abc import Iterator

import pytest

from auth.demo_idp.server import RunningIdp, start_in_thread
from tests.auth.oidc.doors import KEYS, MODULES, PORTAL, Clock, Door, door


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def running_idp(clock: Clock) -> Iterator[RunningIdp]:
    idp = start_in_thread(PORTAL, clock=clock, portal_keys=lambda _base: KEYS.published())
    yield idp
    idp.stop()


@pytest.fixture
def idp(running_idp: RunningIdp, clock: Clock) -> Iterator[RunningIdp]:
    yield running_idp
    running_idp.faults.clear()
    clock.ahead = 0.0


@pytest.fixture(params=sorted(MODULES))
def any_door(request: pytest.FixtureRequest, idp: RunningIdp, clock: Clock) -> Door:
    return door(idp, clock, request.param)


@pytest.fixture
def patients(idp: RunningIdp, clock: Clock) -> Door:
    return door(idp, clock, "franceconnect")


@pytest.fixture
def professionals(idp: RunningIdp, clock: Clock) -> Door:
    return door(idp, clock, "prosanteconnect")


@pytest.fixture
def agents(idp: RunningIdp, clock: Clock) -> Door:
    return door(idp, clock, "proconnect")


@pytest.fixture
def verified_patients(idp: RunningIdp, clock: Clock) -> Door:
    """FranceConnect+."""
    return door(idp, clock, "franceconnect-plus")


@pytest.fixture
def accounts(idp: RunningIdp, clock: Clock) -> Door:
    """A hospital's own provider."""
    return door(idp, clock, "hospital")
