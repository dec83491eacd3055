"""`parvis sessions end`: whoever is inside is out at their next page, and nobody else."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from auth.oversight.commands import session_commands
from portal.audit import AuditEvent
from portal.config import Settings
from tests.conftest import Database
from tests.factories import people
from tests.ground import prepared, rows

Run = Callable[..., Result]
SignIn = Callable[[Account], FlaskClient]


@pytest.fixture
def run(app: Flask, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": database.application_url,
    }.items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(session_commands, ["end", *arguments], obj=lambda _settings: app)

    return invoke


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/mon-compte").status_code == 200


@pytest.fixture
def accounts(app: Flask) -> list[Account]:
    with prepared():
        return [people.patient_with_account(birth_name=name)[0] for name in ("UN", "DEUX")]


class TestEnding:
    def test_of_one_account_puts_that_one_out(self, run: Run, sign_in: SignIn, accounts: list[Account]) -> None:
        stolen, other = sign_in(accounts[0]), sign_in(accounts[1])
        assert is_in(stolen)
        result = run("--account", str(accounts[0].id), "--reason", "incident 2026-3")
        assert (result.exit_code, result.output) == (0, "1 sessions ended\n")
        assert not is_in(stolen)
        assert is_in(other)
        (line,) = [each for each in rows(AuditEvent) if each.action == "sessions.ended"]
        assert (line.object_id, line.actor) == (accounts[0].id, "system:cli.sessions_end")
        assert line.details == {"number": 1, "reason": "incident 2026-3"}

    def test_of_everybody_puts_everybody_out(self, run: Run, sign_in: SignIn, accounts: list[Account]) -> None:
        browsers = [sign_in(account) for account in accounts]
        assert run("--audience", "staff", "--reason", "x").output == "0 sessions ended\n"
        assert all(map(is_in, browsers))
        assert run("--everybody", "--reason", "x").output == "2 sessions ended\n"
        assert not any(map(is_in, browsers))

    def test_of_nobody_we_know_is_said(self, run: Run, accounts: list[Account]) -> None:
        result = run("--account", str(uuid4()), "--reason", "x")
        assert result.exit_code == 1
        assert "No account has the number" in result.output

    @pytest.mark.parametrize(
        "arguments", [("--reason", "x"), ("--everybody",), ("--everybody", "--audience", "staff", "--reason", "x")]
    )
    def test_says_whose_and_why(self, run: Run, arguments: tuple[str, ...]) -> None:
        assert run(*arguments).exit_code == 2
