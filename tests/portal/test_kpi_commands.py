"""`parvis kpi`: a figure as one JSON line, and the roll-ups made again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import text

from portal import cli, db, kpi
from portal.config import Settings
from tests.factories import hospitals
from tests.ground import prepared, today
from tests.writers import until

Run = Callable[..., Result]
TODAY = str(today())


@pytest.fixture
def run(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command; the environment of the command line is not the tests' concern."""
    monkeypatch.setattr("portal.config.load", lambda: settings)
    return lambda *words: CliRunner().invoke(cli.parvis, ["kpi", *words], obj=lambda _settings: app)


def shown(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    (line,) = result.output.splitlines()
    return dict(json.loads(line))


@pytest.fixture
def booked(app: Flask) -> None:
    """Two appointments online and three by phone in the north, one online in the south, two visits."""
    with prepared():
        north, south = (hospitals.hospital(finess).establishment.id for finess in ("990000017", "990000025"))
        for place, channel, times in ((north, "web", 2), (north, "phone", 3), (south, "web", 1)):
            for _time in range(times):
                kpi.count("appointment_booked", establishment_id=place, channel=channel, dimension="open_online")
        for _time in range(2):
            kpi.count("visit_started", audience="anonymous")
    left = text("select count(*) from kpi_event where xid >= (select xid from kpi_watermark)")
    until(lambda: db.session.scalar(left) == 0, kpi.roll_up)


@pytest.mark.usefixtures("booked")
class TestShow:
    def test_a_rate_has_two_parts(self, run: Run) -> None:
        found = shown(run("show", "R2a", "--from", TODAY, "--to", TODAY))
        assert found == {"code": "R2a", "version": 1, "numerator": 3, "denominator": 6, "value": 0.5}

    def test_at_one_hospital(self, run: Run) -> None:
        found = shown(run("show", "R2a", "--from", TODAY, "--to", TODAY, "--establishment", "990000017"))
        assert (found["numerator"], found["denominator"]) == (2, 5)

    def test_what_concerns_the_whole_portal_is_the_same_at_one_hospital(self, run: Run) -> None:
        for more in ((), ("--establishment", "990000017")):
            assert shown(run("show", "U3", "--from", TODAY, "--to", TODAY, *more))["value"] == 2

    def test_what_is_not_fed_has_no_value(self, run: Run) -> None:
        assert shown(run("show", "R2b", "--from", TODAY, "--to", TODAY))["value"] is None

    def test_every_figure_can_be_shown(self, run: Run) -> None:
        for definition in kpi.definitions():
            assert shown(run("show", definition.code, "--from", TODAY, "--to", TODAY))["code"] == definition.code

    def test_rebuilding_changes_nothing(self, run: Run) -> None:
        before = run("show", "R2a", "--from", TODAY, "--to", TODAY).output
        assert run("rebuild").exit_code == 0
        assert run("show", "R2a", "--from", TODAY, "--to", TODAY).output == before

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (("Z9", "--from", TODAY, "--to", TODAY), "No figure has the code Z9"),
            (("R1", "--from", TODAY, "--to", TODAY, "--establishment", "0"), "No hospital has the FINESS number 0"),
            (("R1", "--from", "2026-02-02", "--to", "2026-02-01"), "The period ends before it begins"),
            (("R1", "--from", "hier", "--to", TODAY), "does not match the format"),
        ],
    )
    def test_a_mistake_is_explained(self, run: Run, words: tuple[str, ...], reason: str) -> None:
        result = run("show", *words)
        assert result.exit_code != 0
        assert reason in result.output
