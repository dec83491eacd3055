"""Who is in the national directory, where they work, and the box to write to them. For whoever is signed in for the
hospital or as a practitioner, and for jobs (row-level security).

Boxes on the red list are never shown nor proposed. People are found by folded names (`folding.key`): the protected
tables are only asked with `=` and ranges, which the database does in an index; resemblance is asked of
`directory_word`, which names nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from portal.db import session
from services.directory import folding, seeking
from services.directory.models import directory_activity, directory_box, directory_word
from services.directory.seeking import PAGE_SIZE, Asked

__all__ = [
    "PAGE_SIZE",
    "Activity",
    "Asked",
    "Box",
    "Found",
    "Person",
    "box",
    "boxes_at",
    "boxes_of",
    "occupations",
    "person",
    "preferred",
    "search",
]
_LABELLED = ("profession", "speciality", "mode", "sector", "role")


@dataclass(frozen=True)
class Box:
    """One MSSanté box. kind: PER (a person's), ORG, APP or CAB. rpps: of its holder, "" for an organisation. holder:
    the name to show. structure: FINESS number, or how else the directory names it. paperless: no paper wanted."""

    address: str
    kind: str
    rpps: str
    holder: str
    structure: str
    structure_name: str
    service: str
    profession: str
    speciality: str
    postcode: str
    town: str
    paperless: bool
    rank: int

    @property
    def label(self) -> str:
        """The line to show beside the address: `Dre Nora BELKACEM`, or `Cardiologie, CH TOURS`."""
        return self.holder or ", ".join(filter(None, (self.service, self.structure_name))) or self.address


@dataclass(frozen=True)
class Activity:
    """One place where somebody works. profession, speciality, mode, sector, role: labels, or codes without one."""

    profession: str
    speciality: str
    mode: str
    sector: str
    role: str
    category: str
    structure_id: str
    finess: str
    name: str
    sign: str
    address: str
    postcode: str
    town: str
    phone: str
    fax: str
    email: str

    @property
    def occupation(self) -> str:
        return self.speciality or self.profession

    @property
    def place(self) -> str:
        """Its name, or that of the sign on the door."""
        return self.name or self.sign


@dataclass(frozen=True)
class Person:
    """One professional. id: national identifier, `8` and the RPPS number or `0` and the ADELI number."""

    id: str
    title: str
    family: str
    given: str
    activities: Sequence[Activity] = ()
    boxes: Sequence[Box] = ()

    @property
    def rpps(self) -> str:
        """Eleven digits, "" for those who have only an ADELI number."""
        return self.id[1:] if self.id.startswith("8") else ""

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.title, self.given, self.family)))


@dataclass(frozen=True)
class Found:
    """One page of a search. has_next: there are more. similar: names that look like what was asked, since none is spelt
    so or since that was asked for. too_vague: a name, a place or a structure is needed."""

    people: Sequence[Person] = ()
    has_next: bool = False
    similar: bool = False
    too_vague: bool = False


def search(
    name: str = "", *, speciality: str = "", place: str = "", structure: str = "", similar: bool = False, page: int = 1
) -> Found:
    """Find people, by family name then given name.

    name: the beginning of a name, in any order, accents or not, or an RPPS number; names that look like it when none
    begins so. speciality: a profession's code, or `profession/speciality` (see `occupations`). place: a town, a
    postcode or its beginning. structure: words of its name, or its FINESS or SIRET number. similar: look for names that
    look like it even if some begin so.
    """
    asked = Asked.of(name, speciality, place, structure, page)
    if asked.is_vague:
        return Found(too_vague=True)
    rows = [] if similar and asked.words else seeking.exact(asked)
    resembling = not rows and bool(asked.words)
    if resembling:
        rows = seeking.similar(asked)
    people = _complete(rows[: asked.size])
    return Found(people, len(rows) > asked.size, resembling and bool(people))


def person(rpps: str) -> Person | None:
    """Somebody by their RPPS number (11 digits) or national identifier (`8` and the number, `0` and the ADELI)."""
    found = seeking.by_number(rpps)
    return _complete(found)[0] if found else None


def boxes_of(rpps: str, near: str = "") -> Sequence[Box]:
    """Somebody's boxes, the one to write to first. near: the FINESS number, postcode or town where they are written
    to: a box of that place goes before the others, after what the holder prefers."""
    identity, held = seeking.identity(rpps), directory_box.c.person_id
    return _preferred_first(_boxes(held == identity, held != ""), near) if identity else []


def preferred(rpps: str, near: str = "") -> Box | None:
    """The one box to write to, or None when they have none that is published."""
    return next(iter(boxes_of(rpps, near)), None)


def boxes_at(structure: str) -> Sequence[Box]:
    """Boxes of an organisation, by the name of the service. structure: its FINESS number, or how else its boxes name
    it. Boxes of people who work there are not among them."""
    place = directory_box.c.structure
    here = (place == structure, place != "", directory_box.c.kind != "PER")
    return sorted(_boxes(*here), key=lambda each: (each.service, each.address)) if structure else []


def box(address: str) -> Box | None:
    """The box of this address, whatever the case, or None when the directory has none or must not tell. An address
    that is on several lines answers with one of them, always the same."""
    return next(iter(_boxes(directory_box.c.address == address.strip().lower())), None)


def occupations() -> Sequence[tuple[str, str]]:
    """(code, label) of professions and of `profession/speciality`, by label, for a list to choose from."""
    rows = session.execute(
        select(directory_word.c.kind, directory_word.c.code, directory_word.c.text).where(
            directory_word.c.kind.in_(("profession", "speciality"))
        )
    ).all()
    label = {row.code: row.text for row in rows if row.kind == "profession"}
    listed = list(label.items())
    for row in rows:
        if row.kind == "speciality":
            profession = row.code.partition("/")[0]
            listed.append((row.code, f"{label.get(profession, profession)} – {row.text}"))
    return sorted(listed, key=lambda each: folding.key(each[1]))


def _complete(rows: Sequence[Row[Any]]) -> Sequence[Person]:
    """People with where they work and their boxes: three statements, however many they are."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    activities = _activities(ids)
    boxes: dict[str, list[Box]] = {}
    for held, each in _held(seeking.among(directory_box.c.person_id, ids), directory_box.c.person_id != ""):
        boxes.setdefault(held, []).append(each)
    return [
        Person(row.id, row.title, row.family, row.given, activities.get(row.id, ()),
               _preferred_first(boxes.get(row.id, ()), ""))
        for row in rows
    ]  # fmt: skip


def _activities(ids: Sequence[str]) -> dict[str, list[Activity]]:
    found: dict[str, list[Activity]] = {}
    table = directory_activity.c
    rows = session.execute(
        select(directory_activity)
        .where(seeking.among(table.person_id, ids))
        .order_by(table.person_id, table.name, table.digest)
    ).all()
    said = _labels(rows)
    for row in rows:
        labels = {kind: said.get(code, code[1].rpartition("/")[2]) for kind, code in _codes(row).items()}
        facts = {name: getattr(row, name) for name in Activity.__dataclass_fields__ if name not in labels}
        found.setdefault(row.person_id, []).append(Activity(**facts, **labels))
    return found


def _codes(row: Row[Any]) -> dict[str, tuple[str, str]]:
    codes = {kind: (kind, getattr(row, kind)) for kind in _LABELLED}
    if row.speciality:
        codes["speciality"] = ("speciality", f"{row.profession}/{row.speciality}")
    return codes


def _labels(rows: Iterable[Row[Any]]) -> dict[tuple[str, str], str]:
    wanted = sorted({code for row in rows for _kind, code in _codes(row).values() if code})
    if not wanted:
        return {}
    word = directory_word.c
    found = session.execute(
        select(word.kind, word.code, func.min(word.text).label("text"))
        .where(seeking.among(word.kind, _LABELLED), seeking.among(word.code, wanted))
        .group_by(word.kind, word.code)
    )
    return {(row.kind, row.code): row.text for row in found}


def _held(*where: Any) -> list[tuple[str, Box]]:
    """(national identifier of the holder, box), in a stable order; none of the red list."""
    table = directory_box.c
    rows = session.execute(
        select(directory_box).where(*where, ~table.red_list).order_by(table.address, table.person_id, table.structure)
    )
    return [(row.person_id, _box(row)) for row in rows]


def _boxes(*where: Any) -> list[Box]:
    return [each for _holder, each in _held(*where)]


def _box(row: Row[Any]) -> Box:
    facts = {name: getattr(row, name) for name in Box.__dataclass_fields__ if name != "rpps"}
    return Box(**facts, rpps=row.person_id[1:] if row.person_id.startswith("8") else "")


def _preferred_first(boxes: Iterable[Box], near: str) -> Sequence[Box]:
    """The holder's own order first; then a box of the place, one of no place, one that wants no paper."""
    wanted = folding.key(near)

    def order(each: Box) -> tuple[int, bool, bool, bool, str]:
        is_here = wanted != "" and wanted in (each.structure.lower(), each.postcode, folding.key(each.town))
        return (each.rank or 99, not is_here, each.structure != "", not each.paperless, each.address)

    once: dict[str, Box] = {}
    for each in sorted(boxes, key=order):
        once.setdefault(each.address, each)
    return list(once.values())
