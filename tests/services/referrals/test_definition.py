"""The rules of a unit are data that make sense, or are refused with the line that does not."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals import definition
from services.referrals.definition import USUAL_LEVELS, AskedFile, Level, NotADefinition

LEVEL = {"code": "week", "label": "Dans la semaine", "when": "Stable", "answer_hours": 120}


def test_a_grid_is_read_as_it_was_written() -> None:
    assert definition.levels(definition.written(USUAL_LEVELS)) == USUAL_LEVELS


def test_files_are_read_as_they_were_written() -> None:
    asked = (AskedFile("ecg", "Électrocardiogramme", True), AskedFile("letter", "Courrier", False))
    assert definition.asked_files(definition.written(asked)) == asked


def test_the_usual_grid_sends_to_the_telephone_what_cannot_wait() -> None:
    assert [level.by_phone for level in USUAL_LEVELS] == [True, False, False, False]


@pytest.mark.parametrize(("change", "code"), [
    ({"code": ""}, "code"), ({"code": "à vif"}, "code"), ({"code": 3}, "code"), ({"code": "x" * 41}, "code"),
    ({"label": " "}, "label"), ({"label": "x" * 301}, "label"), ({"when": None}, "when"),
    ({"answer_hours": -1}, "answer_hours"), ({"answer_hours": "48"}, "answer_hours"),
    ({"answer_hours": True}, "answer_hours"), ({"answer_hours": 24 * 91}, "answer_hours"),
])  # fmt: skip
def test_a_line_that_makes_no_sense_is_named(change: dict[str, Any], code: str) -> None:
    with pytest.raises(NotADefinition) as refused:
        definition.levels([LEVEL, LEVEL | {"code": "other"} | change])
    assert (refused.value.code, refused.value.rank) == (code, 1)


def test_a_grid_without_any_written_level_is_no_grid() -> None:
    with pytest.raises(NotADefinition, match="no_written_level"):
        definition.levels([LEVEL | {"answer_hours": 0}])


def test_a_code_serves_once() -> None:
    with pytest.raises(NotADefinition, match="twice"):
        definition.levels([LEVEL, LEVEL])


def test_a_grid_has_an_end() -> None:
    with pytest.raises(NotADefinition, match="too_many"):
        definition.levels([LEVEL | {"code": f"l{rank}"} for rank in range(13)])


def _inside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner) | st.dictionaries(st.text(), inner)


_anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _inside)


@given(st.lists(st.dictionaries(st.sampled_from(["code", "label", "when", "answer_hours", "required"]), _anything)))
def test_whatever_is_written_is_read_or_refused(lines: list[dict[str, Any]]) -> None:
    for read in (definition.levels, definition.asked_files):
        try:
            found: Sequence[Level | AskedFile] = read(lines)
        except NotADefinition:
            continue
        assert len({line.code for line in found}) == len(lines)
