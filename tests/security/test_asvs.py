"""The security table is whole, and says nothing that is not there."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tools import asvs

ROOT = Path(__file__).parents[2]
TABLE = asvs.lines()
# OWASP ASVS 5.0.0: the requirements of each level, section by section.
LEVEL_1 = """
    1.2.1-5 1.3.1-2 1.5.1 2.1.1 2.2.1-2 2.3.1 3.2.1-2 3.3.1 3.4.1-2 3.5.1-3 4.1.1 4.4.1 5.2.1-2 5.3.1-2 6.1.1 6.2.1-8
    6.3.1-2 6.4.1-2 7.2.1-4 7.4.1-2 8.1.1 8.2.1-2 8.3.1 9.1.1-3 9.2.1 10.4.1-5 11.3.1-2 11.4.1 12.1.1 12.2.1-2 13.4.1
    14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
"""
LEVEL_2 = """
    1.1.1-2 1.2.6-9 1.3.3-11 1.4.1-3 1.5.2 2.1.2-3 2.2.3 2.3.2-4 2.4.1 3.3.2-4 3.4.3-6 3.5.4-5 3.7.1-2 4.1.2-3 4.2.1
    4.3.1-2 4.4.2-4 5.1.1 5.2.3 5.4.1-3 6.1.2-3 6.2.9-12 6.3.3-4 6.4.3-4 6.5.1-5 6.6.1-3 6.8.1-4 7.1.1-3 7.3.1-2
    7.4.3-5 7.5.1-2 7.6.1-2 8.1.2 8.2.3 8.4.1 9.2.2-4 10.1.1-2 10.2.1-2 10.3.1-4 10.4.6-11 10.5.1-5 10.6.1-2 10.7.1-3
    11.1.1-2 11.2.1-3 11.3.3 11.4.2-4 11.5.1 11.6.1 12.1.2-3 12.3.1-4 13.1.1 13.2.1-5 13.3.1-2 13.4.2-5 14.1.1-2
    14.2.2-4 14.3.2-3 15.1.2-3 15.2.2-3 15.3.2-7 16.1.1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2
"""
LEVEL_3 = "6.3.5-8 6.4.5-6 6.5.6-8 6.6.4 6.7.1-2 7.5.3 8.1.3-4 8.2.4 8.3.2-3 8.4.2 14.2.5-8"
"""Of authentication, sessions, authorisation and data protection alone."""


def spread(listed: str) -> set[str]:
    """`1.2.1-3` → 1.2.1, 1.2.2, 1.2.3."""
    found = set()
    for word in listed.split():
        section, _dot, numbers = word.rpartition(".")
        first, _dash, last = numbers.partition("-")
        found |= {f"{section}.{number}" for number in range(int(first), int(last or first) + 1)}
    return found


@cache
def names_in(path: Path) -> frozenset[str]:
    """`Class::test` and `test` of a file."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return frozenset(found)


@cache
def sections_of(path: Path) -> frozenset[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles)


class TestTheTable:
    @pytest.mark.parametrize(("level", "listed", "number"), [(1, LEVEL_1, 70), (2, LEVEL_2, 183), (3, LEVEL_3, 23)])
    def test_has_every_requirement_once(self, level: int, listed: str, number: int) -> None:
        counted = Counter(line.requirement for line in TABLE if line.level == level)
        assert counted == Counter(spread(listed))
        assert len(counted) == number

    def test_is_in_order(self) -> None:
        order = [tuple(map(int, line.requirement.split("."))) for line in TABLE]
        assert order == sorted(order)

    def test_is_drawn(self) -> None:
        drawn = asvs.PAGE.read_text(encoding="utf-8")
        assert drawn == asvs.drawn(TABLE), "run `python -m tools.asvs`"


class TestEachLine:
    def test_has_a_state_and_what_holds_it_or_why_not(self) -> None:
        for line in TABLE:
            assert line.state in asvs.STATES
            assert line.asks
            if line.state in ("not yet", "not applicable"):
                assert len(line.why.split()) >= 2, f"{line.requirement}: say why"
            else:
                assert line.evidence, line.requirement
            if line.state == "decided otherwise":
                assert len(line.why.split()) >= 15, f"{line.requirement}: say why, and what stands in its place"
            if line.state == "test":
                assert any(each.startswith("tests/") for each in line.evidence), line.requirement

    def test_cites_what_exists(self) -> None:
        cited = {(line.requirement, each) for line in TABLE for each in line.evidence}
        assert sorted(each for each in cited if not is_there(each[1])) == []

    def test_breaks_no_table(self) -> None:
        assert not any("|" in line.asks + line.why or "\n" in line.asks + line.why for line in TABLE)


def is_there(evidence: str) -> bool:
    """Whether the file, its test and its section exist."""
    path, _colons, test = evidence.partition("::")
    page, _hash, section = path.partition("#")
    if not (ROOT / page).exists():
        return False
    return (not test or test in names_in(ROOT / page)) and (not section or section in sections_of(ROOT / page))
