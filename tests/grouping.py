"""Tests that share what is dear (browsers, a filled demonstration) run one after the other, on one worker.

pytest-xdist 3.8 tells its groups by changing node ids, which pytest 9.2 no longer lets it do: they were silently
scattered (pytest-xdist#1386). We read the same marks where they stand; delete this when the next release groups again.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadGroupScheduling

_MARK = re.compile(r"mark\.xdist_group\(\"(\w+)\"\)")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """By groups where groups are asked for; None leaves the choice to others."""
    return _Groups(config, log) if config.getoption("dist") == "loadgroup" else None


class _Groups(LoadGroupScheduling):  # type: ignore[misc]  # it has no types
    """`--dist loadgroup`: a file whose module is marked is one piece of work with the others of its group."""

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(str(self.config.rootpath / nodeid.partition("::")[0])) or str(super()._split_scope(nodeid))


@cache
def _group_of(path: str) -> str:
    found = _MARK.search(Path(path).read_text(encoding="utf-8"))
    return found.group(1) if found else ""
