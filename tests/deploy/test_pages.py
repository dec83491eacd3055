"""What the pages on installation tell to type, to set and to open is there."""

import re
import shlex
from pathlib import Path

import pytest

from portal import schema
from tests.deploy.facts import ROOT, check_command, is_known

PAGES = [ROOT / name for name in (
    "docs/install.md", "docs/upgrade.md", "docs/releases.md", "docs/operations.md", "docs/scaling.md", "SECURITY.md",
    "docs/decisions/0024-installed-from-the-lock.md",
)]  # fmt: skip

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)


def blocks(page: Path) -> str:
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))


@each_page
def test_commands_are_those_of_the_portal(page: Path) -> None:
    for line in blocks(page).splitlines():
        # A comment, a choice that the reader makes, or the rest of a list of commands.
        line = re.split(r" +#| +&& ", line)[0].rstrip("\\").strip()
        if line.startswith(("parvis ", "podman compose run ")):
            words = shlex.split(line.partition("--rm web ")[2] or line.removeprefix("parvis "))
            check_command(words)


@each_page
def test_variables_are_those_that_the_portal_reads(page: Path) -> None:
    named = set(re.findall(r"\bPORTAL_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
    # `PORTAL_…_FILE` and the families of identity providers are written with an ellipsis or a letter in brackets.
    assert {name for name in named if not is_known(name)} == set()


@each_page
def test_files_and_links_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"(?<![\w/.])((?:deploy|docs|tests|tools|requirements|migrations|portal)/[\w./-]*\w)", text):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / link).exists(), link


def test_what_the_database_feels_is_what_is_set() -> None:
    text = (ROOT / "docs/upgrade.md").read_text(encoding="utf-8")
    assert f"| `lock_timeout` | {schema.LOCK_TIMEOUT.removesuffix('s')} s:" in text
    assert f"| `statement_timeout` | {schema.STATEMENT_TIMEOUT.removesuffix('s')} s;" in text
    assert schema.ATTEMPTS == 30
    assert "thirty times" in text


def test_every_option_of_the_installation_is_explained_by_itself() -> None:
    script = (ROOT / "deploy/install.sh").read_text(encoding="utf-8")
    taken = set(re.findall(r"^    (--[\w-]+)\)", script, re.M))
    usage = script[: script.index("TEXT\n}")]
    assert taken == set(re.findall(r"^  (--[\w-]+)", usage, re.M))
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"install\.sh (--[\w-]+)", pages)) <= taken
