"""Definitions as they were: every change of one makes a version, and the past keeps its own."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import force_locale
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert

from portal import db
from portal.db import session
from portal.kpi import standing
from portal.kpi.catalogue import Definition, definition, definitions
from portal.kpi.models import KpiDefinition

_LANGUAGES: Final = ("fr", "en")


@dataclass(frozen=True)
class StoredDefinition:
    """One version of a definition. digest: hexadecimal SHA-256 of what makes it another one."""

    code: str
    version: int
    title: str
    numerator: str
    denominator: str
    unit: str
    events: tuple[str, ...]
    grain: str
    dimensions: tuple[str, ...]
    revision: int
    digest: str
    stored_at: datetime


def store_definitions() -> int:
    """Write a new version of each definition that is not as it was stored last; returns how many.

    A definition is another one when its English texts, its unit, its events, its grain, its dimensions or its
    `revision` changed. After each migration, and when a worker starts; two at once write nothing twice.
    """
    session.execute(text("select pg_advisory_xact_lock(hashtext('parvis.kpi.definitions'))"))
    last = {code: (version, digest) for code, version, digest in session.execute(_LAST)}
    rows = []
    for each in definitions():
        described, (version, digest) = _described(each), last.get(each.code, (each.version - 1, b""))
        if (new := _digest(described)) != digest:
            rows.append(described | {"version": version + 1, "digest": new, "words": _words(each)})
    if rows:
        session.execute(insert(KpiDefinition).inline(), [row | {"stored_at": db.now()} for row in rows])
    standing.forget()
    return len(rows)


_LAST = (
    select(KpiDefinition.code, KpiDefinition.version, KpiDefinition.digest)
    .ext(distinct_on(KpiDefinition.code))
    .order_by(KpiDefinition.code, KpiDefinition.version.desc())
)


def version_of(code: str) -> int:
    """The version in use. Raises KeyError."""
    return standing.standing().versions.get(code) or definition(code).version


def stored(code: str, locale: str = "en") -> Sequence[StoredDefinition]:
    """Every version of a definition, the latest first, with its texts in this language."""
    rows = session.scalars(
        select(KpiDefinition).where(KpiDefinition.code == code).order_by(KpiDefinition.version.desc())
    )
    return [_read(row, locale) for row in rows]


def _read(row: KpiDefinition, locale: str) -> StoredDefinition:
    title, numerator, denominator = row.words.get(locale) or (row.title, row.numerator, row.denominator)
    return StoredDefinition(
        row.code, row.version, title, numerator, denominator, row.unit, tuple(row.events), row.grain,
        tuple(row.dimensions), row.revision, row.digest.hex(), row.stored_at,
    )  # fmt: skip


def _described(each: Definition) -> dict[str, object]:
    title, numerator, denominator = _texts(each, "en")
    return {
        "code": each.code,
        "title": title,
        "numerator": numerator,
        "denominator": denominator,
        "unit": each.unit,
        "events": sorted({*each.events, *([each.event] if each.event else [])}),
        "grain": "month" if each.by_month else "day",
        "dimensions": sorted({*each.dimensions, *([] if each.portal else ["establishment"])}),
        "revision": each.revision,
    }


def _texts(each: Definition, locale: str) -> list[str]:
    with force_locale(locale):
        return [str(each.title), str(each.numerator), str(each.denominator)]


def _words(each: Definition) -> dict[str, list[str]]:
    return {locale: _texts(each, locale) for locale in _LANGUAGES}


def _digest(described: dict[str, object]) -> bytes:
    return hashlib.sha256(json.dumps(described, sort_keys=True, ensure_ascii=True).encode()).digest()
