"""What an operator types about duties, what agents are told of, and what is counted."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from auth.agents.models import StaffUnit
from auth.news.models import News
from portal import db, kpi
from portal.config import Settings
from portal.kpi import KpiEvent
from services import lines as room
from services.lines import actions
from services.lines.models import Duty, Line
from tests import ground
from tests.factories import hospitals, people
from tests.factories import lines as factory
from tests.ground import prepared

Run = Callable[..., Result]
HEADER = "name;until;from;unit;unknown\n"
NIGHT = "Dr Paul GARDE;2026-11-29 08:00;2026-11-28 20:00;1001;x\n"


@pytest.fixture
def run(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Import a file; the environment of the command line is not the tests' concern."""
    monkeypatch.setattr("portal.config.load", lambda: settings)
    group = room.for_operators()[0]

    def typed(content: str | bytes, *options: str) -> Result:
        path = tmp_path / "duty.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        arguments = ["duty", str(path), "--finess", "990000017", *options]
        return CliRunner().invoke(group, arguments, obj=lambda _settings: app)

    with prepared():
        hospitals.hospital()
    return typed


def test_a_file_is_brought_once_and_a_rehearsal_changes_nothing(run: Run) -> None:
    assert json.loads(run(HEADER + NIGHT, "--dry-run").output)["added"] == 1
    assert ground.count(Duty) == 0
    assert json.loads(run(HEADER + NIGHT).output)["added"] == 1
    again = run(HEADER + NIGHT)
    assert (again.exit_code, json.loads(again.output)["unchanged"]) == (0, 1)
    assert ground.count(Duty) == 1


def test_what_is_refused_is_told_by_the_exit_code(run: Run) -> None:
    refused = run(HEADER + NIGHT + NIGHT.replace("1001", "9"))
    assert refused.exit_code == 3
    assert json.loads(refused.output)["samples"] == [{"line": 3, "why": "no unit of this hospital has this code"}]
    for content in ("name;from\n", b"name;\xff", ""):
        assert run(content).exit_code == 1
    assert "FINESS" in run(HEADER, "--finess", "1").output


def test_the_agents_of_the_unit_are_told_and_the_practitioner_when_they_could_not_be_reached(
    app: Flask, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        here = hospitals.hospital()
        agent = people.agent(here.establishment.id, "referrals", name="Nadia NURSE")
        place = here.establishment.id
        db.session.add(StaffUnit(account_id=agent.id, establishment_id=place, unit_id=here.unit.id))
        other = people.agent(here.establishment.id, "referrals", name="Ailleurs")
        gp, line = people.professional(), factory.line(here.unit)
    with db.transaction(people.as_professional(gp)) as current:
        asked = factory.callback(current.get_one(Line, line.id), gp)
    work_jobs()
    assert {(each.account_id, each.path) for each in ground.rows(News)} == {
        (agent.id, "/admin/lignes-directes/rappels")
    }
    with db.transaction(people.as_agent(other, place, "referrals")):
        actions.answer(asked.id, reached=False)
    work_jobs()
    told = {each.account_id: each.path for each in ground.rows(News)}
    assert told[gp.account_id] == f"/pro/lignes-directes/rappels/{asked.id}"


def test_calls_and_their_delay_are_counted(app: Flask) -> None:
    with prepared():
        here = hospitals.hospital()
        agent = people.agent(here.establishment.id, "referrals")
        gp, line = people.professional(), factory.line(here.unit)
    with db.transaction(people.as_professional(gp)) as current:
        asked = factory.callback(current.get_one(Line, line.id), gp, now=db.now() - timedelta(minutes=42))
    with db.transaction(people.as_agent(agent, here.establishment.id, "referrals")):
        actions.answer(asked.id, reached=True)
    counted = {each.event: each for each in ground.rows(KpiEvent) if each.event.startswith("callback")}
    assert set(counted) == {"callback_asked", "callback_answered"}
    answered = counted["callback_answered"]
    assert (answered.dimension, answered.quantity in (42, 43)) == ("on_time", True)
    assert {"L1", "L2", "L3", "L4"} <= {each.code for each in kpi.definitions()}
