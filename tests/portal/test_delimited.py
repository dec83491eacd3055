"""What hospitals' CSV files have in common, whatever their lines are about."""

from pathlib import Path

import pytest

from portal import delimited
from portal.delimited import NotSuchAFile, Row


def _file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "sent.csv"
    path.write_bytes(content)
    return path


def _rows(path: Path) -> list[Row]:
    with delimited.opened(path) as file:
        return list(file)


def test_a_row_is_read_by_its_columns_whatever_surrounds_them(tmp_path: Path) -> None:
    path = _file(tmp_path, '\ufeffname ; town\r\n  Anne;"Lille; North"\r\n\r\nÉva;\r\n'.encode())
    assert [row.cells for row in _rows(path)] == [{"name": "Anne", "town": "Lille; North"}, {"name": "Éva", "town": ""}]


def test_a_line_of_another_width_says_so_and_stops_no_other(tmp_path: Path) -> None:
    path = _file(tmp_path, b"name;town\nAnne\nEva;Lens;62\nZoe;Arras\n")
    assert [(row.number, row.wrong) for row in _rows(path)] == [
        (2, "1 cells, 2 columns"),
        (3, "3 cells, 2 columns"),
        (4, ""),
    ]


def test_a_line_that_is_no_csv_stops_no_other(tmp_path: Path) -> None:
    *_, broken, last = _rows(_file(tmp_path, b'name;town\n"Anne"x;Lille\nZoe;Arras\n'))
    assert "cannot be read" in broken.wrong
    assert last.cells == {"name": "Zoe", "town": "Arras"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'"name"x;town\nAnne;Lille\n', "first line"),
        (b"name;town\n" + b"Anne;Lille\n" * 200_000 + b"\xc9va;Lens\n", "UTF-8"),
        (b"name;town\nAnne;Lille\n\xc3", "UTF-8"),
    ],
    ids=["broken header", "Latin-1 far from the beginning", "cut in a letter"],
)
def test_what_is_no_such_file_is_refused_before_its_first_row(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(NotSuchAFile, match=why), delimited.opened(_file(tmp_path, content)):
        pytest.fail("it was opened")


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    with delimited.opened(_file(tmp_path, b"name;more\n")) as file, pytest.raises(NotSuchAFile, match="town, postcode"):
        file.need(["name", "town", "postcode"])


def test_a_row_written_in_a_log_names_nobody(tmp_path: Path) -> None:
    assert "Anne" not in repr(_rows(_file(tmp_path, b"name\nAnne\n")))
