"""Files of the hospital's agenda: loaded twice they change nothing, in any order the end is the same, and a wrong line
stops nothing."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import delete, select, update

from portal import config
from portal.db import session
from portal.delimited import NotSuchAFile
from services.appointments import actions, slots
from services.appointments.agendas import actions as agenda_actions
from services.appointments.agendas.models import Absence
from services.appointments.models import Appointment, Claim, ConsultationSession, Reason, SessionReason
from services.appointments.outside import agenda_file, jobs
from services.appointments.outside.agenda_file import Refusal
from services.appointments.outside.commands import import_
from services.appointments.outside.models import OutsideSession, OutsideTime
from tests.factories import appointments, hospitals
from tests.ground import audited, count, prepared, rows, today
from tests.services.appointments.conftest import Ground

SAID = "2026-01-02T03:04:05Z"
TIMES = ";".join(agenda_file.TIMES)
SESSIONS = ";".join(agenda_file.SESSIONS)


def a_file(folder: Path, header: str, *lines: str) -> Path:
    path = folder / "agenda.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def busy(ground: Ground, name: str, opens: str, closes: str, *, state: str = "busy", said: str = SAID) -> str:
    """A line about the ground's practitioner, on the day of their session."""
    day = ground.opened.local_date
    return f"990000017;{name};10000000009;{day}T{opens};{day}T{closes};{state};{said}"


def receives(
    name: str = "S1", day: object = None, opens: str = "09:00", closes: str = "12:00", *,
    reasons: str = "Consultation de suivi", step: str = "15",
    capacity: str = "", state: str = "open", said: str = SAID, uf: str = "1001",
) -> str:  # fmt: skip
    """A line about a session, in two weeks unless a day is given."""
    day = day or today() + timedelta(days=14)
    return f"990000017;{name};{uf};10000000009;{day};{opens};{closes};{step};{reasons};{capacity};{state};{said}"


def free(ground: Ground) -> str:
    with prepared():
        opened = session.get_one(ConsultationSession, ground.opened.id, populate_existing=True)
        return "".join(".#"[not opened.free >> cell & 1] for cell in range(opened.n_cells))


def imported() -> ConsultationSession:
    """The one session that came from a file."""
    with prepared():
        ids = select(OutsideSession.session_id)
        return session.scalars(select(ConsultationSession).where(ConsultationSession.id.in_(ids))).one()


def opened_on(after_days: int) -> ConsultationSession:
    with prepared():
        day = today() + timedelta(days=after_days)
        return session.scalars(select(ConsultationSession).where(ConsultationSession.local_date == day)).one()


def counts(report: jobs.ImportReport) -> dict[str, int]:
    names = ("added", "changed", "removed", "unchanged", "late", "refused", "stranded")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


