"""Tables on a sheet: rows may go over the end of a page, and no table is too wide or too odd to be printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from fpdf.enums import MethodReturnValue

from portal.pdf import Sheet

_MAX_COLUMNS: Final = 20  # the words of more stand in the last: none is lost
_PADDING: Final = 1.2  # millimetres
_LEAST: Final = 7.0  # a few letters, whatever stands beside


@dataclass(frozen=True)
class Cell:
    """One cell; across: how many columns it takes, down: how many rows."""

    text: str
    is_heading: bool = False
    across: int = 1
    down: int = 1


@dataclass(frozen=True)
class _Placed:
    column: int
    cell: Cell


def table(sheet: Sheet, rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table; a cell over several rows stands in the first of them."""
    placed = _placed(rows)
    columns = max((each.column + each.cell.across for row in placed for each in row), default=0)
    if not columns:
        return
    size = 9.5 if columns <= 5 else 8.0 if columns <= 9 else 6.0
    margin, sheet.c_margin = sheet.c_margin, 0
    widths = _widths(sheet, placed, columns, size)
    for row in placed:
        _print(sheet, row, widths, size)
    sheet.c_margin = margin
    _line(sheet)
    sheet.ln(2)


def _placed(rows: Sequence[Sequence[Cell]]) -> list[list[_Placed]]:
    """Give each cell its column, around those that come down from rows above."""
    taken: dict[int, int] = {}
    placed: list[list[_Placed]] = []
    for row in rows:
        here: list[_Placed] = []
        column = 0
        for cell in row:
            while taken.get(column, 0) > 0:
                column += 1
            if column >= _MAX_COLUMNS and not here:  # a row with no room left under those above
                taken, column = {}, 0
            if column >= _MAX_COLUMNS:
                here[-1] = _Placed(here[-1].column, _with(here[-1].cell, cell))
                continue
            across = min(cell.across, _MAX_COLUMNS - column)
            here.append(_Placed(column, Cell(cell.text, cell.is_heading, across, cell.down)))
            column += across
        taken = {at: left - 1 for at, left in taken.items() if left > 1}
        for each in here:
            taken |= {each.column + at: each.cell.down - 1 for at in range(each.cell.across) if each.cell.down > 1}
        placed.append(here)
    return placed


def _with(cell: Cell, other: Cell) -> Cell:
    """Put the words of one cell too many behind those of the last: none is lost."""
    return Cell(f"{cell.text} {other.text}", cell.is_heading, cell.across, cell.down)


def _widths(sheet: Sheet, placed: Sequence[Sequence[_Placed]], columns: int, size: float) -> list[float]:
    """Share the width of the page: no word cut where there is room for it, the rest by the length of the words."""
    wanted = [_LEAST] * columns
    lengths = [4.0] * columns
    sheet.take_up("B", size)
    for row in placed:
        for each in (each for each in row if each.cell.across == 1):
            wanted[each.column] = max(wanted[each.column], _longest(sheet, each.cell.text) + 2 * _PADDING + 0.5)
            lengths[each.column] = max(lengths[each.column], min(float(len(each.cell.text)), 60.0))
    room = sheet.w - sheet.l_margin - sheet.r_margin
    if sum(wanted) > room:
        more = [each - _LEAST for each in wanted]
        return [_LEAST + (room - _LEAST * columns) * each / sum(more) for each in more]
    spare = room - sum(wanted)
    return [each + spare * length / sum(lengths) for each, length in zip(wanted, lengths, strict=True)]


def _longest(sheet: Sheet, text: str) -> float:
    """Measure the longest word, as far as one can be long."""
    words = sorted(text.split(), key=len)[-2:]
    return max((float(sheet.get_string_width(sheet.printable(word[:40], "B"))) for word in words), default=0.0)


def _print(sheet: Sheet, row: Sequence[_Placed], widths: Sequence[float], size: float) -> None:
    height = size * 0.5
    columns = [(each, _lines(sheet, each, widths, size)) for each in row]
    count = max((len(lines) for _, lines in columns), default=0)
    if sheet.will_page_break(height * min(count, 3) + 1):
        sheet.add_page()
    _line(sheet)
    for number in range(count):
        if sheet.will_page_break(height):
            sheet.add_page()
        at = sheet.get_y()
        for each, lines in columns:
            if number < len(lines):
                sheet.set_xy(sheet.l_margin + sum(widths[: each.column]) + _PADDING, at)
                sheet.take_up("B" if each.cell.is_heading else "", size)
                sheet.cell(0, height, lines[number].rstrip("\n"))
        sheet.set_xy(sheet.l_margin, at + height)
    sheet.ln(0.8)


def _lines(sheet: Sheet, each: _Placed, widths: Sequence[float], size: float) -> list[str]:
    style = "B" if each.cell.is_heading else ""
    sheet.take_up(style, size)
    width = sum(widths[each.column : each.column + each.cell.across]) - 2 * _PADDING
    said = sheet.printable(each.cell.text, style)
    split = sheet.multi_cell(width, 1, said, align="L", dry_run=True, output=MethodReturnValue.LINES)
    return list(cast(list[str], split)) if said.strip() else []


def _line(sheet: Sheet) -> None:
    sheet.set_draw_color(190)
    at = sheet.get_y()
    sheet.line(sheet.l_margin, at, sheet.w - sheet.r_margin, at)
    sheet.ln(0.8)
