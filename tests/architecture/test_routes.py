"""Every address is guarded, typed, in French, frozen, and refuses whoever it is not for."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import AnyConverter, Rule

from auth import guards
from auth.models import Account
from portal import db
from portal.db import RIGHTS
from tests.architecture import routes
from tests.factories import people
from tests.factories.hospitals import hospital
from tests.ground import prepared

# Natural keys that people or machines read: a FINESS number, an indicator's code, a one-time token, a digest, a page's
# own word; a day of a provider's counter, a month of totals.
UNTYPED = {"finess", "code", "token", "digest", "key", "slug", "psp", "account", "day", "month", "use", "type_code"}
OF_PATHS = {"admin_support.screen"}
"""Shows another page of ours, looked up among those that may be shown."""
SEGMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?")
# Machines and standards name these.
NOT_FRENCH = {
    "_ui", "admin", "auth", "callback", "callbacks", "documents", "hospital", "jwks", "live", "logout-callback",
    "messages", "metrics", "oidc",
    "payfip", "pro", "ready", "sessions", "start", "status", "theme",
}  # fmt: skip
ENGLISH = {
    "account", "appointment", "appointments", "bill", "bills", "book", "booking", "cancel", "choose", "delete",
    "download", "edit", "file", "files", "invite", "letter", "login", "logout", "my", "new", "pay", "payment",
    "received", "send", "settings", "sign-in", "sign-out", "slot", "slots", "staff", "submit", "the", "unit", "upload",
    "user", "users", "write",
}  # fmt: skip
ACTS = {
    "accept", "accept_piece", "act_for", "ask", "ask_again", "assign", "book", "cancel", "close", "close_session",
    "delete", "discard", "grant", "invite", "leave_to_pay", "pay", "publish", "receive", "refuse", "refuse_piece",
    "register_patient", "release", "revoke", "send", "sign_out", "submit", "take", "take_back", "validate",
    "waive_piece", "withdraw_invitation", "write",
}  # fmt: skip
"""Views named as an act. Each waits for a POST; one that also answers GET shows the form, at the same address."""


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def guard_of(app: Flask, rule: Rule) -> str:
    blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
    return str(getattr(blueprint, guards.GUARD, ""))


class TestEveryRoute:
    def test_is_in_the_frozen_list(self, app: Flask) -> None:
        """A line that goes away breaks links that people have kept."""
        frozen = routes.FROZEN.read_text(encoding="utf-8").splitlines()
        assert routes.lines(app) == frozen, "if you meant it: .venv/bin/python -m tests.architecture.routes"

    def test_belongs_to_a_blueprint_with_a_guard(self, app: Flask) -> None:
        assert [rule.endpoint for rule in rules(app) if not guard_of(app, rule)] == []

    def test_guards_are_those_we_know(self, app: Flask) -> None:
        known = {"public", guards.SIGNED_IN, "machines", *DOORS, *(f"staff:{right}" for right in RIGHTS)}
        assert {guard_of(app, rule) for rule in rules(app)} <= known

    def test_stands_where_its_public_looks_for_it(self, app: Flask) -> None:
        for rule in rules(app):
            guard, path = guard_of(app, rule), rule.rule
            door = path == "/admin/connexion" or path.startswith("/admin/connexion/")
            assert path.startswith("/admin") == (guard.startswith("staff") or door), path
            assert path.startswith("/pro/") <= (guard == "professional" or path == "/pro/connexion"), path
            machines = path.startswith(("/callbacks/", "/fhir/", "/api/", "/oauth/")) or path == "/fhir"  # its root
            assert machines == (guard == "machines"), path

    def test_has_typed_parameters(self, app: Flask) -> None:
        for rule in rules(app):
            for converter, name in re.findall(r"<(?:([a-z]+)(?:\([^)]*\))?:)?([a-z_]+)>", rule.rule):
                assert converter or name in UNTYPED, rule.rule
                assert converter != "path" or rule.endpoint in OF_PATHS, rule.rule

    def test_is_spelled_in_french_kebab_case(self, app: Flask) -> None:
        for rule in rules(app):
            if rule.rule.startswith("/fhir/"):
                continue  # the standard's own words
            for segment in re.sub(r"<[^>]*>", "", rule.rule).strip("/").split("/"):
                if segment and segment not in NOT_FRENCH and not segment.startswith("."):
                    assert SEGMENT.fullmatch(segment), rule.rule
                    assert segment not in ENGLISH, rule.rule

    def test_named_as_an_act_waits_for_a_post(self, app: Flask) -> None:
        posts = {rule.rule for rule in rules(app) if "POST" in (rule.methods or ())}
        for rule in rules(app):
            if rule.endpoint.rpartition(".")[2] in ACTS:
                assert rule.rule in posts, f"{rule.endpoint} acts on a GET"

    def test_changes_by_post_alone(self, app: Flask) -> None:
        """Browsers' forms know no other method, and our cross-site check watches them; machines put resources."""
        for rule in rules(app):
            put = {"PUT", "DELETE"} if rule.rule.startswith("/fhir/") else set()
            known = {"GET", "HEAD", "OPTIONS", "POST"} | put
            assert (rule.methods or set()) <= known, rule.rule


