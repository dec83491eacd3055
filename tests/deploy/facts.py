"""What the files of deploy/ are compared with: the commands, the variables and the addresses of the code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import click
import pytest

from portal import cli, config
from portal.app import OTHERS_WITH_COMMANDS, ROOMS
from portal.retention.commands import command as retention_command

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SHARED = ("secret_key", "file_keys", "database_url")
"""The secrets that every process needs."""


def variables() -> dict[str, bool]:
    """Every `PORTAL_*` variable, and whether it is a secret."""
    return {name: secret for name, _kind, _default, _meaning, secret in config.variables()}


def is_known(name: str) -> bool:
    """Whether the portal reads it: a variable, or a secret's file."""
    known = variables()
    return name in known or known.get(name.removesuffix("_FILE"), False)


def command(words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The command that `parvis` would run with these words, and what is left for it. Raises KeyError."""
    found: list[click.Command] = [cli.parvis]
    for rank, word in enumerate(words):
        below = [each.commands[word] for each in found if isinstance(each, click.Group) and word in each.commands]
        if found == [cli.parvis]:
            below += [each for each in _of_rooms() if each.name == word]
        if not below:
            if any(isinstance(each, click.Group) for each in found):
                raise KeyError(" ".join(words[: rank + 1]))
            return found[0], list(words[rank:])
        found = below
    return found[0], []


def check_command(words: Sequence[str]) -> None:
    """Fails unless `parvis` knows this command and its options."""
    try:
        known, rest = command(words)
    except KeyError as unknown:
        pytest.fail(f"parvis has no command {unknown}")
    options = {name for each in known.params for name in each.opts}
    assert {word for word in rest if word.startswith("--")} <= options, f"parvis {' '.join(words)}"


def _of_rooms() -> Iterator[click.Command]:
    for room in (*ROOMS, *OTHERS_WITH_COMMANDS):
        yield from room.for_operators()
    yield retention_command


@dataclass(frozen=True)
class Route:
    path: str
    access: str


def routes() -> list[Route]:
    """Every address of the portal, without its methods."""
    listed = (ROOT / "tests/architecture/routes.txt").read_text(encoding="utf-8").splitlines()
    return [Route(re.split(r"  +", line)[0], re.split(r"  +", line)[-1]) for line in listed if line]


@dataclass(frozen=True)
class Unit:
    """One systemd unit: (section, key) → values, in order."""

    name: str
    values: dict[tuple[str, str], list[str]]

    def all(self, key: str, section: str = "Service") -> list[str]:
        return self.values.get((section, key), [])

    def one(self, key: str, section: str = "Service") -> str:
        (value,) = self.all(key, section)
        return value


def unit(path: Path) -> Unit:
    values: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith(("#", ";")):
            key, _equals, value = line.partition("=")
            values.setdefault((section, key), []).append(value)
    return Unit(path.name, values)


def gunicorn_arguments(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What `parvis web` starts gunicorn with."""
    asked: list[str] = []
    monkeypatch.setattr(cli.os, "execv", lambda _path, arguments: asked.extend(arguments))
    monkeypatch.setattr(cli, "settings", lambda: config.Settings())
    assert cli.web.callback is not None
    cli.web.callback("127.0.0.1:8000")
    return dict(pairwise(asked))
