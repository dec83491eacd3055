"""The results of a laboratory as rows: what was measured, how much, the range it is usually in, and the mark it bears.

Never an interpretation: the mark is the laboratory's own, and a result without one has none here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, tuple_

from portal.db import session
from services.documents import cda
from services.documents.models import Document
from services.documents.reading.models import DocumentResult

FLAGS: Final = frozenset({"N", "H", "L", "HH", "LL", "A", "AA"})
MOST_KEPT: Final = cda.MAX_RESULTS
"""Results of one document; what is beyond stays in the document."""

_LONGEST: Final = 300
_MOST_POINTS: Final = 12
_MOST_READ: Final = 1_000


@dataclass(frozen=True)
class Row:
    """One result. code: LOINC, or the laboratory's own. value: as it was written (`7.67`, `< 5`, `Négatif`).

    number: the value when it is one; unit: UCUM as written. range: the usual values, as one reads them
    (`0.270 – 4.200`); low, high: its ends. flag: N | H | L | HH | LL | A | AA, "" when the laboratory marked nothing
    (HL7 table 0078; HH, LL and AA are critical). at: when the sample was taken, the day of the document when unsaid.
    group: the title it stands under.
    """

    label: str
    code: str = ""
    value: str = ""
    number: Decimal | None = None
    unit: str = ""
    range: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    flag: str = ""
    at: datetime | None = None
    group: str = ""


@dataclass(frozen=True)
class Point:
    """A value that the same patient had for the same measure, in the same unit."""

    at: datetime
    number: Decimal
    value: str
    document_id: UUID


@dataclass(frozen=True)
class Shown:
    """A result on a page. before_and_after: the values of the patient's other documents and this one, oldest first."""

    result: DocumentResult
    points: Sequence[Point] = ()

    @property
    def has_trend(self) -> bool:
        return len(self.points) > 1


def of_cda(data: bytes) -> list[Row]:
    """The results inside a clinical document. Raises CdaError."""
    return [_row(each) for each in cda.results(data)]


def _row(found: cda.Result) -> Row:
    return Row(
        label=found.label,
        code=found.code,
        value=found.value.text,
        number=found.value.number,
        unit=found.value.unit,
        range=found.usual or _range(found.low.text, found.high.text),
        low=found.low.number,
        high=found.high.number,
        flag=found.flag,
        at=found.at,
        group=found.group,
    )


def _range(low: str, high: str) -> str:
    if low and high:
        return f"{low} – {high}"
    return f"≥ {low}" if low else f"≤ {high}" if high else ""


def keep(document: Document, rows: Sequence[Row]) -> None:
    """Write the results of a document that was just written in this transaction (flushed), once: a second call
    replaces the first. For those that come apart from the document (HL7 v2 ORU); those inside a CDA are read by the
    room's own job. Longer texts are cut, unknown flags are left out."""
    session.execute(delete(DocumentResult).where(DocumentResult.document_id == document.id))
    kept = [_columns(document, rank, row) for rank, row in enumerate(rows[:MOST_KEPT])]
    if kept:
        session.execute(insert(DocumentResult), kept)


def _columns(document: Document, rank: int, row: Row) -> dict[str, Any]:
    texts = {name: getattr(row, name)[:_LONGEST] for name in ("group", "label", "code", "value", "unit", "range")}
    return texts | {
        "id": uuid4(),
        "document_id": document.id,
        "establishment_id": document.establishment_id,
        "rank": rank,
        "number": row.number,
        "low": row.low,
        "high": row.high,
        "flag": row.flag if row.flag in FLAGS else "",
        "at": row.at or document.authored_at,
    }


def of_document(document: Document) -> list[Shown]:
    """The results of a document in its own order, each with what the patient's other documents say of the same."""
    found = session.scalars(
        select(DocumentResult).where(DocumentResult.document_id == document.id).order_by(DocumentResult.rank)
    ).all()
    series = _series(document, found)
    return [Shown(each, series.get((each.code, each.unit), ())) for each in found]


def _series(document: Document, found: Sequence[DocumentResult]) -> dict[tuple[str, str], list[Point]]:
    """The latest values of the patient for these measures, by code and unit, oldest first."""
    measures = {(each.code, each.unit) for each in found if each.code and each.number is not None}
    if document.patient_id is None or not measures:
        return {}
    rows = session.execute(
        select(DocumentResult)
        .join(Document, Document.id == DocumentResult.document_id)
        .where(
            Document.patient_id == document.patient_id,
            Document.state == "filed",
            DocumentResult.number.is_not(None),
            tuple_(DocumentResult.code, DocumentResult.unit).in_(measures),
        )
        .order_by(DocumentResult.at.desc(), DocumentResult.document_id, DocumentResult.rank)
        .limit(_MOST_READ)
    ).scalars()
    series: dict[tuple[str, str], list[Point]] = {}
    for each in rows:
        points = series.setdefault((each.code, each.unit), [])
        if len(points) < _MOST_POINTS and each.number is not None:
            points.insert(0, Point(each.at, each.number, each.value, each.document_id))
    return series
