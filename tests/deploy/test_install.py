"""Installing from a bundle: what it writes, that it may be run again, and that it refuses what was damaged.

The environment is made by a stand-in for Python, which lays out what `venv` and pip would; the rest is the script as it
is, under a folder of its own. That the wheel and its dependencies really install is seen when a release is made.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.facts import DEPLOY, ROOT
from tests.deploy.test_units import SERVICES

SCRIPTS = [DEPLOY / name for name in (
    "install.sh", "bundle.sh", "build-wheel.sh", "parvis", "parvis-credentials", "container/secrets.sh",
    "container/postgres-roles.sh",
)]  # fmt: skip
STAND_IN = f"""#!/bin/sh
# `-c` is Python's own; `-m venv FOLDER` lays out an environment; nothing else does anything.
case $1 in
-c) exec {sys.executable} "$@" ;;
-m)
    [ "$2" = venv ] || exit 0
    mkdir -p "$3/bin" "$3/lib/python3.11/site-packages/portal/static/dist"
    cp "$0" "$3/bin/python"
    printf '#!/bin/sh\\necho PORTAL_SECRET_KEY=fresh-$$\\necho PORTAL_FILE_KEYS=k1:fresh=\\n' >"$3/bin/parvis"
    printf 'echo PORTAL_BACKUP_KEYS=b1:new=\\n' >>"$3/bin/parvis"
    chmod +x "$3/bin/parvis"
    ;;
