"""What is sent to support: all that helps, and nothing that is anybody's or opens anything."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import SecretStr

from portal import cli, config, db, doctor, jobs
from portal.config import PROVIDERS, Settings
from portal.gateways.board import DoorLine, DoorPause
from portal.jobs import JobTrouble
from tests.ground import prepared

PARTS = (
    "versions",
    "settings",
    "machine",
    "database",
    "tables",
    "slow statements",
    "queue",
    "jobs in trouble",
    "doors",
)


def read(app: Flask, settings: Settings) -> str:
    return "\n".join(doctor.report(app, settings))


def test_it_says_versions_the_schema_the_sizes_and_the_clock(app: Flask, settings: Settings) -> None:
    said = read(app, settings)
    assert [line for line in said.splitlines() if line.startswith("== ")] == [
        f"== {part} ==" for part in (*PARTS, "check")
    ]
    assert "\nsqlalchemy: 2." in said
    assert "\nPORTAL_ENV: test\n" in said
    assert "\naudit_event: " in said
    assert "clock ahead of this machine's, in seconds: " in said
    assert "ok      database" in said
    assert "not read" not in said


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - {"providers"} - doctor.SHOWN))
def test_a_setting_that_nobody_chose_to_show_is_only_said_to_be_set(settings: Settings, name: str) -> None:
    field = Settings.model_fields[name]
    marked: object = (
        SecretStr("zq://zqcanari:s3cr3t@zqhost") if field.annotation is SecretStr else "smtp://zqcanari@zqhost"
    )
    lines = dict(doctor._settings(settings.model_copy(update={name: marked})))
    said = str(lines[f"PORTAL_{name.upper()}"])
    assert "zq" not in said.removeprefix("zq: ")
    assert said in ("set", "smtp: …", "zq: …")


def test_every_variable_of_providers_is_hidden_unless_it_is_a_choice_of_ours(settings: Settings) -> None:
    first = settings.providers[PROVIDERS[0]]
    told = {name: SecretStr("zqcanari") if "secret" in name else "zqcanari" for name in type(first).model_fields}
    own = {name: value for name, value in told.items() if name not in doctor.OF_PROVIDERS}
    marked = settings.model_copy(
        update={"providers": settings.providers | {PROVIDERS[0]: first.model_copy(update=own)}}
    )
    assert "zqcanari" not in str(list(doctor._settings(marked)))


@pytest.mark.parametrize(
    "query",
    [
        "select 1 from patient where birth_name = 'zq' and used_name = 'it''s zq'",
        r"select E'it\'s zq', 'zq\' , 'zq'",
        "select $$zq$$, $1",
        "select $tag$zq$tag$",
        "select 1 /* zq */ from patient",
        "select 1 -- zq",
        "select 1 from patient where ins = 180017512300142",
        "alter role zq password 'zq'",
    ],
)
def test_no_value_that_the_database_left_in_a_statement_is_told(query: str) -> None:
    said = doctor._without_values(query)
    assert "zq" not in said
    assert "1800175" not in said


def test_a_statement_without_values_is_told_as_it_is() -> None:
    query = "select id from job_done where job_id = $1 and done_at < $2 limit 50"
    assert doctor._without_values(query) == query


def test_a_setting_without_a_kind_is_only_said_to_be_set(settings: Settings) -> None:
    assert doctor._said("redis_url", "zqcanari", False, frozenset()) == "set"


def test_what_failed_is_told_by_its_class(app: Flask, settings: Settings) -> None:
    with prepared():
        jobs.enqueue("jobs.retry_stalled")
        db.session.flush()
        db._write_now()
        job_id = db.session.execute(db.text("select max(id) from procrastinate_jobs")).scalar_one()
        db.session.add(
            JobTrouble(job_id=job_id, door="mail.smtp zq.exemple.test:25", error="Unavailable", reason="zqcanari")
        )
        db.session.add(DoorLine(
            door="mail.smtp zq.exemple.test", process="web zq:1", breaker="open", last_failure_at=db.now(), done=1,
            last_failure="Unavailable: zqcanari@exemple.test", refused=0, failed=5, total_ms=12.0, recent=[0] * 13,
        ))  # fmt: skip
        db.session.add(DoorPause(door="his.fhir 990000017", reason="zqcanari", paused_by="staff:zq"))
    said = read(app, settings)
    assert "jobs.retry_stalled: todo, Unavailable at mail.smtp, 1 times" in said
    assert "mail.smtp: open, 1 done, 0 refused, 5 failed" in said
    assert "his.fhir 990000017 closed by people: since" in said
    assert "zq" not in said


def test_it_still_says_the_rest_when_the_database_is_away(app: Flask, settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": SecretStr("postgresql://zq:zq@127.0.0.1:1/none")})
    engine = db.connect(away.database_url.get_secret_value())
    try:
        said = read(app, away)
    finally:
        engine.dispose()
        db._factory.configure(bind=app.extensions["parvis.engine"])
    assert said.count("not read: ") == 6
    assert "OperationalError" in said
    assert "zq" not in said


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("secure mailbox jeanne.martin@exemple.mssante.test", "secure mailbox"),
        ("hospital system 990000017", "hospital system 990000017"),
        ("identity provider Hôpital de Jeanne: keys", "identity provider"),
        ("PORTAL_MAIL_URL", "PORTAL_MAIL_URL"),
        ("Jeanne MARTIN", "something"),
    ],
)
def test_what_is_checked_is_told_by_its_kind(told: str, shown: str) -> None:
    assert doctor._called(told) == shown


@pytest.mark.parametrize(
    "said", ["a@b.test", "https://u:p@h.test/x?q=1", "smtp.exemple.test:587", "10.1.2.3:25", "jeanne@hôpital.test"]
)
def test_words_about_something_outside_lose_their_addresses(said: str) -> None:
    assert doctor._without_addresses(f"no answer from {said} today") == "no answer from <address> today"


def test_the_command_writes_a_file_of_its_owner_alone(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "load", lambda: settings)
    place = tmp_path / "report.txt"

    def run() -> int:
        return CliRunner().invoke(cli.parvis, ["doctor", "--output", str(place)], obj=lambda _settings: app).exit_code

    assert run() == 0
    assert os.stat(place).st_mode & 0o777 == 0o600
    assert "== queue ==" in place.read_text(encoding="utf-8")
    assert run() != 0, "it writes over nothing"
