"""The lock files of what is installed apart agree with the others, and the wheel holds what a hospital needs."""

import re
import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.version import Version

from tests.deploy.facts import ROOT
from tools.sbom import Pin, pins


def locked(name: str) -> dict[str, Pin]:
    return {pin.name: pin for pin in pins((ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8"))}


def test_what_builds_the_wheel_is_what_the_demonstration_has() -> None:
    assert locked("build").items() <= locked("demo").items()


def test_the_client_of_valkey_is_one_that_rate_limits_take() -> None:
    wanted = [Requirement(each) for each in metadata.requires("limits") or ()]
    (redis,) = (
        each for each in wanted if each.name == "redis" and each.marker and 'extra == "redis"' in str(each.marker)
    )
    assert Version(locked("redis")["redis"].version) in redis.specifier


def test_a_debian_12_finds_all_it_needs() -> None:
    """Its Python is 3.11.2, and redis needs async-timeout before 3.11.3."""
    assert locked("redis")["async-timeout"].marker == "python_full_version < '3.11.3'"


def test_what_sends_traces_is_installed_apart_and_tested_as_it_is_shipped() -> None:
    """The rest of what it needs is in the portal's own lock."""
    otlp, runtime = locked("otlp"), locked("runtime")
    assert otlp.items() <= locked("dev").items()
    assert not otlp.keys() & runtime.keys()
    for pin in otlp.values():
        assert Version(metadata.version(pin.name)) == Version(pin.version)
        for each in map(Requirement, metadata.requires(pin.name) or ()):
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                name = each.name.lower().replace("_", "-")
                assert Version({**runtime, **otlp}[name].version) in each.specifier


def test_the_wheel_holds_catalogues_migrations_and_what_a_server_imports() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {"portal", "auth", "services", "admin", "translations", "migrations", "wsgi.py"} <= set(wheel["packages"])
    assert wheel["artifacts"] == ["translations/**/*.mo"]
    assert "auth/demo_idp" in wheel["exclude"]
    built = (ROOT / "deploy/build-wheel.sh").read_text()
    assert all(re.search(rf"\b{re.escape(each)}\b", built) for each in wheel["packages"])
