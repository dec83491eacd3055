"""A civil day is a hospital's: nothing reckons it in UTC, which is at another day around midnight.

Say instead `calendar.civil_day(db.now(), hospital.tz)`; in a statement `establishments.today_in` or `today_at`; where
no hospital is known `calendar.latest_day`, `calendar.earliest_day`, or the day of `calendar.GROUP_ZONE`.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.code import modules, where


def days_in_utc(tree: ast.AST) -> Iterator[ast.AST]:
    """The civil days that are asked of PostgreSQL's session, of the machine, or of a moment left in UTC."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="current_date" | "utcnow"):
                yield node
            case ast.Constant(value=str(words)) if "current_date" in words.lower():
                yield node
            case ast.Call(func=ast.Attribute(value=of, attr="today"), args=[]) if _is_a_class(of):
                yield node
            case ast.Call(func=ast.Attribute(value=of, attr="date"), args=[]) if _is_left_in_utc(of):
                yield node


def _is_a_class(of: ast.expr) -> bool:
    return ast.unparse(of).rpartition(".")[2] in ("date", "datetime")


def _is_left_in_utc(moment: ast.expr) -> bool:
    names = {node.attr for node in ast.walk(moment) if isinstance(node, ast.Attribute)}
    clocks = [ast.unparse(node) for node in ast.walk(moment) if isinstance(node, ast.Call)]
    return "astimezone" not in names and any(clock.endswith((".now()", ".now(UTC)")) for clock in clocks)


def test_no_day_is_reckoned_in_utc() -> None:
    assert [where(module, node) for module in modules() for node in days_in_utc(module.tree)] == []


@pytest.mark.parametrize(
    "written",
    [
        "date.today()", "datetime.date.today()", "datetime.utcnow()", "db.now().date()", "datetime.now(UTC).date()",
        "(db.now() - DAY).date()", "func.current_date()", "text('where ends_on >= current_date')",
    ],
)  # fmt: skip
def test_a_day_in_utc_is_recognized(written: str) -> None:
    assert list(days_in_utc(ast.parse(written)))


@pytest.mark.parametrize(
    "written",
    ["db.now().astimezone(tz).date()", "datetime.now(hospital.tz).date()", "civil_day(db.now(), tz)", "today()"],
)
def test_a_day_of_a_hospital_is_not(written: str) -> None:
    assert not list(days_in_utc(ast.parse(written)))
