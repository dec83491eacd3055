"""The systemd units say what the code does, and leave each process nothing it does not need."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.facts import DEPLOY, SHARED, Unit, check_command, gunicorn_arguments, is_known, unit, variables

UNITS = {path.name: unit(path) for path in sorted((DEPLOY / "systemd").iterdir())}
SERVICES = [each for name, each in UNITS.items() if name.endswith(".service")]
HARDENED = {
    "User": "parvis", "UMask": "0077", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict",
    "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "PrivateUsers": "yes",
    "ProtectProc": "invisible", "ProtectKernelTunables": "yes", "ProtectKernelModules": "yes",
    "ProtectControlGroups": "yes",
    "LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6", "SystemCallArchitectures": "native",
    "StateDirectory": "parvis", "StateDirectoryMode": "0700",
}  # fmt: skip
_BACKUPS = {"User": "parvis-backup", "StateDirectory": "parvis-backup"}
_READS_FILES = {"CapabilityBoundingSet": "CAP_DAC_READ_SEARCH", "PrivateUsers": None}
OTHERWISE: dict[str, dict[str, str | None]] = {
    "parvis-backup.service": {**_BACKUPS, **_READS_FILES},
    "parvis-backup-wal.service": {**_BACKUPS, **_READS_FILES},
    "parvis-backup-verify.service": {**_BACKUPS},
}
"""Backups have a user of their own, which reads the portal's files and hides the machine's secrets from itself."""
WORST_EXPOSURE = 15
"""Of systemd's own scale, in tenths: it says 1.2 for each of ours."""
WORST_OF_READERS = 20
"""As many tenths for those that read the portal's files."""

each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)


def test_there_is_a_unit_for_each_kind_of_process() -> None:
    assert set(UNITS) >= {
        "parvis.target", "parvis-web.socket", "parvis-web.service", "parvis-work@.service", "parvis-migrate@.service",
        "parvis-listen-his@.service", "parvis-check.service", "parvis-check.timer",
    }  # fmt: skip


@each_service
def test_it_runs_a_command_that_exists(service: Unit) -> None:
    program, *words = service.one("ExecStart").split()
    assert re.fullmatch(r"/opt/parvis/(current|releases/%i)/\.venv/bin/parvis", program)
    check_command([word for word in words if not word.startswith("$") and word != "%i"])


@each_service
def test_it_gives_the_portal_only_variables_it_reads(service: Unit) -> None:
    named = [each.partition("=")[0] for each in service.all("Environment")]
    assert [name for name in named if name.startswith("PORTAL_") and not is_known(name)] == []
    assert service.all("EnvironmentFile")[0] == "/etc/parvis/parvis.env"


@each_service
def test_secrets_are_files_shown_to_it_alone(service: Unit) -> None:
    shown = dict(each.split(":") for each in service.all("LoadCredential"))
    told = dict(each.split("=") for each in service.all("Environment") if "%d/" in each)
    assert {name: f"/etc/parvis/credentials/{name}" for name in shown} == shown
    assert told == {f"PORTAL_{name.upper()}_FILE": f"%d/{name}" for name in shown}
    assert all(variables()[name.removesuffix("_FILE")] for name in told), "a secret that is none"
    assert set(SHARED) <= set(shown)


@each_service
def test_the_password_of_the_schemas_owner_is_for_the_migrations(service: Unit) -> None:
    shown = {each.partition(":")[0] for each in service.all("LoadCredential")}
    assert ("database_owner_url" in shown) == (service.name == "parvis-migrate@.service")


def test_the_keys_of_the_backups_are_for_the_backups() -> None:
    for service in SERVICES:
        shown = {each.partition(":")[0] for each in service.all("LoadCredential")}
        assert ({"backup_keys", "backup_database_url"} <= shown) == service.name.startswith("parvis-backup")
        assert {"backup_keys", "backup_database_url"}.isdisjoint(shown) == (service.one("User") == "parvis")


def test_backups_happen_by_themselves() -> None:
    for name in ("parvis-backup", "parvis-backup-verify"):
        assert UNITS[f"{name}.timer"].one("Persistent", "Timer") == "true"
        assert UNITS[f"{name}.service"].one("Type") == "oneshot"
    assert UNITS["parvis-backup-wal.service"].one("Restart") == "always"


@each_service
def test_it_may_do_nothing_that_it_need_not(service: Unit) -> None:
    assert {key: (service.all(key) or [None])[0] for key in HARDENED} == HARDENED | OTHERWISE.get(service.name, {})
    assert service.all("SystemCallFilter") == ["@system-service", "~@privileged @resources"]
    assert service.all("MemoryMax")


def test_visitors_wait_at_the_door_while_the_web_processes_are_replaced() -> None:
    door, web = UNITS["parvis-web.socket"], UNITS["parvis-web.service"]
    assert door.one("ListenStream", "Socket") == "127.0.0.1:8000"
    assert web.one("Requires", "Unit") == "parvis-web.socket"
    assert web.one("Type") == "notify"


def test_requests_that_run_are_let_end(monkeypatch: pytest.MonkeyPatch) -> None:
    web = UNITS["parvis-web.service"]
    drains = int(gunicorn_arguments(monkeypatch)["--graceful-timeout"])
    assert int(web.one("TimeoutStopSec")) > drains
    assert (web.one("KillSignal"), web.one("KillMode")) == ("SIGTERM", "mixed")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
class TestSystemdItself:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The units as an installation has them, with a program that is there, and an instance of each template."""
        for name in UNITS:
            text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
            text = re.sub(r"/opt/parvis/\S+/parvis\b", "/bin/true", text)
            (tmp_path / name.replace("@.", "@1.")).write_text(text, encoding="utf-8")
        return tmp_path

    def test_finds_nothing_to_say(self, folder: Path) -> None:
        names = sorted(path.name for path in folder.iterdir())
        done = subprocess.run(["systemd-analyze", "verify", *names], cwd=folder, capture_output=True, text=True)
        ours = [line for line in done.stderr.splitlines() if "parvis" in line]
        assert ours == []

    def test_finds_little_that_an_intruder_could_reach(self, folder: Path) -> None:
        services = sorted(f"./{path.name}" for path in folder.glob("*.service"))
        for service in services:
            reads = "PrivateUsers" in OTHERWISE.get(service.removeprefix("./"), {})
            worst = WORST_OF_READERS if reads else WORST_EXPOSURE
            command = ["systemd-analyze", "security", "--offline=true", f"--threshold={worst}", "--no-pager"]
            done = subprocess.run([*command, service], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, (service, done.stdout[-300:], done.stderr[-300:])
