"""A practitioner's own calendar: its events are busy times, nothing else of it is read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from portal import config
from portal.db import session
from portal.delimited import NotSuchAFile
from services.appointments.models import ConsultationSession
from services.appointments.outside import calendar_file, jobs
from services.appointments.outside.agenda_file import Refusal
from services.appointments.outside.calendar_file import Busy
from services.appointments.outside.commands import import_
from services.appointments.outside.models import OutsideTime
from tests.ground import prepared, rows
from tests.services.appointments.conftest import Ground

PARIS = ZoneInfo("Europe/Paris")


def a_calendar(folder: Path, *events: str) -> Path:
    path = folder / "agenda.ics"
    blocks = [f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT" for event in events]
    path.write_text("\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *blocks, "END:VCALENDAR", ""]), encoding="utf-8")
    return path


def event(uid: str, start: str, *more: str) -> str:
    return "\r\n".join([f"UID:{uid}", f"DTSTART{start}", *more])


def of(ground: Ground, since: int, until: int, uid: str = "a") -> str:
    """An event, by minutes of the ground's session."""
    ends = [ground.opened.start_at + timedelta(minutes=minutes) for minutes in (since, until)]
    start, end = (f":{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in ends)
    return event(uid, start, f"DTEND{end}", "SUMMARY:Réunion de service")


def free(ground: Ground) -> str:
    with prepared():
        opened = session.get_one(ConsultationSession, ground.opened.id, populate_existing=True)
        return "".join(".#"[not opened.free >> cell & 1] for cell in range(opened.n_cells))


def load(ground: Ground, path: Path) -> jobs.ImportReport:
    return jobs.import_calendar(path, "990000017", "10000000009")


def read(folder: Path, *events: str) -> list[Busy | Refusal]:
    return list(calendar_file.read(a_calendar(folder, *events), PARIS))


def test_events_are_taken_from_the_web_and_given_back_when_they_go(ground: Ground, tmp_path: Path) -> None:
    both = of(ground, 0, 60), of(ground, 120, 150, "b")
    assert load(ground, a_calendar(tmp_path, *both)).added == 2
    assert free(ground) == "####....##.."
    assert load(ground, a_calendar(tmp_path, *both)).unchanged == 2
    report = load(ground, a_calendar(tmp_path, of(ground, 120, 150, "b")))
    assert (report.removed, report.unchanged) == (1, 1)
    assert free(ground) == "........##.."
    assert load(ground, a_calendar(tmp_path, *both)).changed == 1
    assert free(ground) == "####....##.."


def test_nothing_is_kept_of_what_it_is_about(ground: Ground, tmp_path: Path) -> None:
    load(ground, a_calendar(tmp_path, of(ground, 0, 60, "reunion-dupont@chu")))
    assert "dupont" not in str([row.__dict__ for row in rows(OutsideTime)])


def test_a_calendar_read_in_part_frees_nothing(ground: Ground, tmp_path: Path) -> None:
    load(ground, a_calendar(tmp_path, of(ground, 0, 60)))
    report = load(ground, a_calendar(tmp_path, event("b", ":nonsense")))
    assert (report.refused, report.removed) == (1, 0)
    assert free(ground) == "####........"


def test_zones_days_and_durations_are_told_in_many_ways(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        event("utc", ":20261201T080000Z", "DTEND:20261201T083000Z"),
        event("zone", ";TZID=Indian/Reunion:20261201T120000", "DURATION:PT30M"),
        event("floating", ":20261201T090000", "DTEND;TZID=\"Europe/Paris\":20261201T093000"),
        event("day", ";VALUE=DATE:20261201"),
        event("folded", ":20261201T08\r\n 0000Z", "DTEND:20261201T083000Z"),
    )  # fmt: skip
    eight, half_past = datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    begins, ends = datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 1, 23, tzinfo=UTC)
    assert found == [
        *(Busy(name, eight, half_past) for name in ("utc", "zone", "floating")),
        Busy("day", begins, ends),
        Busy("folded", eight, half_past),
    ]


