"""Actions keep their rules: they write to the audit, and never end the transaction."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted(path for top in ("portal", "auth", "services", "admin") for path in (ROOT / top).rglob("*.py"))
ACTIONS = sorted(
    path for path in CODE if path.stem == "actions" or (path.parent.name == "actions" and path.stem != "__init__")
)
ENDS_A_TRANSACTION = {"commit", "rollback", "close_unit"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: str(path.relative_to(ROOT)))
def test_actions_never_end_the_transaction(path: Path) -> None:
    calls = [
        node.lineno
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ENDS_A_TRANSACTION
    ]
    assert not calls, f"{path.relative_to(ROOT)} lines {calls}: the request, the job or the command ends it"


ROOMS = ["appointments", "preadmission", "exchanges", "pieces", "questionnaires", "billing", "documents"]


@pytest.mark.parametrize("room", ROOMS)
def test_actions_write_to_the_audit(room: str) -> None:
    """Each module of a room's actions that writes rows also records who did it."""
    silent = [
        str(path.relative_to(ROOT))
        for path in ACTIONS
        if path.is_relative_to(ROOT / "services" / room) and _writes(path) and not _records(path)
    ]
    assert not silent


def _called(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            names.add(ast.unparse(node.func))
    return names


def _writes(path: Path) -> bool:
    return bool(_called(path) & {"session.add", "session.add_all", "session.delete"})


def _records(path: Path) -> bool:
    return any(name.endswith("record") for name in _called(path))