class TestBusyTimes:
    def test_are_taken_from_the_web_and_given_back(self, ground: Ground, tmp_path: Path) -> None:
        taken = a_file(tmp_path, TIMES, busy(ground, "A1", "09:00", "10:00"), busy(ground, "A2", "11:30", "12:00"))
        assert counts(jobs.import_schedules(taken)) == {"added": 2}
        assert free(ground) == "####......##"
        gone = a_file(tmp_path, TIMES, busy(ground, "A1", "09:00", "10:00", state="free", said="2026-01-03T00:00:00Z"))
        assert counts(jobs.import_schedules(gone)) == {"removed": 1}
        assert free(ground) == "..........##"

    def test_loaded_twice_change_nothing(self, ground: Ground, tmp_path: Path) -> None:
        file = a_file(tmp_path, TIMES, busy(ground, "A1", "09:00", "10:00"))
        jobs.import_schedules(file)
        before = ([row.__dict__ for row in rows(Claim)], audited())
        assert counts(jobs.import_schedules(file)) == {"unchanged": 1}
        assert len(rows(Claim)) == len(before[0])
        assert audited() == before[1]

    def test_move_when_told_again_later(self, ground: Ground, tmp_path: Path) -> None:
        jobs.import_schedules(a_file(tmp_path, TIMES, busy(ground, "A1", "09:00", "10:00")))
        later = busy(ground, "A1", "10:00", "11:00", said="2026-01-03T00:00:00Z")
        assert counts(jobs.import_schedules(a_file(tmp_path, TIMES, later))) == {"changed": 1}
        assert counts(jobs.import_schedules(a_file(tmp_path, TIMES, busy(ground, "A1", "09:00", "10:00")))) == {
            "late": 1
        }
        assert free(ground) == "....####...."

    def test_a_wrong_line_stops_no_other(self, ground: Ground, tmp_path: Path) -> None:
        file = a_file(
            tmp_path, TIMES, "990000017;A0;10000000009", busy(ground, "A1", "09:00", "10:00"),
            busy(ground, "A2", "10:00", "09:00"),
            busy(ground, "A3", "11:00", "11:30").replace("10000000009", "10000000090"),
            busy(ground, "A4", "11:00", "11:30").replace("990000017", "990000099"),
        )  # fmt: skip
        report = jobs.import_schedules(file)
        assert counts(report) == {"added": 1, "refused": 4}
        refused = {each.line: each.why.split(":")[0] for each in report.refusals}
        assert refused == {2: "3 cells, 7 columns", 4: "end_at", 5: "rpps", 6: "finess"}

    @pytest.mark.parametrize(
        ("start", "end", "why"),
        [
            ("2027-03-28T02:30", "2027-03-28T04:00", "skip this time"),
            ("2026-10-25T02:30", "2026-10-25T04:00", "comes twice"),
            ("2026-10-25T01:00", "2026-10-25T02:15", "comes twice"),
        ],
    )
    def test_a_wall_clock_that_tells_nothing_is_refused(
        self, ground: Ground, tmp_path: Path, start: str, end: str, why: str
    ) -> None:
        line = f"990000017;A1;10000000009;{start};{end};busy;{SAID}"
        (refusal,) = jobs.import_schedules(a_file(tmp_path, TIMES, line)).refusals
        assert why in refusal.why

    def test_an_offset_tells_the_two_hours_apart(self, ground: Ground, tmp_path: Path) -> None:
        line = f"990000017;A1;10000000009;2026-10-25T02:30+01:00;2026-10-25T03:30+01:00;busy;{SAID}"
        assert counts(jobs.import_schedules(a_file(tmp_path, TIMES, line))) == {"added": 1}
        (told,) = rows(OutsideTime)
        assert told.start_at.isoformat() == "2026-10-25T01:30:00+00:00"


