"""Totals of hospitals: a period is fed when every day of it is covered, and never guessed."""

import json
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from portal import cli, db
from portal.config import Settings
from portal.kpi import Period, hospital_totals, totals_file
from portal.kpi.hospital_totals import Entry, Fed, HospitalTotal, Received
from tests.factories import hospitals
from tests.ground import prepared, rows

JAN, FEB, MAR = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
DAY = timedelta(days=1)
STAYS, PATIENTS = "stays_planned", "active_patients"


@pytest.fixture
def north(app: Flask) -> UUID:
    with prepared():
        return hospitals.hospital("990000017").establishment.id


def tell(place: UUID, *told: tuple[date, str, int], code: str = STAYS) -> Received:
    with prepared():
        return hospital_totals.receive(
            [Entry(place, code, day, "month" if grain == "month" else "day", value) for day, grain, value in told],
            "file",
        )


def fed(first: date, last: date, place: UUID | None = None, code: str = STAYS) -> Fed:
    with db.transaction(db.system("tests")):
        return hospital_totals.fed(code, Period(first, last, place))


class TestReading:
    def test_whole_months_are_added(self, north: UUID) -> None:
        tell(north, (JAN, "month", 10), (FEB, "month", 7))
        assert fed(JAN, MAR - DAY, north) == Fed(17)
        assert fed(JAN, FEB - DAY, north) == Fed(10)

    def test_a_month_is_never_cut_into_days(self, north: UUID) -> None:
        tell(north, (JAN, "month", 31))
        assert fed(JAN, date(2025, 1, 30), north) == Fed(None, (JAN,))

    def test_days_make_any_period(self, north: UUID) -> None:
        tell(north, *[(JAN + each * DAY, "day", 1) for each in range(31)])
        assert fed(JAN, FEB - DAY, north) == Fed(31)
        assert fed(date(2025, 1, 8), date(2025, 1, 14), north) == Fed(7)

    def test_the_months_own_total_comes_before_its_days(self, north: UUID) -> None:
        tell(north, (JAN, "month", 40), *[(JAN + each * DAY, "day", 1) for each in range(31)])
        assert fed(JAN, FEB - DAY, north) == Fed(40)

    def test_months_and_days_are_joined_at_the_edges(self, north: UUID) -> None:
        tell(north, (JAN, "month", 10), (FEB, "day", 2), (FEB + DAY, "day", 3))
        assert fed(JAN, FEB + DAY, north) == Fed(15)
        assert fed(JAN, FEB + 2 * DAY, north) == Fed(None, (FEB,))

    def test_every_month_that_lacks_is_named(self, north: UUID) -> None:
        tell(north, (FEB, "month", 7))
        assert fed(JAN, date(2025, 3, 31), north) == Fed(None, (JAN, MAR))

    def test_zero_is_a_total(self, north: UUID) -> None:
        tell(north, (JAN, "month", 0))
        assert fed(JAN, FEB - DAY, north) == Fed(0)

    def test_the_group_is_fed_when_each_hospital_is(self, north: UUID) -> None:
        with prepared():
            south = hospitals.hospital("990000025", "Hôpital du Sud").establishment.id
        tell(north, (JAN, "month", 10))
        assert fed(JAN, FEB - DAY) == Fed(None, (JAN,))
        tell(south, (JAN, "month", 5))
        assert fed(JAN, FEB - DAY) == Fed(15)

    def test_a_stock_is_the_last_one_of_the_period(self, north: UUID) -> None:
        tell(north, (JAN, "month", 900), (FEB, "month", 950), code=PATIENTS)
        assert fed(JAN, MAR - DAY, north, PATIENTS) == Fed(950)
        assert fed(JAN, MAR - 2 * DAY, north, PATIENTS) == Fed(900)
        assert fed(MAR, date(2025, 3, 31), north, PATIENTS) == Fed(None, (MAR,))


class TestReceiving:
    def test_what_is_new_what_changes_and_what_is_known(self, north: UUID) -> None:
        assert tell(north, (JAN, "month", 1), (FEB, "month", 2)) == Received(2, 0, 0)
        assert tell(north, (JAN, "month", 1), (FEB, "month", 3), (MAR, "month", 4)) == Received(1, 1, 1)
        assert len(rows(HospitalTotal)) == 4
        assert fed(JAN, date(2025, 3, 31), north) == Fed(8)

    def test_of_two_words_in_one_file_the_last_counts(self, north: UUID) -> None:
        assert tell(north, (JAN, "month", 1), (JAN, "month", 9)) == Received(1, 0, 0)
        assert fed(JAN, FEB - DAY, north) == Fed(9)

    def test_a_value_that_comes_back_is_a_word_again(self, north: UUID) -> None:
        for value in (1, 2, 1):
            tell(north, (JAN, "month", value))
        assert [each.replaced_at is None for each in rows(HospitalTotal)] == [False, False, True]


@given(st.lists(st.tuples(st.integers(0, 89), st.integers(0, 9)), max_size=40), st.integers(0, 89), st.integers(0, 89))
@examples(max_examples=25, deadline=None)
def test_days_are_fed_exactly_when_each_was_told(told: list[tuple[int, int]], one: int, other: int) -> None:
    """Against the plainest way to say it, without a database."""
    known = hospital_totals._Known(days={JAN + ahead * DAY: value for ahead, value in told})
    first, last = JAN + min(one, other) * DAY, JAN + max(one, other) * DAY
    wanted = [first + ahead * DAY for ahead in range((last - first).days + 1)]
    lacks = sorted({day.replace(day=1) for day in wanted if day not in known.days})
    expected = Fed(None, tuple(lacks)) if lacks else Fed(sum(known.days[day] for day in wanted))
    assert hospital_totals._sum(known, Period(first, last)) == expected


class TestImport:
    def test_the_command_takes_files_and_tells_what_became_of_each_line(
        self, app: Flask, settings: Settings, north: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("portal.config.load", lambda: settings)
        file = tmp_path / "totaux.csv"
        file.write_text(
            "finess;code;day;grain;value\n990000017;stays_planned;2025-01;month;12\n"
            "990000017;stays_planned;2025-02-01;month;9\n123456789;stays_planned;2025-01-01;month;12\n",
            encoding="utf-8",
        )
        run = CliRunner().invoke(cli.parvis, ["import", "totals", str(file)], obj=lambda _settings: app)
        assert run.exit_code == 0, run.output
        refused, report = map(json.loads, run.output.splitlines())
        assert refused == {
            "file": "totaux.csv", "line": 4, "refused": "finess: no hospital of yours has the number 123456789",
        }  # fmt: skip
        assert report == {"file": "totaux.csv", "added": 2, "changed": 0, "unchanged": 0, "refused": 1}

    def test_a_file_of_many_lines_comes_in_batches_and_a_line_is_named_by_its_number(
        self, north: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(totals_file, "_BATCH", 7)
        lines = [f"990000017;stays_planned;{JAN + each * DAY};day;1" for each in range(20)]
        content = "\n".join(["finess;code;day;grain;value", *lines, "990000017;beds;2025-01-01;day;1"]).encode()
        report = totals_file.import_totals(content, db.system("tests"))
        assert (report.added, report.refused, report.remarks[0].line) == (20, 1, 22)
