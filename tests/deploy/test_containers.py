"""Containers, Compose and Kubernetes: they name what exists, hold what they should, and open nothing by default."""

import fnmatch
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from portal.web import uploads
from tests.deploy.facts import DEPLOY, ROOT, SHARED, check_command, gunicorn_arguments, is_known, routes, variables

FOLDER = DEPLOY / "container"
CONTAINERFILE = (FOLDER / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
OURS = ("migrate", "web", "worker")
KUBERNETES: list[dict[str, Any]] = [
    each
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
PODS = {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in KUBERNETES
        if each["kind"] in ("Deployment", "Job")}  # fmt: skip

our_services = pytest.mark.parametrize("name", OURS)
each_pod = pytest.mark.parametrize("name", sorted(PODS))


class TestTheImage:
    def test_is_made_from_the_lock_files_by_hash(self) -> None:
        assert "--require-hashes" in CONTAINERFILE
        locks = re.findall(r"-r (requirements/\S+\.lock)", CONTAINERFILE)
        assert locks == ["requirements/runtime.lock", "requirements/redis.lock"]
        assert all((ROOT / lock).is_file() for lock in locks)

    def test_takes_only_what_is_there_and_not_left_out(self) -> None:
        kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
        copied = [word for line in re.findall(r"^COPY (?!--)(.+)", CONTAINERFILE, re.M) for word in line.split()[:-1]]
        for path in copied:
            assert (ROOT / path).exists(), path
            assert any(fnmatch.fnmatch(path.rstrip("/"), each) for each in kept), path

    def test_holds_what_the_wheel_is_built_from(self) -> None:
        built = (DEPLOY / "build-wheel.sh").read_text(encoding="utf-8")
        (sources,) = re.findall(r"    (pyproject\.toml .*migrations)\) \|", built)
        assert all(re.search(rf"^COPY .*\b{re.escape(each)}", CONTAINERFILE, re.M) for each in sources.split())

    def test_runs_as_nobody_in_particular(self) -> None:
        last = CONTAINERFILE[CONTAINERFILE.rindex("FROM ") :]
        user, *others = re.findall(r"^USER (\d+):(\d+)", last, re.M)
        assert "0" not in user
        assert not others

    def test_starts_a_command_that_exists(self) -> None:
        (words,) = re.findall(r"^CMD (\[.*\])", CONTAINERFILE, re.M)
        check_command(yaml.safe_load(words))

    def test_says_how_it_is_by_a_page_that_exists(self) -> None:
        (path,) = re.findall(r"http://127\.0\.0\.1:8000(/\S+?)'", CONTAINERFILE)
        assert path in {route.path for route in routes()}

    def test_is_told_to_stop_as_the_portal_listens(self) -> None:
        assert "STOPSIGNAL SIGTERM" in CONTAINERFILE


class TestCompose:
    @our_services
    def test_runs_commands_that_exist(self, name: str) -> None:
        check_command(COMPOSE["services"][name].get("command", ["web"]))

    @our_services
    def test_gives_variables_that_the_portal_reads_and_secrets_as_files(self, name: str) -> None:
        service = COMPOSE["services"][name]
        told = service["environment"]
        assert [each for each in told if not is_known(each)] == []
        files = {each for each in told if each.endswith("_FILE")}
        assert {told[each].rpartition("/")[2] for each in files} == set(service["secrets"])
        assert {f"PORTAL_{secret.upper()}_FILE" for secret in SHARED} <= files

    @our_services
    def test_leaves_nothing_to_write_to_and_no_privilege(self, name: str) -> None:
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]

    def test_is_reached_from_this_machine_alone(self) -> None:
        ports = [port for each in COMPOSE["services"].values() for port in each.get("ports", ())]
        assert ports
        assert all(port.startswith("127.0.0.1:") for port in ports)
        assert COMPOSE["networks"]["inside"]["internal"] is True
        assert all(COMPOSE["services"][name]["networks"] == ["inside"] for name in ("postgres", "valkey"))

    def test_the_owners_password_is_for_the_migrations(self) -> None:
        assert [name for name in OURS if "database_owner_url" in COMPOSE["services"][name]["secrets"]] == ["migrate"]

    def test_migrates_before_it_serves(self) -> None:
        for name in ("web", "worker"):
            assert COMPOSE["services"][name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}

    def test_lets_requests_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = COMPOSE["services"]["web"]["stop_grace_period"]
        assert int(given.rstrip("s")) > int(gunicorn_arguments(monkeypatch)["--graceful-timeout"])

    def test_every_secret_is_made(self) -> None:
        made = re.findall(r"^keep (\w+)", (FOLDER / "secrets.sh").read_text(encoding="utf-8"), re.M)
        assert set(COMPOSE["secrets"]) == set(made)
        assert all(each["file"] == f"./secrets/{name}" for name, each in COMPOSE["secrets"].items())

    def test_what_it_mounts_is_there(self) -> None:
        mounted = [each.split(":")[0] for one in COMPOSE["services"].values() for each in one.get("volumes", ())]
        for source in mounted:
            assert source in COMPOSE["volumes"] or (FOLDER / source).is_file()

    def test_its_settings_are_known_and_no_secret(self) -> None:
        lines = (FOLDER / "parvis.env.example").read_text(encoding="utf-8").splitlines()
        names = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
        assert [name for name in names if variables().get(name, True)] == []


class TestKubernetes:
    def containers(self) -> Iterator[dict[str, Any]]:
        for pod in PODS.values():
            yield from pod["containers"]

    def test_runs_commands_that_exist(self) -> None:
        for container in self.containers():
            check_command(container["args"])

    def test_settings_are_known_and_secrets_are_files(self) -> None:
        (settings,) = (each["data"] for each in KUBERNETES if each["kind"] == "ConfigMap")
        more = {each["name"]: each["value"] for one in self.containers() for each in one.get("env", ())}
        assert [name for name in settings | more if not is_known(name)] == []
        # An address without a password may be said: Valkey's holds none here.
        assert [name for name in settings if variables().get(name) and name != "PORTAL_REDIS_URL"] == []
        assert "Secret" not in {each["kind"] for each in KUBERNETES}

    @each_pod
    def test_a_pod_may_do_nothing_it_need_not(self, name: str) -> None:
        pod = PODS[name]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"] is True
            assert allowed["allowPrivilegeEscalation"] is False
            assert allowed["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]

    def test_the_owners_password_is_for_the_migrations(self) -> None:
        assert [name for name, pod in PODS.items() if "parvis-owner" in yaml.dump(pod)] == ["parvis-migrate"]

    def test_probes_ask_pages_that_exist(self) -> None:
        (web,) = PODS["parvis-web"]["containers"]
        asked = {web[kind]["httpGet"]["path"] for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
        assert asked <= {route.path for route in routes()}

    def test_lets_requests_end_after_it_was_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pod = PODS["parvis-web"]
        forgotten = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        drains = int(gunicorn_arguments(monkeypatch)["--graceful-timeout"])
        assert pod["terminationGracePeriodSeconds"] > forgotten + drains

    def test_the_edge_lets_in_what_the_portal_takes_and_sends_it_once(self) -> None:
        (edge,) = (each for each in KUBERNETES if each["kind"] == "Ingress")
        said = {key.rpartition("/")[2]: value for key, value in edge["metadata"]["annotations"].items()}
        assert int(said["proxy-body-size"].rstrip("m")) * 1024 * 1024 == uploads.MAX_UPLOAD_BYTES
        assert said["proxy-next-upstream"] == "off"
