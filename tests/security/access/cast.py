"""Who tries the doors of the portal: people of the demonstration, agents of one hospital, its machines, a visitor.

Whatever they do is taken back: each request leaves the demonstration as it was, so that their order does not matter.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask, got_request_exception
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, text
from werkzeug.test import TestResponse

from auth import sessions
from auth.machines import actions as machines
from auth.machines.models import MachineToken
from auth.machines.scopes import SCOPES
from auth.models import WebSession
from portal import db
from portal.db import RIGHTS
from tests.factories import demonstration, people, rooms
from tests.factories.demonstration import World, account_of
from tests.factories.mandates import mandate
from tests.ground import prepared

VISITOR = "visitor"
PATIENTS = ("dominique", "suzanne", "camille", "yacine", "jean-marie")
FORMER, LOST = "former proxy", "proxy until now"
"""Their mandate for dominique ended: the one has a file of their own, the other was acting for her when it did."""
PROFESSIONALS = ("roumillac", "nevelet", "abrial")
NORTH, SOUTH, GROUP = "north", "south", "group"
"""Administrators, who hold every right: at the first hospital, at the second, at both."""
MACHINES = ("machine-north", "machine-south")
BARE = "machine-bare"
"""Of the first hospital, and let to do nothing."""


def elsewhere(right: str) -> str:
    """Who holds every right at the second hospital, and every other one at the first."""
    return f"without {right} in the north"


@dataclass
class Cast:
    """app: its database connection is held open, and everything is taken back. headers: role → what proves it."""

    app: Flask
    connection: Connection
    world: World = field(init=False)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    failure: str = ""
    """What the last request that crashed died of."""
    statements: list[tuple[object, str, Any]] = field(default_factory=list)
    """What the last request sent to the database in units of work that were kept: unit, statement, values."""

    def ask(self, role: str, method: str, address: str, **more: object) -> TestResponse:
        """One request, whose traces are taken back. A form carries a good cross-site token."""
        if method == "POST" and not address.startswith(("/fhir", "/api", "/oauth", "/callbacks")):
            more["data"] = {"csrf_token": self.tokens[role], "once": str(uuid4()), **dict(more.get("data") or {})}  # type: ignore[call-overload]
        headers = {"User-Agent": "Mozilla/5.0 (tests)", **self.headers[role], **dict(more.pop("headers", {}))}  # type: ignore[call-overload]
        self.statements.clear()
        point = self.connection.begin_nested()
        try:
            browser = FlaskClient(self.app, self.app.response_class, use_cookies=False)
            return Context().run(browser.open, address, method=method, headers=headers, **more)  # type: ignore[arg-type]
        finally:
            point.rollback()

    def close(self, close: Callable[..., None], *, commit: bool) -> None:
        """What the portal's `close_unit` does. A transaction inside another has a connection of its own there; here
        they share one, where what the inner one declared would outlive it."""
        unit = db._current()
        close(commit=commit)
        if not commit:
            self.statements[:] = [each for each in self.statements if each[0] is not unit]
        if unit.outer is not None and unit.outer.actor is not None:
            db.declare(self.connection, unit.outer.actor)

    def note(self, _connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        self.statements.append((db._unit.get(), statement, values))


@contextmanager
def on_stage(app: Flask) -> Iterator[Cast]:
    """The demonstration, filled; its people, signed in. In an empty database, which is empty again afterwards."""
    engine = app.extensions["parvis.engine"]
    with engine.connect() as connection, connection.begin() as whole, pytest.MonkeyPatch.context() as patch:
        cast = Cast(app, connection)
        # Held open for as long as a busy machine needs.
        connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
        db._factory.configure(bind=connection, join_transaction_mode="create_savepoint")
        patch.setattr(db, "close_unit", partial(cast.close, db.close_unit))
        try:
            with app.app_context(), prepared():  # not around the requests: each has its own
                cast.world = _filled()
                _sign_everybody_in(cast)
            event.listen(connection, "before_cursor_execute", cast.note)
            with got_request_exception.connected_to(partial(_remember, cast), app):
                yield cast
        finally:
            db._factory.configure(bind=engine, join_transaction_mode="conditional_savepoint")
            whole.rollback()


def _remember(cast: Cast, _app: Flask, exception: BaseException) -> None:
    cast.failure = f"{type(exception).__name__}: {exception}"[:300]


def _filled() -> World:
    """`history`, thousands of figures, is left out."""
    world = demonstration.build()
    for room in rooms.ROOMS:
        if room != "history":
            import_module(f"tests.factories.{room}").demonstrate(world)
    return world


def _sign_everybody_in(cast: Cast) -> None:
    world = cast.world
    for name in PATIENTS:
        cast.accounts[name] = account_of(world.patients[name])
    for name in PROFESSIONALS:
        cast.accounts[name] = world.professionals[name].account_id
    _add_former_proxies(cast)
    _add_agents(cast)
    cast.headers[VISITOR] = {}
    for name, account_id in cast.accounts.items():
        chosen = world.patients["dominique"].id if name == LOST else None
        cast.headers[name] = {"Cookie": f"{sessions.cookie_name(secure=False)}={_session_of(account_id, chosen)}"}
    north, south = world.north.establishment.id, world.south.establishment.id
    every = tuple(scope.code for scope in SCOPES)
    for name, hospital, scopes in ((MACHINES[0], north, every), (MACHINES[1], south, every), (BARE, north, ())):
        cast.headers[name] = {"Authorization": f"Bearer {_pass_of(name, hospital, scopes)}"}
    for name in cast.headers:
        _add_form_token(cast, name)


def _add_former_proxies(cast: Cast) -> None:
    for name in (FORMER, LOST):
        own, person = people.patient_with_account(birth_name=f"ANCIEN{len(cast.accounts)}")
        people.known_at(person, cast.world.north.establishment.id)
        mandate(own, cast.world.patients["dominique"], "carer", state="ended")
        cast.accounts[name] = own.id


def _add_agents(cast: Cast) -> None:
    north, south = cast.world.north.establishment.id, cast.world.south.establishment.id
    cast.accounts[NORTH] = people.agent(north, *RIGHTS, name="Administrateur du nord").id
    cast.accounts[SOUTH] = people.agent(south, *RIGHTS, name="Administrateur du sud").id
    both = people.agent(north, *RIGHTS, name="Administrateur du groupe")
    people.grant(both, south, *RIGHTS)
    cast.accounts[GROUP] = both.id
    for right in RIGHTS:
        made = people.agent(south, *RIGHTS, name=f"Agent sans {right}")
        people.grant(made, north, *(each for each in RIGHTS if each != right))
        cast.accounts[elsewhere(right)] = made.id


def _session_of(account_id: UUID, patient_id: UUID | None) -> str:
    token = secrets.token_urlsafe(32)
    db.session.add(
        WebSession(
            digest=sessions.digest(token), account_id=account_id, provider="franceconnect", acr="eidas1", amr="mfa",
            activity={}, patient_id=patient_id, expires_at=db.now() + sessions.LIMITS["patient"].absolute,
        )
    )  # fmt: skip
    return token


def _pass_of(name: str, establishment_id: UUID, scopes: tuple[str, ...]) -> str:
    """A machine that was let to do this, and its pass."""
    made, _secret = machines.add(machines.Draft(establishment_id, name, list(scopes)))
    db.session.flush()
    token = secrets.token_urlsafe(32)
    rights = {scope.right for scope in SCOPES if scope.right and scope.code in scopes}
    db.session.add(
        MachineToken(
            digest=sessions.digest(token), machine_id=made.id, scopes=list(scopes), rights=sorted(rights),
            expires_at=db.now() + timedelta(hours=1),
        )
    )  # fmt: skip
    return token


def _add_form_token(cast: Cast, role: str) -> None:
    """What a form of this browser carries, and the cookie that goes with it."""
    browser = cast.app.test_client()
    cast.tokens[role] = browser.csrf_token()  # type: ignore[attr-defined]  # see tests.pages
    name = str(cast.app.config["SESSION_COOKIE_NAME"])
    cookie = browser.get_cookie(name)
    assert cookie is not None
    known = cast.headers[role].get("Cookie", "")
    if role not in (*MACHINES, BARE):
        cast.headers[role]["Cookie"] = f"{known}; {name}={cookie.value}".lstrip("; ")
