"""The lists for a night without the portal: true, whole, locked, in their own hospital's folder, and gone in time."""

import os
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from admin import printed_lists, printed_lists_files
from admin.printed_lists import PASSWORD
from admin.printed_lists_files import Folder
from portal import cli, db, establishments
from portal.audit import AuditEvent
from portal.config import Settings
from portal.establishments import EstablishmentSetting
from portal.gateways import Unavailable
from tests.factories import appointments, hospitals, people, preadmission
from tests.factories.hospitals import Hospital
from tests.ground import prepared, rows, today

SECRET = "abcd-efgh-jkmn-pqrs"
DAY = timedelta(days=1)


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Iterator[Path]:
    """Another machine's folder, mounted here; as the application's settings say."""
    settings: Settings = app.config["SETTINGS"]
    folder = tmp_path / "lists"
    folder.mkdir()
    changed = settings.model_copy(update={"printed_lists_dir": str(folder), "printed_lists_hours": 24})
    app.config["SETTINGS"] = changed
    yield folder
    app.config["SETTINGS"] = settings


@pytest.fixture
def ward(app: Flask) -> Hospital:
    """A hospital with a password, somebody expected in a week at nine, and a stay the day after."""
    with prepared():
        where = hospitals.hospital(phone="01 99 00 00 00")
        why = appointments.reason(where.unit, "Échographie")
        opened = appointments.consultation(where, [why])
        caller = people.patient("LE GOFF", ("Soizic",), date(1951, 2, 28), mobile="+33639980042")
        people.known_at(caller, where.establishment.id, "8000042")
        appointments.booked(caller, why, opened)
        guest = people.patient("NAVARRO", ("Inès",), date(1990, 4, 5))
        preadmission.preadmission(guest, where.unit, "validated", planned_on=opened.local_date + DAY)
        establishments.change_setting(where.establishment.id, PASSWORD, SECRET)
    return where


def in_a_week(hour: int = 5) -> datetime:
    day = today() + timedelta(days=7)
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def lists(where: Hospital, now: datetime) -> dict[str, bytes]:
    with prepared():
        found = establishments.by_finess(where.establishment.finess)
        return printed_lists.prepare(found, SECRET, now).sheets


def pages(content: bytes, password: str = SECRET) -> list[str]:
    document = pypdfium2.PdfDocument(content, password=password)
    return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def written_down() -> list[AuditEvent]:
    return [each for each in rows(AuditEvent) if each.action == "lists.written"]


class TestASheet:
    def test_tells_what_a_desk_needs(self, ward: Hospital) -> None:
        (content,) = lists(ward, in_a_week()).values()
        told = " ".join(pages(content))
        for expected in ("09:00", "Soizic LE GOFF", "28 févr. 1951", "06 39 98 00 42", "8000042", "Échographie",
                         "MERCIER", "NAVARRO", "Inès"):  # fmt: skip
            assert expected in told, expected

    def test_says_of_each_page_whose_it_is_and_when_it_was_true(self, ward: Hospital) -> None:
        (content,) = lists(ward, in_a_week()).values()
        for page in pages(content):
            assert "Hôpital d’essai – Cardiologie (1001)" in page
            assert "06:00" in page or "07:00" in page  # on the hospital's clock
            assert "1 / " in page or "2 / " in page

    def test_of_an_empty_day_says_so(self, ward: Hospital) -> None:
        (content,) = lists(ward, in_a_week() + timedelta(days=60)).values()
        told = " ".join(pages(content))
        assert "LE GOFF" not in told
        assert told.count("Personne n’est attendu") + told.count("Nobody is expected") == 4  # two days, two lists

    def test_leaves_out_what_was_cancelled(self, ward: Hospital) -> None:
        with prepared() as _:
            db.session.execute(text("update appointment set state = 'cancelled'"))
        assert "LE GOFF" not in " ".join(pages(*lists(ward, in_a_week()).values()))

    def test_names_nobody_of_a_secret_stay(self, ward: Hospital) -> None:
        with prepared():
            db.session.execute(text("update preadmission set confidential = true"))
        assert "NAVARRO" not in " ".join(pages(*lists(ward, in_a_week()).values()))

    def test_never_holds_another_hospitals_patients(self, ward: Hospital) -> None:
        with prepared():
            other = hospitals.hospital("990000025", "Ailleurs")
            why = appointments.reason(other.unit)
            appointments.booked(people.patient("AUTREPART"), why, appointments.consultation(other, [why]))
        assert "AUTREPART" not in " ".join(pages(*lists(ward, in_a_week()).values()))
        assert "LE GOFF" not in " ".join(pages(*lists(other, in_a_week()).values()))

    def test_of_a_unit_that_has_closed_is_not_made(self, ward: Hospital) -> None:
        with prepared():
            db.session.execute(text("update unit set closes_on = :day"), {"day": today()})
        assert lists(ward, in_a_week()) == {}

    def test_is_told_on_the_hospitals_clock_where_the_hour_changes(self, ward: Hospital) -> None:
        first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        with prepared():
            found = establishments.by_finess(ward.establishment.finess)
            made = [printed_lists.prepare(found, SECRET, at).at for at in (first, second)]
        assert [f"{each:%H:%M %z}" for each in made] == ["02:30 +0200", "02:30 +0100"]


