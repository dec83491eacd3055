"""What an operator types: it does what it says, twice as well as once, and says what is wrong in a sentence."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from auth.models import StaffInvitation
from portal import audit, calendar, catalog, cli, config, db, establishments, kpi, schema
from portal.config import Settings
from portal.establishments import Establishment
from tests.conftest import Database
from tests.ground import count, prepared, rows
from tests.writers import all_rolled_up, all_sealed

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]


@pytest.fixture
def environment(settings: Settings, database: Database) -> dict[str, str]:
    """What an operator's shell holds."""
    return {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": database.application_url,
        "PORTAL_DATABASE_OWNER_URL": database.owner_url,
        "PORTAL_STORAGE_URL": settings.storage_url,
        "PORTAL_LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def run(app: Flask, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in list(os.environ):
        if name.startswith("PORTAL_"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli.parvis, arguments, obj=lambda _settings: app)

    return invoke


def done(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def refused(result: Result) -> str:
    assert result.exit_code in (1, 2)
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result.output


class TestTheCommandItself:
    def test_names_every_command_and_explains_it(self, run: Run) -> None:
        output = done(run("--help"))
        for name, command in cli.parvis.commands.items():
            assert name in output
            assert command.help, f"parvis {name} is not explained"

    def test_says_what_is_wrong_with_the_environment(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORTAL_READ_ONLY", "perhaps")
        assert "PORTAL_READ_ONLY" in refused(run("audit", "verify"))

    def test_says_that_the_database_does_not_answer(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORTAL_DATABASE_OWNER_URL", "postgresql://nobody:x@127.0.0.1:9/none")
        output = refused(run("db", "upgrade"))
        assert "does not answer" in output
        assert "nobody" not in output


class TestConfig:
    def test_lists_every_variable(self, run: Run) -> None:
        output = done(run("config"))
        assert all(name in output for name, *_ in config.variables())

    def test_shows_no_secret(self, run: Run, environment: dict[str, str]) -> None:
        assert environment["PORTAL_SECRET_KEY"] not in done(run("config"))

    def test_keygen_gives_secrets_that_production_takes(self, run: Run) -> None:
        drawn = dict(line.split("=", 1) for line in done(run("keygen")).splitlines())
        config.load(drawn | {"PORTAL_DATABASE_URL": "postgresql://x/y", "PORTAL_BASE_URL": "https://portail.fr"})
        assert drawn != dict(line.split("=", 1) for line in done(run("keygen")).splitlines())


class TestDatabase:
    def test_upgrade_may_be_run_twice(self, run: Run) -> None:
        for _ in range(2):
            assert schema.head() in done(run("db", "upgrade"))

    def test_upgrade_needs_the_owner(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PORTAL_DATABASE_OWNER_URL")
        assert "PORTAL_DATABASE_OWNER_URL" in refused(run("db", "upgrade"))


class TestCheck:
    def test_says_that_all_is_well(self, run: Run) -> None:
        output = done(run("check"))
        assert "TROUBLE" not in output
        for what in ("configuration", "database", "database role", "schema", "storage", "antivirus", "mail"):
            assert what in output

    def test_sees_a_role_that_row_level_security_does_not_stop(
        self, run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for url in (database.superuser_url, database.owner_url):
            monkeypatch.setenv("PORTAL_DATABASE_URL", url)
            assert "TROUBLE database role" in refused(run("check"))

    def test_sees_a_database_that_is_away(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PORTAL_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
        assert "TROUBLE database" in refused(run("check"))


class TestHospitals:
    def test_are_added_with_every_service_open(self, run: Run) -> None:
        done(run("establishment", "add", "990000017", "Hôpital d’essai"))
        (hospital,) = rows(Establishment)
        assert hospital.name == "Hôpital d’essai"
        with prepared():
            assert catalog.open_codes(hospital.id) == set(cli.SERVICES_AT_FIRST)

    def test_added_again_are_renamed(self, run: Run) -> None:
        for name in ("before", "after"):
            done(run("establishment", "add", "990000017", name))
        assert [hospital.name for hospital in rows(Establishment)] == ["after"]

    @pytest.mark.parametrize("finess", ["", "x", "99000001", "9900000170", "'; drop", "990000é17"])
    def test_need_a_real_number(self, run: Run, finess: str) -> None:
        assert "FINESS" in refused(run("establishment", "add", finess, "name"))

    def test_have_settings_some_of_them_secret(self, run: Run) -> None:
        done(run("establishment", "add", "990000017", "name"))
        done(run("establishment", "set", "990000017", "payfip_numcli", "090909"))
        done(run("establishment", "set", "990000017", "payfip_numcli", "090910"))
        done(run("establishment", "set", "990000017", "mssante_url", "smtp+imap://u:p@h?auth=password", "--secret"))
        (hospital,) = rows(Establishment)
        with prepared():
            assert establishments.setting(hospital.id, "payfip_numcli") == "090910"
        with db.transaction(db.ANONYMOUS):
            assert establishments.setting(hospital.id, "mssante_url") == ""

    def test_unknown_ones_are_named(self, run: Run) -> None:
        assert "990000017" in refused(run("establishment", "set", "990000017", "a", "b"))


class TestTheFirstAdministrator:
    def test_gets_a_link_that_serves_once(self, run: Run) -> None:
        done(run("establishment", "add", "990000017", "name"))
        output = done(run("admin", "invite", "Hugo@hopital.exemple.test"))
        assert re.search(r"http://127.0.0.1:8000/auth/proconnect/start\?invitation=[\w-]{43}\n", output)
        (invitation,) = rows(StaffInvitation)
        assert (invitation.email, set(invitation.rights)) == ("hugo@hopital.exemple.test", set(db.RIGHTS))

    def test_waits_for_a_first_hospital(self, run: Run) -> None:
        assert "establishment add" in refused(run("admin", "invite", "hugo@hopital.exemple.test"))
        assert count(StaffInvitation) == 0

    def test_has_an_e_mail_address(self, run: Run) -> None:
        refused(run("admin", "invite", "hugo"))


class TestFigures:
    def test_are_one_json_line(self, run: Run) -> None:
        with prepared():
            kpi.count("visit_started", audience="anonymous")
        done(run("kpi", "rebuild"))
        all_rolled_up()
        today = calendar.civil_day(db.now(), ZoneInfo("Europe/Paris")).isoformat()
        line = json.loads(done(run("kpi", "show", "U3", "--from", today, "--to", today)))
        assert line == {"code": "U3", "version": 1, "numerator": 1, "denominator": None, "value": 1}

    @pytest.mark.parametrize("arguments", [
        ("NOPE", "--from", "2026-01-01", "--to", "2026-01-02"),
        ("U3", "--from", "yesterday", "--to", "2026-01-02"),
        ("U3", "--from", "2026-01-01", "--to", "2026-01-02", "--establishment", "990000099"),
        ("U3",),
    ])  # fmt: skip
    def test_that_make_no_sense_are_refused(self, run: Run, arguments: tuple[str, ...]) -> None:
        refused(run("kpi", "show", *arguments))


class TestAudit:
    def test_verify_says_what_it_saw(self, run: Run) -> None:
        with prepared():
            audit.record("something.done")
        all_sealed()
        assert "1 batches, 1 events sealed" in done(run("audit", "verify"))


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[int]:
    """`parvis web`, as an operator starts it, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = subprocess.Popen(
        [sys.executable, "-m", "portal", "web", "--bind", f"127.0.0.1:{port}"], cwd=ROOT, process_group=0,
        env=os.environ | environment | {"PORTAL_WEB_PROCESSES": "1"},
    )  # fmt: skip
    try:
        _wait_for(port, web)
        yield port
    finally:
        web.terminate()
        assert web.wait(20) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(web.pid, signal.SIGTERM)


def _wait_for(port: int, web: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and web.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("parvis web did not start")


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]  # kept for once the line is closed
    connection.close()
    return answer


@pytest.mark.usefixtures("app")
def test_the_web_server_serves_stops_and_refuses_a_huge_upload_with_a_page(served: int) -> None:
    assert ask(served, "GET", "/status/ready").status == 200
    assert ask(served, "GET", "/").status == 200
    huge: Any = ask(served, "POST", "/deconnexion", b"a" * 120_000_000, **{"Content-Type": "multipart/form-data"})
    assert huge.status == 413
    assert b"<h1" in huge.body
