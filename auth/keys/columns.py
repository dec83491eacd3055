"""Sealed columns, sealed anew with the current one of the files' keys, and the index of beneficiary numbers, made anew
with the portal's current secret.

Rows are taken a few hundred at a time, each batch in a transaction of its own, and a row is written only if it still
holds what was read: what somebody changed meanwhile was made with the current key. Stopped half-way, the next run finds
what is left. Columns of the type `SealedText` are found by themselves; the others are listed. Codes of a quarter of an
hour are not among them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Table,
    Text,
    case,
    false,
    func,
    literal,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)

from auth.factors import recovery
from auth.factors import sealing as factors
from auth.factors.models import Factor, RecoveryCode
from auth.hospital_providers.models import HospitalProvider
from auth.identity import nir, sealing
from auth.identity.sealing import SealedText
from auth.models import Patient
from portal import db
from portal.db import Base, session
from portal.establishments.own_settings import EstablishmentSetting, purpose_of

BATCH: Final = 500
_TEXT_MARK: Final = "sealed:"
_HEAD: Final = 28
"""Signs of base64 that hold the id of the key, 20 bytes, and one byte more."""
_KEY_ID: Final = 20

_APPEND_ONLY: Final = "record_request_message.text"
"""The application may not update it: a function of the owner replaces what is sealed by what is sealed."""
_THROUGH_THE_OWNER: Final = text("select reseal_record_request_message(:id, :former, :anew)")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A column to make anew. maybe: which rows may be old. again: the row's facts and its value → the value made anew,
    or the same one when it is not old. facts: the columns that it needs."""

    table: Table
    column: str
    kind: type[Text] | type[LargeBinary]
    maybe: Callable[[ColumnElement[Any]], ColumnElement[bool]]
    again: Callable[[Row, Any], Any]
    facts: Sequence[str] = ()

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column}"

    @property
    def raw(self) -> ColumnElement[Any]:
        """The column as it is stored."""
        return type_coerce(self.table.c[self.column], self.kind())


def places() -> list[Place]:
    """Every column that depends on a key, and outlives a quarter of an hour."""
    patient = _table(Patient)
    return [
        *_sealed_texts(),
        Place(
            _table(EstablishmentSetting), "value", Text, _is_old_text,
            lambda row, value: _text(purpose_of(row["establishment_id"], row["key"]), value),
            ("establishment_id", "key"),
        ),
        Place(patient, "nir_sealed", LargeBinary, _is_old, lambda _row, value: nir.sealed_anew(value)),
        Place(patient, "nir_index", LargeBinary, _is_there, lambda row, _value: nir.index_of(row["nir_sealed"]),
              ("nir_sealed",)),
        Place(_table(Factor), "sealed", LargeBinary, _is_there, lambda _row, value: factors.renewed(value)),
        Place(_table(RecoveryCode), "digest", LargeBinary, recovery.is_sealed,
              lambda _row, value: factors.renewed(value)),
        Place(_table(HospitalProvider), "sealed_secret", LargeBinary, _is_there,
              lambda _row, value: factors.renewed(value)),
    ]  # fmt: skip


def left(place: Place) -> int:
    """How many rows were made with another key. In a transaction of the system. Raises as `renew`."""
    return sum(len(rows) for rows in _batches(place))


def renew(place: Place) -> Iterator[int]:
    """Make anew, a batch at a time, each in a transaction of its own; yields how many rows were. Raises FileKeyMissing,
    CannotBeOpened, Unsealable."""
    after: tuple[Any, ...] | None = None
    while True:
        with db.transaction(db.system("keys.reseal")):
            rows, after = _batch(place, after)
            done = sum(_written(place, row, new) for row, new in rows)
        yield done
        if after is None:
            return


def _batches(place: Place) -> Iterator[list[tuple[Any, Any]]]:
    after: tuple[Any, ...] | None = None
    while True:
        rows, after = _batch(place, after)
        yield rows
        if after is None:
            return


def _batch(place: Place, after: tuple[Any, ...] | None) -> tuple[list[tuple[Any, Any]], tuple[Any, ...] | None]:
    """Old rows with their value made anew; and where the next batch begins, None after the last one."""
    keys = list(place.table.primary_key)
    facts = [place.table.c[each] for each in place.facts if each not in place.table.primary_key]
    query = select(*keys, place.raw.label("stored"), *facts).where(place.maybe(place.raw))
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*(literal(each) for each in after)))
    rows = session.execute(query.order_by(*keys).limit(BATCH)).all()
    pairs = [(row, place.again(row._asdict(), row.stored)) for row in rows]
    following = tuple(rows[-1][: len(keys)]) if len(rows) == BATCH else None
    return [(row, new) for row, new in pairs if new != row.stored], following


def _written(place: Place, row: Any, new: Any) -> int:
    if place.name == _APPEND_ONLY:
        return int(session.execute(_THROUGH_THE_OWNER, {"id": row[0], "former": row.stored, "anew": new}).scalar_one())
    mine = [key == value for key, value in zip(place.table.primary_key, row, strict=False)]
    values = {place.column: type_coerce(new, place.kind())}
    # Still what was read, or somebody wrote it meanwhile.
    done = session.execute(
        update(place.table).where(*mine, place.raw == row.stored).values(values).returning(literal(1))
    )
    return len(done.all())


def _sealed_texts() -> Iterator[Place]:
    for table in Base.metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, SealedText):
                yield Place(table, column.name, Text, _is_old_text, _again(column.type.purpose))


def _again(purpose: str) -> Callable[[Row, Any], Any]:
    return lambda _row, value: _text(purpose, value)


def _text(purpose: str, value: str) -> str:
    return sealing.seal_text(purpose, sealing.open_text(purpose, value))


def _is_there(raw: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.length(raw) > 0


def _is_old(raw: ColumnElement[Any]) -> ColumnElement[bool]:
    current = sealing.current_key_id().encode().ljust(_KEY_ID, b"\0")
    return func.substr(raw, 1, _KEY_ID) != literal(current, LargeBinary)


def _is_old_text(raw: ColumnElement[Any]) -> ColumnElement[bool]:
    head = func.decode(func.substr(raw, len(_TEXT_MARK) + 1, _HEAD), "base64")
    return case((raw.like(f"{_TEXT_MARK}%"), _is_old(head)), else_=false())


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table), "each model is one table"
    return table