class TestALockedSheet:
    @pytest.mark.parametrize("password", ["", "abcd-efgh-jkmn-pqrt"])
    def test_opens_with_nothing_else(self, ward: Hospital, password: str) -> None:
        (content,) = lists(ward, in_a_week()).values()
        with pytest.raises(pikepdf.PasswordError):
            pikepdf.open(BytesIO(content), password=password)
        assert b"LE GOFF" not in content

    def test_is_locked_with_aes_256_and_still_tagged(self, ward: Hospital) -> None:
        (content,) = lists(ward, in_a_week()).values()
        with pikepdf.open(BytesIO(content), password=SECRET) as document:
            assert document.encryption.R == 6
            assert document.encryption.stream_method == document.encryption.stream_method.__class__.aesv3
            assert document.allow.print_highres
            assert document.allow.accessibility
            assert document.Root.MarkInfo.Marked
            assert document.Root.StructTreeRoot.K
            assert document.Root.Lang == "fr"


class TestAWriting:
    def folder(self, tmp_path: Path) -> Folder:
        return Folder(tmp_path / "990000017", timedelta(hours=24))

    def test_is_for_its_owner_and_group_alone(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path)
        former = os.umask(0)
        try:
            folder.write({"1001": b"x"}, in_a_week())
        finally:
            os.umask(former)
        for path in folder.path.rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0, path

    def test_is_there_whole_or_not_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = self.folder(tmp_path)
        folder.write({"1001": b"x"}, in_a_week())

        def full(_handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space left"):
            folder.write({"1001": b"y", "1002": b"z"}, in_a_week(6))
        assert len(list(folder.path.iterdir())) == 1

    def test_of_the_hour_that_comes_twice_does_not_replace_the_first(self, tmp_path: Path, ward: Hospital) -> None:
        folder, tz = self.folder(tmp_path), ward.establishment.tz
        for hour in (0, 1):
            folder.write({"1001": b"x"}, datetime(2026, 10, 25, hour, 5, tzinfo=UTC).astimezone(tz))
        names = [path.name for _at, path in folder.writings()]
        assert names == ["2026-10-25-02h05m00+0200", "2026-10-25-02h05m00+0100"]

    def test_never_makes_the_place_itself(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable):
            Folder(tmp_path / "unmounted" / "990000017", DAY).write({"1001": b"x"}, in_a_week())
        assert not (tmp_path / "unmounted").exists()

    @pytest.mark.parametrize("code", ["../../etc", "a/b", "10 01", "", "é"])
    def test_stays_in_its_folder_whatever_a_unit_is_called(self, tmp_path: Path, code: str) -> None:
        folder = self.folder(tmp_path)
        folder.write({code: b"x"}, in_a_week())
        assert all(path.is_relative_to(folder.path) for path in tmp_path.rglob("*.pdf"))
        assert sum(1 for _ in folder.path.rglob("*.pdf")) == 1

    def test_holds_each_unit_even_where_codes_look_alike(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path)
        folder.write({"10 01": b"1", "10-01": b"2", "A1": b"3", "a1": b"4"}, in_a_week())
        written = list(folder.path.rglob("*.pdf"))
        assert sorted(each.read_bytes() for each in written) == [b"1", b"2", b"3", b"4"]
        assert len({each.name.lower() for each in written}) == 4

    def test_does_not_follow_a_link_that_somebody_put_there(self, tmp_path: Path) -> None:
        folder, elsewhere, now = self.folder(tmp_path), tmp_path / "elsewhere", in_a_week()
        elsewhere.mkdir()
        (elsewhere / "1001.pdf").write_bytes(b"somebody's")
        folder.path.mkdir()
        (folder.path / f".being-written-{now.strftime('%Y-%m-%d-%Hh%Mm%S%z')}").symlink_to(elsewhere)
        with pytest.raises(Unavailable):
            folder.write({"1001": b"x"}, now)
        assert (elsewhere / "1001.pdf").read_bytes() == b"somebody's"

    @pytest.mark.parametrize("name", ["2026-13-45-10h00m00+0100", "2026-11-23-10h00m00+9999"])
    def test_is_not_what_only_looks_like_one(self, tmp_path: Path, name: str) -> None:
        folder, now = self.folder(tmp_path), in_a_week()
        (folder.path / name).mkdir(parents=True)
        folder.write({"1001": b"x"}, now)
        assert folder.forget(now + timedelta(days=9)) == 0
        assert [at for at, _path in folder.writings()] == [now]
        assert (folder.path / name).is_dir()

    def test_goes_after_its_hours_and_nothing_else_does(self, tmp_path: Path) -> None:
        folder, now = self.folder(tmp_path), in_a_week()
        (folder.path / "kept by somebody").mkdir(parents=True)
        for hours in (30, 25, 23, 0):
            folder.write({"1001": b"x"}, now - timedelta(hours=hours))
        assert folder.forget(now) == 2
        assert len(list(folder.writings())) == 2
        assert (folder.path / "kept by somebody").is_dir()

    def test_that_is_the_last_one_stays_however_old(self, tmp_path: Path) -> None:
        folder, now = self.folder(tmp_path), in_a_week()
        folder.write({"1001": b"x"}, now - timedelta(days=9))
        assert folder.forget(now) == 0

    def test_goes_with_the_last_one_once_no_more_are_written(self, tmp_path: Path) -> None:
        folder, now = self.folder(tmp_path), in_a_week()
        for hours in (30, 3):
            folder.write({"1001": b"x"}, now - timedelta(hours=hours))
        assert folder.forget(now, even_the_last=True) == 1
        assert folder.forget(now + timedelta(hours=24), even_the_last=True) == 1
        assert list(folder.writings()) == []


class TestEveryHour:
    def test_each_hospital_with_a_password_has_its_lists(self, ward: Hospital, place: Path, run_job: Any) -> None:
        with prepared():
            hospitals.hospital("990000025", "Sans mot de passe")
        run_job()
        assert [each.name for each in place.iterdir()] == ["990000017"]
        (sheet,) = place.rglob("*.pdf")
        assert "Cardiologie" in " ".join(pages(sheet.read_bytes()))
        assert "LE GOFF" not in str(sheet)

    def test_those_of_a_hospital_that_has_no_password_now_go(self, ward: Hospital, place: Path, run_job: Any) -> None:
        with prepared():
            hospitals.hospital("990000025", "Sans mot de passe")
        left = Folder(place / "990000025", timedelta(hours=24))
        left.write({"1001": b"x"}, datetime.now(UTC) - timedelta(hours=25))
        run_job()
        assert list(left.writings()) == []

    def test_it_is_in_the_journal_without_anybodys_name(self, ward: Hospital, place: Path, run_job: Any) -> None:
        run_job()
        (line,) = written_down()
        assert line.establishment_id == ward.establishment.id
        assert line.actor == "system:lists.write"
        assert line.details == {"units": 1, "lines": 0}

    def test_a_place_that_is_away_fails_the_job_and_tells_why(self, ward: Hospital, place: Path, run_job: Any) -> None:
        place.rmdir()
        run_job()
        with prepared():
            reason = db.session.scalar(text("select reason from job_trouble"))
        assert reason == "printed lists: no folder is there"
        assert written_down() == []

    def test_one_hospital_that_fails_holds_back_no_other(self, ward: Hospital, place: Path, run_job: Any) -> None:
        with prepared():
            other = hospitals.hospital("990000009", "Avant")
            establishments.change_setting(other.establishment.id, PASSWORD, SECRET)
        (place / "990000009").write_text("in the way")
        run_job()
        assert len(list(place.rglob("*.pdf"))) == 1
        assert len(written_down()) == 1

    def test_what_was_written_is_in_the_journal_whatever_breaks_after_it(
        self, ward: Hospital, place: Path, run_job: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with prepared():
            other = hospitals.hospital("990000025", "Zone")
            establishments.change_setting(other.establishment.id, PASSWORD, SECRET)
        prepare = printed_lists.prepare

        def broken(where: Any, *others: Any) -> Any:
            if where.finess == "990000025":
                raise RuntimeError("a page that cannot be laid out")
            return prepare(where, *others)

        monkeypatch.setattr(printed_lists, "prepare", broken)
        run_job()
        assert [each.establishment_id for each in written_down()] == [ward.establishment.id]

    def test_no_transaction_waits_for_a_slow_place(
        self, ward: Hospital, place: Path, run_job: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left_open: list[bool] = []
        write = Folder.write

        def looking(folder: Folder, sheets: Any, at: datetime) -> None:
            left_open.append(db.is_open())
            write(folder, sheets, at)

        monkeypatch.setattr(Folder, "write", looking)
        run_job()
        assert left_open == [False]

    def test_nothing_is_written_where_no_place_is_set(self, ward: Hospital, run_job: Any) -> None:
        run_job()
        assert written_down() == []

    def test_monitoring_knows_how_old_they_are(self, ward: Hospital, place: Path, client: FlaskClient) -> None:
        assert "parvis_printed_lists_age_seconds 0.0" in client.get("/status/metrics").text
        with prepared():
            db.session.execute(
                text("insert into procrastinate_periodic_defers (task_name, defer_timestamp, periodic_id)"
                     " values ('lists.write', extract(epoch from now()) - 7200, '')")
            )  # fmt: skip
            assert 7199 < printed_lists.age_s() < 7300
        assert "parvis_printed_lists_without_password 0.0" in client.get("/status/metrics").text


@pytest.fixture
def run_job(app: Flask, work_jobs: Any) -> Any:
    def run() -> None:
        with prepared():
            db.session.execute(
                text("select procrastinate_defer_jobs_v1(array[row('clock', :job, 0, null, null,"
                     " cast(:args as jsonb), null)::procrastinate_job_to_defer_v1])"),
                {"job": printed_lists.JOB, "args": '{"timestamp": 0}'},
            )  # fmt: skip
        work_jobs()

    return run


class TestAnOperator:
    @pytest.fixture
    def type_(self, app: Flask, place: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(printed_lists.config, "load", lambda: app.config["SETTINGS"])

        def invoke(*arguments: str) -> Result:
            return CliRunner().invoke(printed_lists.commands, arguments, obj=lambda _settings: app)

        return invoke

    def test_writes_them_at_once(self, ward: Hospital, place: Path, type_: Any) -> None:
        told = type_("write")
        assert told.exit_code == 0, told.output
        assert told.output == "990000017: 1 units, 0 lines\n"
        assert len(list(place.rglob("*.pdf"))) == 1
        assert [each.actor for each in written_down()] == ["system:cli.lists_write"]

    def test_writes_them_while_the_portal_only_reads(
        self, app: Flask, ward: Hospital, place: Path, type_: Any, capfd: pytest.CaptureFixture[str]
    ) -> None:
        app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update={"read_only": True})
        told = type_("write")
        assert told.exit_code == 0, told.output
        assert len(list(place.rglob("*.pdf"))) == 1
        assert written_down() == []
        assert "audit.not_written" in told.output + capfd.readouterr().err

    def test_chooses_a_password_that_is_told_once_and_kept_sealed(self, ward: Hospital, type_: Any) -> None:
        told = type_("password", "990000017").output.splitlines()[0]
        with prepared():
            assert establishments.setting(ward.establishment.id, PASSWORD) == told
        assert told not in str([each.value for each in rows(EstablishmentSetting)])
        assert len(told.split("-")) == 5

    def test_is_told_of_a_hospital_that_is_not_known(self, ward: Hospital, type_: Any) -> None:
        told = type_("password", "990000099")
        assert told.exit_code == 1
        assert "990000099" in told.output

    @pytest.mark.parametrize("password", ["", "short", "a password with é", "line\nbreak and more"])
    def test_cannot_set_a_password_that_keyboards_cannot_type(self, ward: Hospital, password: str) -> None:
        with prepared(), pytest.raises(ValueError, match="password"):
            establishments.change_setting(ward.establishment.id, PASSWORD, password)

    def test_finds_the_commands_in_the_program(self) -> None:
        from portal import app as application

        assert printed_lists in application.OTHERS_WITH_COMMANDS
        assert cli.parvis is not None


def test_a_place_of_this_machine_is_told_apart(tmp_path: Path) -> None:
    assert not printed_lists_files.survives(tmp_path, tmp_path)
    assert printed_lists_files.trouble(tmp_path) == ""
    assert "mounted" in printed_lists_files.trouble(tmp_path / "nowhere")
