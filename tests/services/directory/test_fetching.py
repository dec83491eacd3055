"""The published files are fetched every day, each edition once, and loaded by a process of their own."""

import json
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from portal import check, config, db
from portal.config import Settings
from portal.gateways import UnsupportedUrl
from portal.gateways.directory.twin import PublisherTwin
from services.directory import jobs, loading, reports
from services.directory.models import DirectoryImport
from tests import ground
from tests.factories.directory import box, boxes_file, people_file, person

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a process of its own needs to reach the tests' database."""
    values = {
        "PORTAL_ENV": "test",
        "PORTAL_SECRET_KEY": settings.secret_key.get_secret_value(),
        "PORTAL_FILE_KEYS": settings.file_keys.get_secret_value(),
        "PORTAL_DATABASE_URL": settings.database_url.get_secret_value(),
        "PORTAL_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


@pytest.fixture
def publisher(settings: Settings) -> Iterator[PublisherTwin]:
    with PublisherTwin() as made:
        yield made
    jobs.connect(settings)


def archive(path: Path) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        made.write(path, path.name)
    return content.getvalue()


def count(table: str) -> int:
    with db.transaction(db.system("tests")) as current:
        return int(current.scalar(text(f"select count(*) from {table}")) or 0)


def test_an_edition_is_fetched_once(
    app: Flask,
    settings: Settings,
    publisher: PublisherTwin,
    environment: dict[str, str],
    tmp_path: Path,
    work_jobs: Callable[[], None],
) -> None:
    people = people_file(tmp_path / "PS_LibreAcces_Personne_activite_202611220612.txt", [person(1)])
    boxes = boxes_file(tmp_path / "Extraction_Correspondance_MSSante_202611220613.txt", [box("a@x.mssante.fr", 1)])
    urls = [
        publisher.publish("/boxes", "Extraction_202611220613.zip", archive(boxes)),
        publisher.publish("/people", "PS_LibreAcces_202611220613.zip", archive(people)),
    ]
    jobs.connect(settings.model_copy(update={"directory_urls": " ".join(urls)}))
    _tick(work_jobs)
    assert (count("directory_person"), count("directory_box")) == (1, 1)
    publisher.shelf.asked.clear()
    _tick(work_jobs)
    assert {verb for verb, _path in publisher.shelf.asked} == {"HEAD"}
    assert len(ground.rows(DirectoryImport)) == 2


def test_a_publisher_that_is_away_is_asked_again_later(
    app: Flask, settings: Settings, publisher: PublisherTwin, work_jobs: Callable[[], None]
) -> None:
    jobs.connect(settings.model_copy(update={"directory_urls": publisher.publish("/a", "a.zip", b"")}))
    publisher.faults.status = 503
    _tick(work_jobs)
    assert ground.rows(DirectoryImport) == []


def _tick(work_jobs: Callable[[], None]) -> None:
    """What the clock of a worker does."""
    with db.transaction(db.system("tests")) as current:
        current.execute(
            text("select procrastinate_defer_jobs_v1(array[row('clock', 'directory.fetch', 0, null, null,"
                 " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])")
        )  # fmt: skip
    work_jobs()


@pytest.mark.parametrize("url", ["https://u:p@annuaire.exemple.fr/a", "ftp://annuaire.exemple.fr/a"])
def test_an_address_that_makes_no_sense_is_told_at_the_start(settings: Settings, url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        jobs.connect(settings.model_copy(update={"directory_urls": url}))


def test_parvis_check_looks_at_each_address_and_at_the_age_of_the_directory(
    app: Flask, settings: Settings, publisher: PublisherTwin
) -> None:
    jobs.connect(settings.model_copy(update={"directory_urls": publisher.publish("/a", "a.zip", b"x")}))
    found = {each.what: each for each in check._national_directory(app)}
    assert found["national directory 1"].trouble == ""
    assert found["national directory"].warning == "no file was loaded yet"
    publisher.faults.status = 404
    assert "404" in next(check._national_directory(app)).trouble


def test_a_directory_of_last_week_is_late(app: Flask, tmp_path: Path) -> None:
    loading.load([people_file(tmp_path / "a.txt", [person(1)])])
    with ground.prepared():
        assert reports.is_late(db.now()) == ""
        assert "not brought up to date since" in reports.is_late(db.now() + 2 * reports.LATE_AFTER)


class TestTheCommand:
    def run(self, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*loading.arguments([]), *arguments]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)

    def test_says_one_json_line_a_file_and_stays_small(
        self, app: Flask, environment: dict[str, str], tmp_path: Path
    ) -> None:
        people = people_file(tmp_path / "p.txt", [person(n) for n in range(20_000)])
        done = self.run(environment, str(people), str(boxes_file(tmp_path / "b.txt", [box("a@x.fr", 1)])))
        told = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(each["kind"], each["state"], each["lines"]) for each in told] == [
            ("people", "done", 20_000), ("boxes", "done", 1),
        ]  # fmt: skip
        assert done.returncode == 0
        assert told[0]["peak_mb"] <= 150

    def test_ends_with_3_when_a_file_is_refused_and_1_when_it_is_none(
        self, app: Flask, environment: dict[str, str], tmp_path: Path
    ) -> None:
        loading.load([people_file(tmp_path / "a.txt", [person(n) for n in range(50)])])
        assert self.run(environment, str(people_file(tmp_path / "b.txt", [person(1)]))).returncode == 3
        (tmp_path / "c.txt").write_text("a;b\n", encoding="utf-8")
        done = self.run(environment, str(tmp_path / "c.txt"))
        assert (done.returncode, done.stderr.startswith("Error: This is no file of the directory")) == (1, True)

    def test_killed_in_the_middle_goes_on_from_there(
        self, app: Flask, environment: dict[str, str], tmp_path: Path
    ) -> None:
        path = people_file(tmp_path / "p.txt", [person(n) for n in range(60_000)])
        child = subprocess.Popen([*loading.arguments([path])], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while count("directory_activity_staging") == 0 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        (cut,) = ground.rows(DirectoryImport)
        done = loading.load([path])[0]
        assert (done.state, done.lines, count("directory_person")) == ("done", 60_000, 60_000)
        assert done.resumed == (cut.state != "done")


def test_the_settings_are_explained() -> None:
    assert {"PORTAL_DIRECTORY_URLS", "PORTAL_DIRECTORY_ANCHORS"} <= {name for name, *_rest in config.variables()}
