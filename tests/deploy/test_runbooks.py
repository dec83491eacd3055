"""Pages for bad days: whole, short, and nothing in them that is not there. At night nobody has time to find out."""

import re
import shlex
from functools import cache
from pathlib import Path

import click
import pytest

from portal import app as portal_app
from portal import cli, config
from portal.retention.commands import command as retention_command

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs" / "runbooks").glob("*.md") if path.name != "README.md")
KIT = ROOT / "docs" / "security" / "notification.md"
EVERY = [*PAGES, ROOT / "docs" / "runbooks" / "README.md", KIT, ROOT / "docs" / "watching.md"]
SECTIONS = ["Signs", "First five minutes", "Commands", "Who to tell", "Back to normal", "Never"]

each_page = pytest.mark.parametrize("page", EVERY, ids=lambda path: path.stem)


@cache
def routes() -> frozenset[str]:
    lines = (ROOT / "tests" / "architecture" / "routes.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines)


@cache
def root() -> click.Group:
    """The `parvis` command with the commands of every room."""
    everything = click.Group("parvis", dict(cli.parvis.commands))
    for room in (*portal_app.ROOMS, *portal_app.OTHERS_WITH_COMMANDS):
        for command in room.for_operators():
            _add(everything, command)
    _add(everything, retention_command)
    return everything


def _add(group: click.Group, command: click.Command) -> None:
    known = group.commands.get(command.name or "")
    if isinstance(known, click.Group) and isinstance(command, click.Group):
        merged = click.Group(command.name, {**known.commands, **command.commands})
        group.commands[command.name or ""] = merged
    else:
        group.commands[command.name or ""] = command


def typed(page: Path) -> list[list[str]]:
    """Every `parvis …` of the blocks, and of the text where it has more than two words."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    lines = [line for line in blocks.splitlines() if line.startswith("parvis ")]
    lines += re.findall(r"`(parvis [a-z][^`]*)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [shlex.split(re.sub(r"\s*[>|].*$", "", line)) for line in lines]


def wrong_with(words: list[str]) -> str:
    """Why a command could not be typed so; "" when it could."""
    command: click.Command = root()
    rest = words[1:]
    while isinstance(command, click.Group):
        if not rest or rest[0] not in command.commands:
            return f"{' '.join(words)}: no such command"
        command, rest = command.commands[rest[0]], rest[1:]
    known = {name for parameter in command.params for name in parameter.opts}
    return next((f"{' '.join(words)}: no {word}" for word in rest if word.startswith("--") and word not in known), "")


def test_the_ten_likeliest_are_there() -> None:
    assert {page.stem for page in PAGES} >= {
        "database-down", "disk-full", "certificates-and-secrets", "identity-provider-down", "payments",
        "secure-mailbox", "hospital-system-down", "jobs-late", "attack", "ransomware", "audit-chain", "backups",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
class TestAPage:
    def test_has_each_section_in_its_order(self, page: Path) -> None:
        titles = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert [title for title in titles if title in SECTIONS] == [each for each in SECTIONS if each in titles]
        assert set(SECTIONS) - set(titles) <= {"Commands"}

    def test_is_one_page(self, page: Path) -> None:
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 75

    def test_is_in_the_list(self, page: Path) -> None:
        assert f"({page.name})" in (page.parent / "README.md").read_text(encoding="utf-8")


@each_page
class TestNothingIsMadeUp:
    def test_commands_exist_with_their_options(self, page: Path) -> None:
        wrong = [trouble for words in typed(page) if (trouble := wrong_with(words))]
        assert wrong == []

    def test_addresses_exist(self, page: Path) -> None:
        asked = re.findall(r"`(/(?:admin|mon-compte|status|connexion)[\w/-]*)`", page.read_text(encoding="utf-8"))
        assert [path for path in asked if path not in routes() and not path.endswith("/")] == []

    def test_variables_exist(self, page: Path) -> None:
        known = {name for name, *_rest in config.variables()}
        named = set(re.findall(r"PORTAL_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8"))) - {"PORTAL_X"}
        assert {name for name in named if name.removesuffix("_FILE") not in known} == set()

    def test_links_lead_somewhere(self, page: Path) -> None:
        links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []

    def test_services_are_those_of_the_units(self, page: Path) -> None:
        units = {path.name for path in (ROOT / "deploy" / "systemd").glob("parvis*")}
        named = set(
            re.findall(r"\b(parvis-(?:web|work|check|listen-his|migrate)(?:@\w+)?)\b", page.read_text(encoding="utf-8"))
        )
        for name in named:
            kind = re.sub(r"@\w+$", "@", name)
            assert f"{kind}.service" in units, name