esac
"""


@dataclass
class Bundle:
    """A bundle of one version, and the folder it installs under."""

    folder: Path
    top: Path
    python: Path

    def install(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(self.folder / "deploy/install.sh"), "--root", str(self.top), *options]
        environment = {"PATH": os.environ["PATH"], "PYTHON": str(self.python)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/")

    def written(self) -> dict[str, str]:
        """What each file holds that an operator would edit, or that systemd reads."""
        roots = (self.top / "etc", self.top / "usr")
        return {
            str(path.relative_to(self.top)): path.read_text()
            for root in roots
            for path in root.rglob("*")
            if path.is_file()
        }

    def link(self, name: str) -> str:
        return os.readlink(self.top / "opt/parvis" / name)


def bundle_of(tmp_path: Path, version: str, python: Path) -> Bundle:
    folder = tmp_path / f"bundle-{version}"
    for each in ("deploy", "requirements"):
        shutil.copytree(ROOT / each, folder / each)
    (folder / "docs").mkdir()
    (folder / "wheels").mkdir()
    (folder / "wheels" / f"parvis-{version}-py3-none-any.whl").write_bytes(version.encode())
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(folder)}\n" for path in files)
    (folder / "SHA256SUMS").write_text(sums)
    return Bundle(folder, tmp_path / "top", python)


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "python"
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return path


@pytest.fixture
def bundle(tmp_path: Path, python: Path) -> Bundle:
    return bundle_of(tmp_path, "1.0", python)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
class TestEveryScript:
    def test_is_plain_shell(self, script: Path) -> None:
        assert script.read_text().startswith("#!/bin/sh\n")
        assert "set -eu" in script.read_text()
        assert script.stat().st_mode & stat.S_IXUSR
        assert subprocess.run(["sh", "-n", script]).returncode == 0

    @pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not here")
    def test_has_none_of_the_usual_faults(self, script: Path) -> None:
        done = subprocess.run(["shellcheck", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_a_rehearsal_changes_nothing_and_names_each_step(bundle: Bundle) -> None:
    done = bundle.install("--dry-run", "--base-url", "https://portail.exemple.org")
    assert done.returncode == 0, done.stderr
    assert not bundle.top.exists()
    for step in ("venv", "--require-hashes", "--no-index", "parvis-web.socket", "parvis keygen", "/current"):
        assert step in done.stdout


def test_the_schema_comes_first_then_the_link_then_workers_then_pages(bundle: Bundle) -> None:
    """On the machine itself, which a rehearsal leaves as it is."""
    done = subprocess.run(
        ["sh", bundle.folder / "deploy/install.sh", "--dry-run", "--workers", "3", "--with-local-database"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(bundle.python)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    order = (
        "useradd", "roles parvis_owner", "start parvis-migrate@1.0-", "/opt/parvis/current",
        "try-restart parvis-work@*", "enable --quiet --now parvis-work@3",
        "start parvis.target", "restart parvis-web.service", "parvis check",
    )  # fmt: skip
    places = [done.stdout.index(step) for step in order]
    assert places == sorted(places)
    assert "parvis-work@4" not in done.stdout


def test_an_upgrade_leaves_as_many_workers_as_there_are(bundle: Bundle) -> None:
    """Those of the machine, or those asked for: the others of a former release would serve for ever."""
    wanted = bundle.top / "etc/systemd/system/parvis.target.wants"
    wanted.mkdir(parents=True)
    for number in (1, 2, 3):
        (wanted / f"parvis-work@{number}.service").touch()
    script = (bundle.folder / "deploy/install.sh").read_text()
    counted = script[script.index("count_workers() {") : script.index("restart_all() {")]

    def counts(workers: str) -> str:
        told = f"set -eu; workers={workers} units={wanted.parent}\n{counted}\ncount_workers; echo $workers"
        return subprocess.run(["sh", "-c", told], capture_output=True, text=True, check=True).stdout.strip()

    assert (counts("''"), counts("1")) == ("3", "1")
    shutil.rmtree(wanted)
    assert counts("''") == "2"


@pytest.mark.parametrize("option", [["--base-url", "http://portail.exemple.org"], ["--workers", "two"], ["--what"]])
def test_an_option_that_makes_no_sense_is_said(bundle: Bundle, option: list[str]) -> None:
    done = bundle.install("--dry-run", *option)
    assert done.returncode != 0
    assert done.stderr


def test_the_machine_has_what_it_needs_and_secrets_are_roots_alone(bundle: Bundle) -> None:
    done = bundle.install("--base-url", "https://portail.exemple.org")
    assert done.returncode == 0, done.stderr
    written = bundle.written()
    assert "PORTAL_BASE_URL=https://portail.exemple.org\n" in written["etc/parvis/parvis.env"]
    assert {path.name for path in (DEPLOY / "systemd").iterdir()} <= {Path(name).name for name in written}
    assert written["etc/parvis/credentials/file_keys"] == "k1:fresh=\n"
    secrets = bundle.top / "etc/parvis/credentials"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in secrets.iterdir()} == {0o600}
    assert (bundle.top / "opt/parvis/current/static/dist").is_dir()
    assert "database_url" in done.stdout, "what is left to do is said"


class TestBackups:
    """What their units name is there before they start."""

    def test_have_a_user_whatever_was_asked(self, bundle: Bundle) -> None:
        said = rehearsed(bundle)
        users = {unit.one("User") for unit in SERVICES}
        assert users == {"parvis", "parvis-backup"}
        made = set(re.findall(r"would run: useradd .* (\S+)$", said, re.MULTILINE))
        assert {each for each in users if each not in made and not known(each)} == set()
        assert "--now parvis-backup" not in said

    def test_have_their_folder_keys_and_role_when_they_are_asked_for(self, bundle: Bundle) -> None:
        said = rehearsed(bundle, "--with-local-database", "--with-backups", mounted="/srv/parvis-backup")
        for step in (
            "mkdir -p /srv/parvis-backup", "chown parvis-backup:parvis-backup /srv/parvis-backup", "role parvis_backup",
            "PORTAL_BACKUP_URL", "backup_keys",
            "systemctl enable --quiet --now parvis-backup-wal.service parvis-backup.timer parvis-backup-verify.timer",
        ):  # fmt: skip
            assert step in said
        backups = [unit for unit in SERVICES if unit.name.startswith("parvis-backup")]
        assert {unit.one("ReadWritePaths") for unit in backups} == {"-/srv/parvis-backup"}

    def test_are_written_once(self, bundle: Bundle) -> None:
        done = bundle.install("--with-backups")
        assert done.returncode == 0, done.stderr
        written, secrets = bundle.written(), bundle.top / "etc/parvis/credentials"
        assert written["etc/parvis/credentials/backup_keys"] == "b1:new=\n"
        assert stat.S_IMODE((secrets / "backup_keys").stat().st_mode) == 0o600
        assert stat.S_IMODE((bundle.top / "srv/parvis-backup").stat().st_mode) == 0o700
        assert written["etc/parvis/parvis.env"].count("\nPORTAL_BACKUP_URL=file:/srv/parvis-backup\n") == 1
        assert "write" in done.stdout
        assert "backup_database_url (docs/backup.md)" in done.stdout
        assert bundle.install("--with-backups").returncode == 0
        assert bundle.written() == written

    def test_do_not_begin_on_the_disk_that_they_are_for(self, bundle: Bundle) -> None:
        said = rehearsed(bundle, "--with-backups", mounted="/elsewhere")
        assert "WARNING: BACKUPS WERE NOT ENABLED" in said
        assert "/srv/parvis-backup is not a mount point of its own" in said
        assert "would write: PORTAL_BACKUP_URL" in said
        assert "--now parvis-backup" not in said
        assert "WARNING" not in rehearsed(bundle, "--with-backups", mounted="/srv/parvis-backup")
        assert "WARNING" not in rehearsed(bundle, mounted="/elsewhere")

    def test_leave_no_empty_key_behind(self, bundle: Bundle) -> None:
        """A key that could not be made fails, now and the next time; an empty file is none."""
        key, good = bundle.top / "etc/parvis/credentials/backup_keys", bundle.python.read_text()
        for bad in ('[ "$1" = keygen ]', "true"):
            bundle.python.write_text(good.replace("echo PORTAL_BACKUP_KEYS=b1:new=", bad))
            shutil.rmtree(bundle.top, ignore_errors=True)
            for _time in range(2):
                done = bundle.install("--with-backups")
                assert (done.returncode, "parvis backup keygen" in done.stderr) == (1, True)
                assert not key.exists()
        bundle.python.write_text(good)
        shutil.rmtree(bundle.top)
        key.parent.mkdir(parents=True)
        key.touch()
        assert bundle.install("--with-backups").returncode == 0
        assert key.read_text() == "b1:new=\n"


def rehearsed(bundle: Bundle, *options: str, mounted: str = "") -> str:
    """What would be done on the machine itself, and what would be said. mounted: the one place that has a file system
    of its own."""
    programs = bundle.python.parent / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "mountpoint").write_text(f'#!/bin/sh\n[ "$*" = "-q {mounted}" ]\n')
    (programs / "mountpoint").chmod(0o755)
    done = subprocess.run(
        ["sh", bundle.folder / "deploy/install.sh", "--dry-run", *options],
        env={"PATH": f"{programs}:{os.environ['PATH']}", "PYTHON": str(bundle.python)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def known(user: str) -> bool:
    """Whether this very machine has it."""
    return subprocess.run(["getent", "passwd", user], capture_output=True, check=False).returncode == 0


def test_a_second_run_changes_nothing(bundle: Bundle) -> None:
    bundle.install("--base-url", "https://portail.exemple.org")
    (bundle.top / "etc/parvis/parvis.env").write_text("PORTAL_ENV=production\n")
    before = bundle.written()
    again = bundle.install("--base-url", "https://autre.exemple.org")
    assert again.returncode == 0, again.stderr
    assert bundle.written() == before


def test_an_upgrade_keeps_the_release_before_and_goes_back_to_it(tmp_path: Path, python: Path) -> None:
    old, new = bundle_of(tmp_path, "1.0", python), bundle_of(tmp_path, "1.1", python)
    old.install()
    for secret in ("database_url", "database_owner_url"):
        (old.top / "etc/parvis/credentials" / secret).write_text("postgresql://x@y/z\n")
    first = old.link("current")
    done = new.install()
    assert done.returncode == 0, done.stderr
    assert new.link("former") == first
    second = new.link("current")
    assert second != first

    assert new.install("--back").returncode == 0
    assert (new.link("current"), new.link("former")) == (first, second)


def test_nothing_runs_a_release_whose_schema_is_not_there(tmp_path: Path, python: Path) -> None:
    """Without the owner's address nothing can migrate: what runs goes on."""
    old, new = bundle_of(tmp_path, "1.0", python), bundle_of(tmp_path, "1.1", python)
    old.install()
    first = old.link("current")
    assert new.install().returncode == 0
    assert new.link("current") == first


