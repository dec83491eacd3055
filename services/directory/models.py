"""The national directory as we keep it: people, where they work, their MSSanté boxes, and what each file brought.

Public data, of nobody of ours: names and professional addresses that the state publishes each day. Rows are known by
what the directory itself calls them (national identifier, address of a box), not by keys of ours: two million random
keys would double the work of each import, and nothing of ours refers to a row that tomorrow's file may take away.
There is no foreign key between the tables either: one merge writes them from one file.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

PLAIN = Text(collation="C")
"""Text compared byte by byte: folded keys and codes. Its comparisons are leakproof, so indexes work under policies."""

KINDS = ("people", "boxes")
STATES = ("reading", "merging", "done", "refused")
BOX_KINDS = ("PER", "ORG", "APP", "CAB")
WORD_KINDS = ("family", "given", "structure", "place", "profession", "speciality", "mode", "sector", "role")


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def _person() -> list[Column[Any]]:
    names = ("title", "family", "given")
    return [
        Column("id", PLAIN, nullable=False),
        Column("digest", Uuid, nullable=False),
        *(Column(name, Text, nullable=False) for name in names),
        *(Column(name, PLAIN, nullable=False) for name in ("family_key", "given_key")),
    ]


ACTIVITY_CODES = ("profession", "category", "speciality", "mode", "sector", "role", "structure_id", "finess", "siret",
                  "postcode", "commune")  # fmt: skip
ACTIVITY_TEXTS = ("name", "sign", "address", "town", "phone", "fax", "email")


def _activity() -> list[Column[Any]]:
    return [
        Column("person_id", PLAIN, nullable=False),
        Column("digest", Uuid, nullable=False),
        *(Column(name, PLAIN, nullable=False) for name in ACTIVITY_CODES),
        *(Column(name, Text, nullable=False) for name in ACTIVITY_TEXTS),
    ]


BOX_CODES = ("structure", "postcode", "profession_code", "speciality_code")
BOX_TEXTS = ("structure_name", "service", "holder", "profession", "speciality", "address_line", "town")


def _box() -> list[Column[Any]]:
    return [
        *(Column(name, PLAIN, nullable=False) for name in ("address", "person_id")),
        Column("structure", PLAIN, nullable=False),
        Column("digest", Uuid, nullable=False),
        Column("kind", PLAIN, nullable=False),
        *(Column(name, PLAIN, nullable=False) for name in BOX_CODES if name != "structure"),
        *(Column(name, Text, nullable=False) for name in BOX_TEXTS),
        Column("paperless", Boolean, nullable=False),
        Column("red_list", Boolean, nullable=False),
        Column("rank", SmallInteger, nullable=False),
    ]


def _word() -> list[Column[Any]]:
    return [Column(name, PLAIN, nullable=False) for name in ("kind", "text", "code")]


def _keyed(columns: list[Column[Any]], *key: str) -> list[Column[Any]]:
    for column in columns:
        column.primary_key = column.name in key
    return columns


directory_person = Table(
    "directory_person",
    Base.metadata,
    *_keyed(_person(), "id"),
    Index("ix_directory_person_name", "family_key", "given_key"),
)
"""One professional. id: `8` and the RPPS number, or `0` and the ADELI number. *_key: folded (`folding.key`)."""

directory_activity = Table(
    "directory_activity",
    Base.metadata,
    *_keyed(_activity(), "person_id", "digest"),
    Index("ix_directory_activity_commune", "commune", "profession", "speciality"),
    Index("ix_directory_activity_structure_id", "structure_id"),
)
"""One professional at one structure. digest: of all it holds, since a line of the file has no number of its own.
Codes are the nomenclatures'; their labels are in `directory_word`."""

directory_box = Table(
    "directory_box",
    Base.metadata,
    *_keyed(_box(), "address", "person_id", "structure"),
    Index("ix_directory_box_person_id", "person_id", postgresql_where=text("person_id <> ''")),
    Index("ix_directory_box_structure", "structure", postgresql_where=text("structure <> ''")),
)
"""An MSSanté box, of a person or of an organisation; some addresses are on several lines. address: in lower case.
structure: the FINESS number, or how else the file names it. paperless: its holder wants no paper any more.
rank: the holder's preference, 1 first; 0 when the file does not tell. red_list: never shown, never proposed."""

directory_word = Table(
    "directory_word",
    Base.metadata,
    *_keyed(_word(), "kind", "text", "code"),
    CheckConstraint(_among("kind", WORD_KINDS), "kind"),
    *(
        Index(f"ix_directory_word_{kind}", "text", postgresql_using="gin", postgresql_ops={"text": "gin_trgm_ops"},
              postgresql_where=text(f"kind = '{kind}'"))
        for kind in ("family", "given", "structure", "place")
    ),
    Index("ix_directory_word_code", "kind", "code"),
)  # fmt: skip
"""What may be looked for: each name once, each structure, each town, and the labels of codes. Names nobody, so that
everything may be compared with it, in an index, letter by letter."""

STAGING = {
    "directory_person": Table("directory_person_staging", Base.metadata, *_person(), prefixes=["unlogged"]),
    "directory_activity": Table("directory_activity_staging", Base.metadata, *_activity(), prefixes=["unlogged"]),
    "directory_box": Table("directory_box_staging", Base.metadata, *_box(), prefixes=["unlogged"]),
    "directory_word": Table("directory_word_staging", Base.metadata, *_word(), prefixes=["unlogged"]),
}
"""Lines of a file on their way: unlogged and without policies, since COPY is refused on tables that have some. A file
that is cut leaves them there, and goes on from there."""


class DirectoryImport(Keyed, Base):
    """One file of the directory. origin: the archive that held it, or itself. generated_on: the moment in its name, as
    it is written there ("202611220613"). read_to, lines: how far it was read, in bytes and in lines. staged: lines that
    wait for the merge.

    counts: {"people" | "activities" | "boxes": {"added", "changed", "removed", "unchanged", "repeated"}}.
    refused: lines that could not be read; samples: the first of them, [{"line", "why"}]. why: a file refused whole.
    """

    __tablename__ = "directory_import"
    __table_args__ = (
        CheckConstraint(_among("kind", KINDS), "kind"),
        CheckConstraint(_among("state", STATES), "state"),
        Index("ix_directory_import_began_at", "began_at"),
    )

    kind: Mapped[str]
    file_name: Mapped[str]
    origin: Mapped[str]
    generated_on: Mapped[str] = mapped_column(default="")
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(BigInteger)
    actor: Mapped[str]
    began_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="reading")
    why: Mapped[str] = mapped_column(default="")
    read_to: Mapped[int] = mapped_column(BigInteger, default=0)
    lines: Mapped[int] = mapped_column(default=0)
    staged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    samples: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    counts: Mapped[dict[str, dict[str, int]]] = mapped_column(JSONB, default=dict)