SAMPLES: dict[str, object] = {
    "UUIDConverter": "00000000-0000-4000-8000-000000000001", "IntegerConverter": 1,
    "DateConverter": "2026-01-05", "UnicodeConverter": "x" * 8, "PathConverter": "x" * 8,
}  # fmt: skip


def _sample(converter: Any) -> object:
    """Something that the parameter takes, and that names nothing."""
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    if length := re.fullmatch(r"\[\^/\]\{(\d+)\}", converter.regex):
        return "x" * int(length[1])
    return SAMPLES[type(converter).__name__]


def addresses(app: Flask, *wanted: str) -> list[tuple[str, str]]:
    """(method, address) of every route under these guards, with parameters that name nothing."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in rules(app):
        if guard_of(app, rule).partition(":")[0] in wanted:
            values = {name: _sample(converter) for name, converter in rule._converters.items()}
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                found.append((method, adapter.build(rule.endpoint, values, method=method)))
    return found


def ask(browser: FlaskClient, method: str, address: str) -> Any:
    return browser.open(address, method=method, data={} if method == "POST" else None)


DOORS = {"patient": "/connexion", "professional": "/pro/connexion", "staff": "/admin/connexion"}


class TestAStranger:
    @pytest.mark.parametrize("audience", DOORS)
    def test_is_sent_to_the_door_of_each_page_and_form(self, app: Flask, client: FlaskClient, audience: str) -> None:
        asked = addresses(app, audience)
        assert len(asked) > 3
        for method, address in asked:
            answer = ask(client, method, address)
            assert answer.status_code == 303, (method, address)
            door = urlsplit(answer.headers["Location"])
            assert door.path == DOORS[audience], (method, address)
            assert parse_qs(door.query)["next"] == [address], (method, address)

    def test_is_sent_to_the_patients_door_of_what_is_for_whoever_is_signed_in(
        self, app: Flask, client: FlaskClient
    ) -> None:
        """Communities are for professionals alone: practitioners and agents, who find their own door from there."""
        asked = addresses(app, guards.SIGNED_IN)
        assert len(asked) > 3
        for method, address in asked:
            door = "/pro/connexion" if address.startswith("/communautes") else "/connexion"
            answer = ask(client, method, address)
            assert urlsplit(answer.headers.get("Location", "")).path == door, (method, address)


@pytest.fixture
def browsers(app: Flask, sign_in: Callable[[Account], FlaskClient]) -> dict[str, FlaskClient]:
    with prepared():
        here = hospital().establishment.id
        doctor = people.professional()
        found = {
            "patient": people.patient_with_account()[0],
            "professional": db.session.get_one(Account, doctor.account_id),
            **{f"staff:{right}": people.agent(here, right) for right in RIGHTS},
            **{f"all but {right}": people.agent(here, *set(RIGHTS) - {right}) for right in RIGHTS},
            "staff": people.agent(here),
        }
    return {name: sign_in(account) for name, account in found.items()}


class TestSomebodyElse:
    @pytest.mark.parametrize("audience", DOORS)
    def test_of_another_audience_is_refused_each_page_and_form(
        self, app: Flask, browsers: dict[str, FlaskClient], audience: str
    ) -> None:
        strangers = {"patient": "all but audit", "professional": "patient", "staff": "professional"}
        for method, address in addresses(app, audience):
            assert ask(browsers[strangers[audience]], method, address).status_code == 403, (method, address)

    def test_without_the_right_is_refused_each_page_and_form_of_it(
        self, app: Flask, browsers: dict[str, FlaskClient]
    ) -> None:
        guarded = {rule.endpoint: guard_of(app, rule) for rule in rules(app)}
        for method, address in addresses(app, "staff"):
            endpoint, _values = app.url_map.bind("localhost").match(address, method=method)
            if right := guarded[endpoint].partition(":")[2]:
                answer = ask(browsers[f"all but {right}"], method, address)
                assert answer.status_code == 403, (right, method, address)

    def test_whose_last_right_is_gone_is_refused_everywhere(self, app: Flask, browsers: dict[str, FlaskClient]) -> None:
        for method, address in addresses(app, "staff"):
            assert ask(browsers["staff"], method, address).status_code == 403, (method, address)


class TestWhoeverIsAtHome:
    @pytest.mark.parametrize("who", ["patient", "professional", *(f"staff:{right}" for right in RIGHTS)])
    def test_gets_an_answer_to_an_address_that_names_nothing(
        self, app: Flask, browsers: dict[str, FlaskClient], who: str
    ) -> None:
        """404, a page, or a refusal: never a crash, whatever the address says."""
        for method, address in addresses(app, who.partition(":")[0], "public"):
            answer = ask(browsers[who], method, address)
            assert answer.status_code < 500, (method, address)


class TestAMachine:
    def test_is_not_asked_for_a_cross_site_token(self, app: Flask) -> None:
        browser = FlaskClient(app)
        for method, address in addresses(app, "machines"):
            answer = browser.open(address, method=method, data=b"", content_type="text/plain")
            assert answer.status_code < 500, (method, address)
            assert "parvis_form" not in str(answer.headers.getlist("Set-Cookie"))