def test_a_day_when_clocks_change_is_as_long_as_it_is(tmp_path: Path) -> None:
    (found,) = read(tmp_path, event("day", ";VALUE=DATE:20261025"))
    assert isinstance(found, Busy)
    assert found.end_at - found.start_at == timedelta(hours=25)


def test_a_week_away_is_as_many_times_as_it_has_days(tmp_path: Path) -> None:
    found = read(tmp_path, event("leave", ";VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261209"))
    assert len(found) == 7
    assert len({each.uid for each in found if isinstance(each, Busy)}) == 7


def test_what_fills_no_time_is_passed_over(tmp_path: Path) -> None:
    assert read(
        tmp_path,
        event("a", ":20261201T080000Z", "DTEND:20261201T083000Z", "TRANSP:TRANSPARENT"),
        event("b", ":20261201T080000Z", "DTEND:20261201T083000Z", "STATUS:CANCELLED"),
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (event("a", ":20261201T080000Z", "DTEND:20261201T083000Z", "RRULE:FREQ=DAILY"), "it repeats"),
        (event("a", ":20261201T080000Z"), "DTEND: missing"),
        (event("a", ":20261201T080000Z", "DTEND:20261201T070000Z"), "ends before"),
        (event("a", ":20261201T080000Z", "DTEND:20281201T070000Z"), "longer than two months"),
        (event("a", ":20261301T080000Z", "DTEND:20261201T070000Z"), "not a day"),
        (event("a", ":20261201T250000Z", "DTEND:20261201T070000Z"), "not a time"),
        (event("a", ":20270328T023000", "DURATION:PT1H"), "the clocks skip"),
        (event("a", ";TZID=Mars/Olympus:20261201T080000", "DURATION:PT1H"), "time zone that nobody knows"),
        (event("a", ";TZID=../../etc/passwd:20261201T080000", "DURATION:PT1H"), "time zone that nobody knows"),
        (event("a", ":20261201T080000Z", "DURATION:-PT1H"), "DURATION"),
        (event("a", ":00010101T080000Z", "DURATION:PT1H"), "between 2020"),
        ("DTSTART:20261201T080000Z\r\nDURATION:PT1H", "UID: missing"),
        ("UID:a", "DTSTART: missing"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(tmp_path: Path, told: str, why: str) -> None:
    (refusal,) = read(tmp_path, told)
    assert isinstance(refusal, Refusal)
    assert why in refusal.why


@pytest.mark.parametrize("content", [b"", b"finess;rpps", b"\xff\xfe", b"BEGIN:VCARD\r\n"])
def test_what_is_no_calendar_is_refused_whole(app: Flask, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "agenda.ics"
    path.write_bytes(content)
    with pytest.raises(NotSuchAFile):
        list(calendar_file.read(path, PARIS))


def test_a_practitioner_nobody_knows_is_told(ground: Ground, tmp_path: Path) -> None:
    path = a_calendar(tmp_path, of(ground, 0, 60))
    for finess, rpps in (("990000099", "10000000009"), ("990000017", "10000000090")):
        with pytest.raises(NotSuchAFile):
            jobs.import_calendar(path, finess, rpps)


def test_the_command_loads_it(app: Flask, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_calendar(tmp_path, of(ground, 0, 60))
    monkeypatch.setattr(config, "load", lambda: None)
    typed = ["schedules", "--busy-of", "10000000009", "--at", "990000017", str(path)]
    done = CliRunner().invoke(import_, typed, obj=lambda _settings: app)
    assert '"added": 1' in done.output
    assert free(ground) == "####........"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=some.text(alphabet='BEGINDVTS:;=0123456789ZU/"\r\n \x00é', max_size=120))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.ics"
    path.write_text(f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:{text}\r\nEND:VEVENT\r\n", encoding="utf-8")
    for each in calendar_file.read(path, PARIS):
        assert isinstance(each, Refusal | Busy)
