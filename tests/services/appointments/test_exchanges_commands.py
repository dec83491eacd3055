"""What operators type and watch about exchanges: an address, a listener, telling again, the numbers."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from portal import check, cli, db, establishments
from portal.config import Settings
from portal.gateways.his.framing import Blocks, framed
from portal.gateways.his.twin import HisTwin
from services import exchanges as room
from services.appointments.exchanges.commands import appointments as appointment_commands
from services.exchanges import dialect
from services.exchanges.commands import listen_his
from services.exchanges.models import Delivery, HisMessage
from tests.conftest import Database
from tests.factories import appointments, exchanges
from tests.ground import prepared, rows
from tests.services.appointments.conftest import Ground

ROOT = Path(__file__).parents[3]
Run = Callable[..., Result]


@pytest.fixture
def environment(settings: Settings, database: Database) -> dict[str, str]:
    return {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": database.application_url,
        "PORTAL_STORAGE_URL": settings.storage_url,
        "PORTAL_LOG_LEVEL": "ERROR",
    }


@pytest.fixture
def run(app: Flask, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [each for each in os.environ if each.startswith("PORTAL_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def invoke(command: object, *arguments: str) -> Result:
        return CliRunner().invoke(command, arguments, obj=lambda _settings: app)  # type: ignore[arg-type]  # the application whatever the settings

    return invoke


def setting(ground: Ground, key: str) -> str:
    with db.transaction(db.system("tests")):
        return establishments.setting(ground.hospital.establishment.id, key)


def test_an_address_that_cannot_be_opened_is_refused_when_it_is_set(ground: Ground, run: Run) -> None:
    good = ("establishment", "set", "990000017", "his_url", "mllp://his.exemple.test:2575")
    assert run(cli.parvis, *good).exit_code == 0
    wrong = run(cli.parvis, *good[:-1], "fhir+https://his.exemple.test/r4")
    assert (wrong.exit_code, "not exchanged by FHIR" in wrong.output) == (1, True)
    codes = run(cli.parvis, *good[:3], "his_dialect", '{"unit": 1}')
    assert (codes.exit_code, "unknown: unit" in codes.output) == (1, True)
    assert setting(ground, dialect.ADDRESS) == "mllp://his.exemple.test:2575"


def test_an_address_is_a_secret_however_it_is_set(ground: Ground, run: Run) -> None:
    run(cli.parvis, "establishment", "set", "990000017", "his_url", "mllp://his.exemple.test:2575")
    with db.transaction(ground.actor):
        assert establishments.setting(ground.hospital.establishment.id, dialect.ADDRESS) == ""


def test_check_looks_at_each_hospitals_system(app: Flask, settings: Settings, ground: Ground) -> None:
    with HisTwin() as twin:
        with prepared():
            exchanges.set_his(ground.hospital.establishment.id, twin.url)
        found = {each.what: each.trouble for each in check.findings(app, settings)}
        assert found["hospital system 990000017"] == ""
    found = {each.what: each.trouble for each in check.findings(app, settings)}
    assert "cannot be reached" in found["hospital system 990000017"]
    with prepared():
        assert list(room.systems()) == ["990000017"]


def test_everything_since_a_day_is_told_again(ground: Ground, run: Run) -> None:
    assert run(appointment_commands, "replay", "990000017", "--since", "2026-01-01").exit_code == 1
    with HisTwin() as twin:
        with prepared():
            exchanges.set_his(ground.hospital.establishment.id, twin.url)
            appointments.booked(ground.patient, ground.reason, ground.opened)
        exchanges.tick()
        done = run(appointment_commands, "replay", "990000017", "--since", "2026-01-01")
        assert (done.exit_code, done.output.strip()) == (0, "1 to tell again")
    assert [each.round for each in rows(Delivery)] == [1]


def test_the_numbers_say_how_late_the_exchanges_are(ground: Ground, client: FlaskClient) -> None:
    with prepared():
        exchanges.set_his(ground.hospital.establishment.id, "mllp://127.0.0.1:1")
        appointments.booked(ground.patient, ground.reason, ground.opened)
    exchanges.tick()
    told = client.get("/status/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text
    assert re.search(r"^parvis_exchange_waiting 1\.0$", told, re.MULTILINE)
    assert "parvis_exchange_lag_seconds" in told
    assert "parvis_exchange_refused 0.0" in told


@pytest.fixture
def listening(ground: Ground, environment: dict[str, str]) -> Iterator[int]:
    """`parvis listen his`, as a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    command = [sys.executable, "-m", "portal", "listen", "his", "990000017", "--bind", "127.0.0.1:0"]
    process = subprocess.Popen(command, cwd=ROOT, env=kept | environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    yield int(line.split("port ")[1].split()[0])
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    process.stdout.close()


def test_a_listener_takes_messages_and_a_time_is_busy_within_seconds(ground: Ground, listening: int) -> None:
    began = time.monotonic()
    message = exchanges.siu("S12", "M1", said_at=db.now(), filler="F1", start_at=ground.opened.at(0))
    with socket.create_connection(("127.0.0.1", listening), timeout=30) as line:
        line.sendall(framed(message) + framed(b"not a message"))
        blocks = Blocks(line)
        first, second = blocks.next(), blocks.next()
    assert b"MSA|AA|M1" in (first or b"")
    assert b"MSA|AR" in (second or b"")
    assert time.monotonic() - began < 10
    assert {each.via for each in rows(HisMessage)} == {"mllp"}


def test_a_listener_open_to_the_network_says_who_may_call() -> None:
    done = CliRunner().invoke(listen_his, ["990000017", "--bind", "192.0.2.1:2575"])
    assert done.exit_code == 2
    assert "--from" in done.output
