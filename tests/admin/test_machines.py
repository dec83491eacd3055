"""The other systems of a hospital, let in and shut out by whoever administers it."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwk

import auth.machines
from auth.machines import operators
from auth.machines.models import Machine, MachineToken
from auth.models import Account
from tests.admin.conftest import Group
from tests.ground import audited, count, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
FORM = {"establishment": "990000017", "name": "Dossier patient", "scopes": ["system/Slot.read"], "quota": "100"}


def let_in(browser: FlaskClient, **changed: Any) -> str:
    """The page of the machine that was let in."""
    answer = browser.post("/admin/machines/ajouter", data=FORM | {"once": str(uuid4())} | changed)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def secret_of(page: str) -> str:
    found = re.search(r"<textarea[^>]*>([\w-]{43})</textarea>", page)
    return found[1] if found else ""


def ask(app: Flask, secret: str) -> int:
    (machine,) = rows(Machine)
    form = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": secret}
    return FlaskClient(app).post("/oauth/token", data=form).status_code


class TestLettingIn:
    def test_shows_the_secret_once_and_it_works(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        address = let_in(browser)
        secret = secret_of(browser.get(address).text)
        assert ask(app, secret) == 200
        assert secret_of(browser.get(address).text) == ""
        assert "machine.added" in audited()

    def test_gives_nobody_alone_what_takes_two_administrators(self, group: Group, sign_in: SignIn) -> None:
        form = FORM | {"once": str(uuid4()), "scopes": ["system/AuditEvent.read"]}
        assert sign_in(group.administrator).post("/admin/machines/ajouter", data=form).status_code == 422
        assert count(Machine) == 0

    def test_with_a_key_shows_no_secret(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        public = {"keys": [jwk.ECKey.generate_key("P-256", {"kid": "1"}).as_dict(private=False)]}
        assert secret_of(browser.get(let_in(browser, jwks=json.dumps(public))).text) == ""
        (machine,) = rows(Machine)
        assert (machine.proof, machine.jwks) == ("key", public)

    @pytest.mark.parametrize(
        "wrong",
        [{"name": ""}, {"scopes": []}, {"scopes": ["system/*.*"]}, {"quota": "0"}, {"quota": "x"}, {"quota": "-5"},
         {"establishment": "990000025"}, {"jwks": "{}"}, {"jwks": '{"keys": [{"kty": "oct", "k": "x"}]}'},
         {"until": "yesterday"}],
    )  # fmt: skip
    def test_a_wrong_answer_is_explained(self, group: Group, sign_in: SignIn, wrong: dict[str, Any]) -> None:
        answer = sign_in(group.administrator).post(
            "/admin/machines/ajouter", data=FORM | {"once": str(uuid4())} | wrong
        )
        assert answer.status_code == 422
        assert count(Machine) == 0

    def test_a_double_click_lets_in_once(self, group: Group, sign_in: SignIn) -> None:
        browser, form = sign_in(group.administrator), FORM | {"once": str(uuid4())}
        assert [browser.post("/admin/machines/ajouter", data=form).status_code for _time in range(2)] == [303, 303]
        assert count(Machine) == 1


class TestShuttingOut:
    def test_ends_its_passes_and_its_proof(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        address = let_in(browser)
        secret = secret_of(browser.get(address).text)
        assert ask(app, secret) == 200
        assert browser.post(address + "/revoquer").status_code == 303
        assert (ask(app, secret), count(MachineToken)) == (401, 0)
        assert browser.post(address + "/revoquer").status_code == 404

    def test_a_new_secret_ends_the_former_one(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        address = let_in(browser)
        former = secret_of(browser.get(address).text)
        ask(app, former)
        assert browser.post(address + "/secret").status_code == 303
        new = secret_of(browser.get(address).text)
        assert count(MachineToken) == 0
        assert (ask(app, former), ask(app, new)) == (401, 200)

    def test_another_hospitals_machine_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        address = let_in(sign_in(group.director), establishment="990000025", name="Agenda du sud")
        browser = sign_in(group.administrator)
        assert "Agenda du sud" not in browser.get("/admin/machines").text
        assert browser.get(address).status_code == 404
        for act in ("/secret", "/revoquer"):
            assert browser.post(address + act).status_code == 404

    def test_the_list_costs_few_statements(self, app: Flask, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        for _time in range(3):
            let_in(browser)
        with executed(app) as statements:
            assert browser.get("/admin/machines").status_code == 200
        assert len(statements) <= 12, statements


class TestTheCommand:
    def run(self, app: Flask, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
        monkeypatch.setattr(operators.config, "load", lambda: app.config["SETTINGS"])
        return CliRunner().invoke(operators.machine, ["add", *arguments], obj=lambda _settings: app)

    def test_prints_the_credentials_once(self, app: Flask, group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        done = self.run(app, monkeypatch, "990000017", "Agenda", "system/Slot.read,system/Appointment.write")
        assert done.exit_code == 0, done.output
        told = dict(line.split("=", 1) for line in done.output.splitlines())
        (machine,) = rows(Machine)
        assert (told["client_id"], machine.scopes) == (
            machine.client_id, ["system/Slot.read", "system/Appointment.write"]
        )  # fmt: skip
        assert ask(app, told["client_secret"]) == 200

    @pytest.mark.parametrize("scopes", ["", "everything", "system/Slot.read system/*.*"])
    def test_refuses_scopes_that_are_none(
        self, app: Flask, group: Group, monkeypatch: pytest.MonkeyPatch, scopes: str
    ) -> None:
        done = self.run(app, monkeypatch, "990000017", "Agenda", scopes)
        assert done.exit_code == 2
        assert count(Machine) == 0


def test_the_command_is_one_of_parvis() -> None:
    assert [command.name for command in auth.machines.for_operators()] == ["machine"]