def test_a_damaged_bundle_is_refused(bundle: Bundle) -> None:
    next((bundle.folder / "wheels").iterdir()).write_bytes(b"something else")
    done = bundle.install()
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert not bundle.top.exists()


def test_systemd_is_told_of_the_secrets_a_hospital_has(tmp_path: Path) -> None:
    secrets = tmp_path / "etc/parvis/credentials"
    secrets.mkdir(parents=True)
    for name in (
        "secret_key",
        "database_owner_url",
        "backup_keys",
        "mail_url",
        "franceconnect_client_secret",
        "left.bak",
    ):
        (secrets / name).write_text("x")
    done = subprocess.run(
        ["sh", DEPLOY / "parvis-credentials"], env={"PATH": os.environ["PATH"], "PARVIS_TOP": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert "left.bak" in done.stderr
    told = (tmp_path / "etc/systemd/system/parvis-.service.d/50-credentials.conf").read_text().splitlines()[2:]
    assert told == [
        "LoadCredential=franceconnect_client_secret:/etc/parvis/credentials/franceconnect_client_secret",
        "Environment=PORTAL_FRANCECONNECT_CLIENT_SECRET_FILE=%d/franceconnect_client_secret",
        "LoadCredential=mail_url:/etc/parvis/credentials/mail_url",
        "Environment=PORTAL_MAIL_URL_FILE=%d/mail_url",
    ]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="for root, with setpriv")
class TestTheCommandOfTheOperator:
    @pytest.fixture
    def top(self) -> Iterator[Path]:
        # Where a user without rights can enter: pytest's own folders are closed.
        top = Path(tempfile.mkdtemp(prefix="parvis-"))
        top.chmod(0o755)
        secrets = top / "etc/parvis/credentials"
        secrets.mkdir(parents=True)
        secrets.chmod(0o700)
        for name in ("secret_key", "database_owner_url"):
            (secrets / name).write_text(f"the {name}\n")
        (top / "etc/parvis/parvis.env").write_text('# $(false)\nPORTAL_MAIL_FROM="CH <x@y.fr>"\nPATH=/nowhere\n')
        program = top / "opt/parvis/current/.venv/bin/parvis"
        program.parent.mkdir(parents=True)
        program.write_text('#!/bin/sh\nid -un; echo "$@"; env | grep PORTAL_ | sort; cat "$PORTAL_SECRET_KEY_FILE"\n')
        program.chmod(0o755)
        yield top
        shutil.rmtree(top)

    def run(self, top: Path, *words: str) -> list[str]:
        held = top / "run"
        held.mkdir(mode=0o755)
        environment = {
            "PATH": os.environ["PATH"],
            "PARVIS_TOP": str(top),
            "PARVIS_USER": "nobody",
            "PARVIS_RUN": str(held),
        }
        done = subprocess.run(["sh", DEPLOY / "parvis", *words], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert list(held.iterdir()) == [], "a secret was left in memory"
        return done.stdout.splitlines()

    def test_is_the_service_with_its_settings_and_its_secrets(self, top: Path) -> None:
        user, words, *environment, secret = self.run(top, "check", "--a word")
        assert (user, words, secret) == ("nobody", "check --a word", "the secret_key")
        assert environment[0] == "PORTAL_MAIL_FROM=CH <x@y.fr>"
        assert [line.partition("=")[0] for line in environment] == ["PORTAL_MAIL_FROM", "PORTAL_SECRET_KEY_FILE"]

    def test_has_the_owners_password_for_the_schema_alone(self, top: Path) -> None:
        said = self.run(top, "db", "upgrade")
        assert any(line.startswith("PORTAL_DATABASE_OWNER_URL_FILE=") for line in said)

    def test_has_the_keys_of_the_backups_for_the_backups_alone(self, top: Path) -> None:
        (top / "etc/parvis/credentials/backup_keys").write_text("the backup_keys\n")
        given = "PORTAL_BACKUP_KEYS_FILE="
        assert not any(line.startswith(given) for line in self.run(top, "check"))
        shutil.rmtree(top / "run")
        assert any(line.startswith(given) for line in self.run(top, "backup", "list"))
