"""Tables on an A4 sheet that screen readers walk through: rows, cells and headings are tagged (PDF/UA-1, 7.5).

fpdf2 tags what stands directly in the document; a table is a tree. Each page has a table of its own, with its head.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import accumulate
from typing import Final, cast

from fpdf.enums import Align, MethodReturnValue
from fpdf.structure_tree import StructElem, StructureTreeBuilder
from fpdf.syntax import PDFObject

from portal.pdf import Sheet

_SIZE: Final = 9.0
_PADDING: Final = 1.2  # millimetres


class _Element(StructElem):
    """a: its attributes, written as PDF."""

    __slots__ = ("_page", "a")

    def __init__(
        self, struct_type: str, parent: PDFObject, page: int, *, kids: Sequence[int] = (), a: str = ""
    ) -> None:
        super().__init__(struct_type, parent, list(kids), page_number=page)
        self.a = a or None

    @property  # type: ignore[override]  # a plain attribute in fpdf
    def pg(self) -> PDFObject | None:
        """The page it stands on: its own once the file is written, that of the table for what is in it."""
        return self._page or (self.p.pg if isinstance(self.p, StructElem) else None)

    @pg.setter
    def pg(self, page: PDFObject | None) -> None:
        self._page = page


class _Tree(StructureTreeBuilder):
    """The same tree with branches: marked contents are numbered page by page, wherever they hang."""

    def __init__(self) -> None:
        super().__init__()
        self.marks: defaultdict[int, int] = defaultdict(int)

    def next_mcid_for_page(self, page_number: int) -> int:
        self.marks[page_number] += 1
        return self.marks[page_number] - 1

    def branch(self, kind: str, parent: StructElem, page: int) -> StructElem:
        made = _Element(kind, parent, page)
        parent.k.append(made)
        return made

    def leaf(self, kind: str, parent: StructElem, page: int, a: str) -> tuple[StructElem, int, int]:
        """A cell with words in it; its mark, and the place of its page in the tree of parents."""
        mark = self.next_mcid_for_page(page)
        place = self.spid_per_page_number.setdefault(page, len(self.spid_per_page_number))
        made = _Element(kind, parent, page, kids=[mark], a=a)
        parent.k.append(made)
        self.struct_tree_root.parent_tree.nums[place].append(made)
        return made, mark, place

    def __iter__(self) -> Iterator[PDFObject]:
        yield self.struct_tree_root
        yield self.doc_struct_elem
        yield self.struct_tree_root.parent_tree
        for each in self.doc_struct_elem.k:
            yield from _with_branches(each)


def _with_branches(element: StructElem) -> Iterator[StructElem]:
    yield element
    for kid in element.k:
        if isinstance(kid, StructElem):
            yield from _with_branches(kid)


class TableSheet(Sheet):
    """A sheet on which tables are written too. size: of their letters, in points. has_numbers: whether the cells after
    the first one are numbers, which stand at the end of their column."""

    size = _SIZE
    has_numbers = True

    def __init__(self, title: str, language: str, made_at: datetime) -> None:
        super().__init__(title, language, made_at)
        self._tree = _Tree()
        self.struct_builder = self._tree
        self._split: dict[tuple[str, float, str], list[str]] = {}

    def write_table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> None:
        """shares: of the width, by column. The first cell of a row names it. In Arabic the first
        column is the one on the right.
        """
        room = self.w - self.l_margin - self.r_margin
        widths = [room * share / sum(shares) for share in shares]
        margin, self.c_margin = self.c_margin, _PADDING
        opened: StructElem | None = None
        for row in rows:
            if opened is None or self.will_page_break(self._height(row, widths)):
                if opened is not None:
                    self.add_page()
                opened = self._open(head, row, widths)
            self._row(opened, row, widths, is_head=False)
        self.c_margin = margin
        self.ln(3)

    def _open(self, head: Sequence[str], first: Sequence[str], widths: Sequence[float]) -> StructElem:
        if self.will_page_break(self._height(head, widths) + self._height(first, widths)):
            self.add_page()
        table = self._tree.branch("/Table", self._tree.doc_struct_elem, self.page)
        self._row(table, head, widths, is_head=True)
        return table

    def _row(self, table: StructElem, cells: Sequence[str], widths: Sequence[float], *, is_head: bool) -> None:
        row = self._tree.branch("/TR", table, self.page)
        top, height = self.get_y(), self._height(cells, widths)
        for at, (words, width, left) in enumerate(zip(cells, widths, self._lefts(widths), strict=True)):
            style = "B" if is_head else ""
            self.take_up(style, self.size)
            with self._cell(row, words, is_column=is_head, is_row=at == 0):
                for line, text in enumerate(self._lines(words, width, style)):
                    self.set_xy(left, top + 0.6 + line * self.size * 0.45)
                    self.cell(width, self.size * 0.45, text, align=self._align(at))
        with self._artifact():
            self.set_draw_color(60 if is_head else 205)
            self.line(self.l_margin, top + height, self.w - self.r_margin, top + height)
        self.set_xy(self.l_margin, top + height)

    def _lefts(self, widths: Sequence[float]) -> list[float]:
        ends = list(accumulate(widths))
        if self.is_arabic:
            return [self.w - self.r_margin - end for end in ends]
        return [self.l_margin + end - width for end, width in zip(ends, widths, strict=True)]

    def _align(self, column: int) -> Align:
        begins = column == 0 or not self.has_numbers
        return Align.L if begins != self.is_arabic else Align.R

    @contextmanager
    def _cell(self, row: StructElem, words: str, *, is_column: bool, is_row: bool) -> Iterator[None]:
        scope = "Column" if is_column else "Row" if is_row else ""
        kind, a = ("TH", f"<</O /Table /Scope /{scope}>>") if scope else ("TD", "")
        _made, mark, place = self._tree.leaf(f"/{kind}", row, self.page, a)
        self.pages[self.page].struct_parents = place
        self._out(f"/{kind} <</MCID {mark}{self.aloud(words) if self.is_arabic else ''}>> BDC")
        yield
        self._out("EMC")

    def _height(self, cells: Sequence[str], widths: Sequence[float]) -> float:
        most = max(len(self._lines(words, width, "B")) for words, width in zip(cells, widths, strict=True))
        return most * self.size * 0.45 + 1.4

    def _lines(self, words: str, width: float, style: str) -> list[str]:
        """Measuring is most of the work, and the same words come back on every page."""
        key = words, width, style
        if key not in self._split:
            self.take_up(style, self.size)
            said = self.printable(words, style)
            split = self.multi_cell(width, 1, said, align="L", dry_run=True, output=MethodReturnValue.LINES)
            self._split[key] = [each.rstrip("\n") for each in cast(list[str], split)] if said.strip() else [""]
        return self._split[key]
