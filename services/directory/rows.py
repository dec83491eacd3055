"""Lines of a file as rows for COPY, or the reason why a line cannot be one. Pure.

Two million lines pass here: cells stay bytes unless somebody must read them, what can be asked of a block is asked of
the block, and what was told is not told again.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final, Protocol

from services.directory import folding
from services.directory.columns import Layout
from services.directory.lines import Lines
from services.directory.models import BOX_KINDS

Cells = tuple[bytes, ...]
_LONGEST_CELL: Final = 600
_LONG_LINE: Final = 800
"""Bytes. The cells of a shorter line fit an index whatever they hold."""
_REMEMBERED: Final = 150_000
"""Words that are known to have been told already; then they are forgotten, and told once more."""
_NAMES_REMEMBERED: Final = 40_000
_OTHER_NUMBER: Final = re.compile(rb"[0-79][0-9A-Z/]{4,30}")
_ADDRESS: Final = re.compile(r"[!#-'*+/-9=?A-Z^-~.-]{1,64}@[A-Za-z0-9.-]{3,190}")
_TOWN: Final = re.compile(r"^[0-9AB]{5} +")
_YES: Final = frozenset({"o", "oui", "1", "true"})


def _luhn_sums() -> dict[bytes, int]:
    """Four digits → what they add to the Luhn sum, standing an even number of digits before the end."""
    twice = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    return {b"%04d" % n: twice[n // 1000] + n // 100 % 10 + twice[n // 10 % 10] + n % 10 for n in range(10_000)}


_LUHN: Final = _luhn_sums()


def wrong_number(number: bytes) -> str:
    """Why this is no national identifier, "" when it is one: `8` and an RPPS number with its Luhn key (11 digits), or
    the type and number of another register (`0` and the ADELI number)."""
    if number.startswith(b"8"):
        try:
            total = _LUHN[b"0" + number[1:4]] + _LUHN[number[4:8]] + _LUHN[number[8:]]
        except KeyError:
            return "the RPPS number has not 11 digits"
        return "the key of the RPPS number is wrong" if total % 10 else ""
    return "" if _OTHER_NUMBER.fullmatch(number) else "the national identifier is missing, or is none"


@dataclass
class Rows:
    """Rows for COPY by table, and the lines refused, number → why."""

    tables: dict[str, list[bytes]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    def take_in(self, other: "Rows") -> None:
        for table, rows in other.tables.items():
            self.tables.setdefault(table, []).extend(rows)
        self.refused |= other.refused


class Maker(Protocol):
    """Makes rows of lines; remembers what it has told."""

    def rows(self, lines: Lines) -> Rows:
        """The rows of these lines."""


def maker(layout: Layout) -> Maker:
    """For the file of this layout."""
    return People(layout) if layout.kind == "people" else Boxes(layout)


def _picker(places: Mapping[str, int], width: int, names: tuple[str, ...]) -> Callable[[list[bytes]], Cells]:
    """Cells by our names, in this order; "" (the cell added after the last one) for a column that the file has not."""
    pick: Any = itemgetter(*(places.get(name, width) for name in names))
    return pick  # type: ignore[no-any-return]  # two names or more: a tuple of cells


def _cells(lines: Lines, width: int, refused: dict[int, str]) -> Iterator[tuple[int, list[bytes]]]:
    """Each readable line, cut, with an empty cell after the last one."""
    refused |= lines.wrong
    for number, line in enumerate(lines.text, lines.first):
        cells = line.split(b"|")
        if refused and number in refused:
            continue
        if len(cells) != width and not (len(cells) == width + 1 and not cells[-1]):
            if line:
                refused[number] = f"{len(cells)} cells, {width} columns"
            continue
        if len(line) > _LONG_LINE and len(max(cells, key=len)) > _LONGEST_CELL:
            refused[number] = "a cell is too long"
            continue
        cells.append(b"")
        yield number, cells


def _row(key: bytes, said: bytes) -> bytes:
    """A row for COPY, to which a backslash means something: its key, the digest of what it says, what it says."""
    row = b"%s\t%s\t%s" % (key, blake2b(said, digest_size=16).hexdigest().encode(), said)
    return row.replace(b"\\", b"\\\\") if b"\\" in row else row


def _word(kind: str, text: str, code: bytes = b"") -> bytes:
    return f"{kind}\t{text}\t".replace("\\", "\\\\").encode() + code.replace(b"\\", b"\\\\")


class People:
    """Lines of `Personne_activite`: a person, once for each run of their lines, where they work, and the words of both.

    Nothing of a line that is refused is kept.
    """

    _COLUMNS: Final = (
        "id", "title", "family", "given", "profession", "category", "speciality", "mode", "sector", "role",
        "structure_id", "finess", "siret", "postcode", "commune", "name", "sign", "number", "repeated", "street_kind",
        "street", "town", "phone", "fax", "email",
    )  # fmt: skip
    _NAMES: Final = slice(1, 4)
    _TERMS: Final = slice(4, 10)
    _WHERE: Final = slice(10, 17)
    _STREET: Final = slice(17, 21)
    _LABELS: Final = ("profession", "speciality", "mode", "sector", "role")

    def __init__(self, layout: Layout) -> None:
        self._width = layout.width
        self._pick = _picker(layout.places, layout.width, self._COLUMNS)
        labels = tuple(name for term in self._LABELS for name in (term, f"{term}_label"))
        self._pick_labels = _picker(layout.places, layout.width, labels)
        self._person = b""
        # Hashes: the words themselves would weigh five times as much.
        self._told: set[int] = set()
        self._keys: tuple[dict[bytes, bytes], ...] = ({}, {})

    def rows(self, lines: Lines) -> Rows:
        """See `Maker`."""
        people: list[bytes] = []
        activities: list[bytes] = []
        words: list[bytes] = []
        refused: dict[int, str] = {}
        for number, cells in _cells(lines, self._width, refused):
            row = self._pick(cells)
            if row[0] != self._person and not self._begin(row, number, people, words, refused):
                continue
            street = b" ".join(filter(None, row[self._STREET]))
            activities.append(_row(row[0], b"\t".join((*row[4:17], street, *row[21:]))))
            if self._is_new(row[self._TERMS]):
                words += self._labels(self._pick_labels(cells))
            if self._is_new(row[self._WHERE]):
                words += self._places(row)
        if len(self._told) > _REMEMBERED:
            self._told.clear()
        return Rows({"directory_person": people, "directory_activity": activities, "directory_word": words}, refused)

    def _is_new(self, told: object) -> bool:
        known = hash(told)
        if known in self._told:
            return False
        self._told.add(known)
        return True

    def _begin(self, row: Cells, number: int, people: list[bytes], words: list[bytes], refused: dict[int, str]) -> bool:
        """The first line in a row of somebody; False when it is refused, and so is each that follows it."""
        if why := wrong_number(row[0]) or ("" if row[2] else "the name is missing"):
            refused[number] = why
            return False
        self._person = row[0]
        families, givens = self._keys
        family = families.get(row[2]) or self._folded(0, row[2], words)
        given = givens.get(row[3]) or self._folded(1, row[3], words)
        people.append(_row(row[0], b"\t".join((*row[self._NAMES], family, given))))
        return True

    def _folded(self, place: int, name: bytes, words: list[bytes]) -> bytes:
        """A name as it is looked for, told the first time it comes."""
        known = self._keys[place]
        if len(known) > _NAMES_REMEMBERED:
            known.clear()
        key = folding.key(name.decode())
        known[name] = key.encode()
        if key:
            words.append(_word(("family", "given")[place], key))
        return known[name]

    def _labels(self, terms: Cells) -> Iterator[bytes]:
        for place, kind in enumerate(self._LABELS):
            code, label = terms[2 * place], terms[2 * place + 1]
            if code and label:
                yield _word(kind, label.decode(), b"%s/%s" % (terms[0], code) if kind == "speciality" else code)

    def _places(self, row: Cells) -> Iterator[bytes]:
        """The structure and its town, by all they may be looked for: names, then FINESS and SIRET; postcode, then
        name."""
        structure, finess, siret, postcode, commune, name, sign = (cell.decode() for cell in row[self._WHERE])
        text = " ".join(filter(None, (folding.key(f"{name} {sign}"), finess.lower(), siret.lower())))
        if structure and text:
            yield _word("structure", text, row[10])
        if commune:
            yield _word("place", f"{postcode.lower()} {folding.key(row[21].decode())}", row[14])


class Boxes:
    """Lines of `Correspondance_MSSante`: one box each. An address may be on several."""

    _COLUMNS: Final = ("address", "person_id", "structure", "kind", "postcode", "profession_code", "speciality_code",
                       "structure_name", "service", "title", "given", "family", "profession", "speciality", "number",
                       "street_kind", "street", "line", "sign", "paperless", "red_list", "rank")  # fmt: skip

    def __init__(self, layout: Layout) -> None:
        self._width = layout.width
        self._pick = _picker(layout.places, layout.width, self._COLUMNS)

    def rows(self, lines: Lines) -> Rows:
        """See `Maker`."""
        boxes: list[bytes] = []
        refused: dict[int, str] = {}
        for number, cells in _cells(lines, self._width, refused):
            picked = b"|".join(self._pick(cells)).decode().split("|")
            box = dict(zip(self._COLUMNS, picked, strict=True))
            if why := self._wrong(box):
                refused[number] = why
                continue
            boxes.append(self._row(box))
        return Rows({"directory_box": boxes}, refused)

    def _wrong(self, box: dict[str, str]) -> str:
        box["kind"] = box["kind"].upper()
        if box["kind"] not in BOX_KINDS:
            return "the kind of box is none we know"
        if not _ADDRESS.fullmatch(box["address"]):
            return "the address of the box is none"
        if box["kind"] == "PER" or box["person_id"]:
            return wrong_number(box["person_id"].encode())
        return ""

    def _row(self, box: dict[str, str]) -> bytes:
        holder = " ".join(filter(None, (box["title"], box["given"], box["family"])))
        street = " ".join(filter(None, (box["number"], box["street_kind"], box["street"])))
        name = box["structure_name"] or box["sign"]
        facts = (
            box["kind"], box["postcode"], box["profession_code"], box["speciality_code"], name, box["service"], holder,
            box["profession"], box["speciality"], street, _TOWN.sub("", box["line"]), _flag(box["paperless"]),
            _flag(box["red_list"]), _rank(box["rank"]),
        )  # fmt: skip
        key = f"{box['address'].lower()}\t{box['person_id']}\t{box['structure']}"
        return _row(key.encode(), "\t".join(facts).encode())


def _flag(cell: str) -> str:
    return "t" if cell.lower() in _YES else "f"


def _rank(cell: str) -> str:
    """The holder's order of preference; 0 when none is told."""
    return cell if cell.isascii() and cell.isdecimal() and len(cell) <= 3 else "0"
