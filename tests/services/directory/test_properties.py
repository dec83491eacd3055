"""Whatever files come one after the other, the directory is what the last one says; and parsers bear anything."""

import contextlib
import tempfile
from pathlib import Path

from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal import db
from services.directory import folding, lines, loading, rows
from services.directory.columns import NotTheDirectory
from tests.factories.directory import people_file, person, rpps

_LINES = st.lists(
    st.builds(
        lambda number, family, structure, phone: person(number, family, structure_id=structure, phone=phone),
        st.integers(1, 6), st.sampled_from(["A", "B", "C D"]), st.sampled_from(["", "F1", "F2"]), st.sampled_from("12"),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@given(before=_LINES, after=_LINES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_file_then_another_is_the_other_alone(
    app: Flask, before: list[dict[str, str]], after: list[dict[str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = (people_file(Path(folder) / f"{n}.txt", each) for n, each in enumerate((before, after)))
        _empty()
        loading.load([second], force=True)
        alone = _everything()
        _empty()
        loading.load([first], force=True)
        loading.load([second], force=True)
        assert _everything() == alone


def _everything() -> list[list[object]]:
    with db.transaction(db.system("tests")) as current:
        tables = ("directory_person", "directory_activity", "directory_word")
        return [sorted(map(tuple, current.execute(text(f"select * from {name}")))) for name in tables]


def _empty() -> None:
    with db.transaction(db.system("tests")) as current:
        for name in ("directory_person", "directory_activity", "directory_word"):
            current.execute(text(f"delete from {name}"))


@given(st.binary(max_size=600))
@example(b"\x81\n")  # no letter of Windows' alphabet
def test_any_bytes_are_a_file_or_are_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any"
        path.write_bytes(content)
        with contextlib.suppress(NotTheDirectory):
            lines.sources(path)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_any_lines_after_a_header_are_rows_or_are_refused(content: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = people_file(Path(folder) / "any", [])
        path.write_bytes(path.read_bytes() + b"\n".join(content))
        (source,) = lines.sources(path)
        with lines.opened(source) as file:
            for block in lines.read(source, file):
                made = rows.maker(source.layout).rows(block)
                assert all(row.count(b"\n") == 0 for row in made.tables["directory_activity"])
                assert all(number >= 2 for number in made.refused)


@given(st.text(max_size=80))
def test_a_folded_word_is_plain_and_folds_to_itself(typed: str) -> None:
    folded = folding.key(typed)
    assert folded.isascii()
    assert folding.key(folded) == folded


@given(st.integers(0, 10**10 - 1), st.integers(0, 9))
def test_one_key_alone_is_right(number: int, other: int) -> None:
    right = rpps(number)
    assert rows.wrong_number(right.encode()) == ""
    wrong = right[:-1] + str(other)
    assert bool(rows.wrong_number(wrong.encode())) == (wrong != right)