class TestSessions:
    def test_open_with_the_units_reasons(self, ground: Ground, tmp_path: Path) -> None:
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))) == {"added": 1}
        opened = imported()
        assert (opened.n_cells, opened.step_min, opened.capacity) == (12, 15, 1)
        assert [row.reason_id for row in rows(SessionReason) if row.session_id == opened.id] == [ground.reason.id]
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))) == {"unchanged": 1}
        assert count(ConsultationSession) == 2

    def test_take_no_more_of_a_reason_than_it_says(self, ground: Ground, tmp_path: Path) -> None:
        with prepared():
            session.get_one(Reason, ground.reason.id).most_a_session = 3
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))
        assert [row.most for row in rows(SessionReason) if row.session_id == imported().id] == [3]

    def test_end_later_or_sooner_around_who_is_booked(self, ground: Ground, tmp_path: Path) -> None:
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))
        with prepared():
            appointments.booked(ground.patient, session.merge(ground.reason), imported(), 8)
        longer = receives(closes="13:00", said="2026-01-03T00:00:00Z")
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, longer))) == {"changed": 1}
        assert imported().free == slots.mask(0, 16) & ~slots.mask(8, 2)
        shorter = receives(closes="10:00", said="2026-01-04T00:00:00Z")
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, shorter))) == {"changed": 1, "stranded": 1}
        assert imported().free == slots.mask(0, 4)
        assert [each.state for each in rows(Appointment)] == ["booked"]

    def test_removed_keep_who_is_booked_and_offer_nothing(self, ground: Ground, tmp_path: Path) -> None:
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))
        with prepared():
            booked = appointments.booked(ground.patient, session.merge(ground.reason), imported(), 8)
        gone = receives(state="removed", said="2026-01-03T00:00:00Z")
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, gone))) == {"removed": 1, "stranded": 1}
        assert (imported().open, imported().free) == (0, 0)
        back = receives(said="2026-01-04T00:00:00Z")
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, back))) == {"changed": 1}
        assert imported().free == slots.mask(0, 12) & ~slots.mask(8, 2)
        with prepared():
            actions.cancel_for_patient(session.get_one(Appointment, booked.id), "patient_asked")
        assert imported().free == slots.mask(0, 12)

    def test_start_elsewhere_only_when_nobody_is_booked(self, ground: Ground, tmp_path: Path) -> None:
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))
        moved = receives(opens="10:00", said="2026-01-03T00:00:00Z")
        assert counts(jobs.import_schedules(a_file(tmp_path, SESSIONS, moved))) == {"changed": 1}
        opened = imported()
        assert opened.n_cells == 8
        with prepared():
            appointments.booked(ground.patient, session.merge(ground.reason), opened)
        (refusal,) = jobs.import_schedules(
            a_file(tmp_path, SESSIONS, receives(opens="11:00", said="2026-01-04T00:00:00Z"))
        ).refusals
        assert "move them first" in refusal.why
        assert imported().id == opened.id

    def test_another_list_of_reasons_is_taken(self, ground: Ground, tmp_path: Path) -> None:
        with prepared():
            appointments.reason(session.merge(ground.hospital.unit), name="Bilan")
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives(reasons="consultation de SUIVI")))
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives(reasons="Bilan", said="2026-01-03T00:00:00Z")))
        with prepared():
            names = session.scalars(
                select(Reason.name).join(SessionReason).where(SessionReason.session_id == imported().id)
            ).all()
        assert names == ["Bilan"]

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            (receives(uf="9999"), "uf: no such unit"),
            (receives(reasons="Chirurgie"), "the unit has no “Chirurgie”"),
            (receives(reasons=""), "reasons: at least one"),
            (receives(step="20"), "step_min: 5, 10, 15"),
            (receives(step="٥"), "step_min: 5, 10, 15"),
            (receives(capacity="0"), "capacity: 1 to 99"),
            (receives(closes="12:07"), "1 to 60 times"),
            (receives(step="5", closes="23:00"), "1 to 60 times"),
            (receives(day="2027-03-28", opens="02:30", closes="05:00"), "the clocks skip this time"),
            (receives(day="2026-02-30"), "day: a day as"),
            (receives(day="9999-01-01"), "day: between 2020"),
            (receives(opens="25:00"), "opens: a time as"),
            (receives(said="2026-01-01T00:00"), "said_at: with an offset"),
            (receives(state="maybe"), "state: open or removed"),
            (receives(name="x" * 101), "external_id: at most 100"),
            (receives(name="\x00"), "not a text"),
            (receives(name='"S1'), "cannot be read"),
        ],
    )
    def test_what_cannot_be_is_refused_in_words(self, ground: Ground, tmp_path: Path, line: str, why: str) -> None:
        (refusal,) = jobs.import_schedules(a_file(tmp_path, SESSIONS, line)).refusals
        assert why in refusal.why
        assert count(ConsultationSession) == 1

    def test_one_practitioner_never_receives_twice_at_a_time(self, ground: Ground, tmp_path: Path) -> None:
        file = a_file(
            tmp_path,
            SESSIONS,
            receives("S1"),
            receives("S2", opens="11:45", closes="13:00"),
            receives("S3", opens="12:00", closes="13:00"),
        )
        report = jobs.import_schedules(file)
        assert counts(report) == {"added": 2, "refused": 1}
        assert "already receives" in report.refusals[0].why

    def test_does_not_offer_what_is_busy_elsewhere(self, ground: Ground, tmp_path: Path) -> None:
        day = today() + timedelta(days=14)
        taken = f"990000017;A1;10000000009;{day}T09:00;{day}T10:00;busy;{SAID}"
        jobs.import_schedules(a_file(tmp_path, TIMES, taken))
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))
        assert imported().free == slots.mask(4, 8)

    def test_stay_closed_while_their_practitioner_is_away(self, ground: Ground, tmp_path: Path) -> None:
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives("S0", today() + timedelta(days=13))))
        begins = imported().start_at + timedelta(days=1)
        with prepared():
            here, doctor = ground.hospital.establishment.id, ground.hospital.practitioner.id
            away = agenda_actions.Away(begins, begins + timedelta(hours=1), "meeting", practitioner_id=doctor)
            absence_id = agenda_actions.announce(here, away)
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives()))
        assert opened_on(14).free == slots.mask(4, 8)
        jobs.import_schedules(a_file(tmp_path, SESSIONS, receives(closes="13:00", said="2026-01-03T00:00:00Z")))
        assert opened_on(14).free == slots.mask(4, 12)
        with prepared():
            agenda_actions.end(session.get_one(Absence, absence_id), begins - timedelta(days=1))
        assert opened_on(14).free == slots.mask(0, 16)


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "missing columns"),
            (b"finess;rpps\n", "missing columns: external_id"),
            (SESSIONS.replace("step_min;", "").encode(), "missing columns: step_min"),
            ("finess;é\n".encode("latin-1"), "not encoded in UTF-8"),
            (b'"', "cannot be read"),
        ],
    )
    def test_that_are_none_are_refused_whole(self, app: Flask, tmp_path: Path, content: bytes, why: str) -> None:
        path = tmp_path / "agenda.csv"
        path.write_bytes(content)
        with pytest.raises(NotSuchAFile, match=why):
            jobs.import_schedules(path)

    def test_columns_come_in_any_order_with_others(self, ground: Ground, tmp_path: Path) -> None:
        names, cells = TIMES.split(";"), busy(ground, "A1", "09:00", "10:00").split(";")
        path = a_file(tmp_path, ";".join([*reversed(names), "note"]), ";".join([*reversed(cells), "hors sujet"]))
        assert counts(jobs.import_schedules(path)) == {"added": 1}

    def test_command_says_what_it_did(
        self, app: Flask, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = a_file(tmp_path, TIMES, busy(ground, "A1", "09:00", "10:00"), "x")
        monkeypatch.setattr(config, "load", lambda: None)
        done = CliRunner().invoke(import_, ["schedules", str(path)], obj=lambda _settings: app)
        assert '"line": 3' in done.output
        assert '"added": 1, "changed": 0, "removed": 0, "unchanged": 0, "late": 0, "refused": 1' in done.output


# -- any file ----------------------------------------------------------------------------------------------------

_lines = some.lists(
    some.tuples(
        some.sampled_from(["A1", "A2", "A3"]), some.integers(108, 140), some.integers(1, 12),
        some.sampled_from(["busy", "free"]), some.integers(1, 4),
    ),
    max_size=8,
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=_lines, order=some.randoms(use_true_random=False))
def test_lines_in_any_order_and_loaded_twice_end_the_same(
    ground: Ground, tmp_path: Path, told: list[tuple[str, int, int, str, int]], order: Random
) -> None:
    lines = [
        busy(ground, name, _clock(first), _clock(first + lasts), state=state, said=f"2026-01-0{said}T00:00:00Z")
        for name, first, lasts, state, said in told
    ]
    ends = [_end(ground, tmp_path, lines), _end(ground, tmp_path, order.sample(lines, len(lines)))]
    assert ends[0] == ends[1]
    assert ends[0] == _end(ground, tmp_path, [*lines, *lines], twice=True)


def _clock(cell: int) -> str:
    return f"{cell * 5 // 60:02d}:{cell * 5 % 60:02d}"


def _end(ground: Ground, folder: Path, lines: Sequence[str], *, twice: bool = False) -> tuple[str, set[int]]:
    with prepared():
        session.execute(delete(OutsideTime))
        session.execute(delete(Claim))
        session.execute(update(ConsultationSession).values(free=ConsultationSession.open))
    for _again in range(2 if twice else 1):
        jobs.import_schedules(a_file(folder, TIMES, *lines))
    cells = [row.cell for row in rows(Claim)]
    assert len(cells) == len(set(cells))
    return free(ground), set(cells)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=some.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes((SESSIONS + "\n" + text).encode("utf-8", "surrogatepass"))
    try:
        found = list(agenda_file.read(path))
    except NotSuchAFile:
        return
    assert all(isinstance(each, Refusal) for each in found)


def test_of_another_hospital_touches_nothing_here(ground: Ground, tmp_path: Path) -> None:
    with prepared():
        hospitals.hospital("990000025")
    line = busy(ground, "A1", "09:00", "10:00").replace("990000017", "990000025")
    jobs.import_schedules(a_file(tmp_path, TIMES, line))
    assert free(ground) == "............"
