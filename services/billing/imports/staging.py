"""Many bills merged at once: COPY into a staging table, one statement, and the staging is emptied.

COPY is refused on tables with policies, hence the staging, which has none: its rows never outlive the transaction that
wrote them, so nobody else ever sees one. Rows one by one would be thirty times slower. Bills that are already here are
locked first, in the order of their ids, as whoever pays several at once locks them.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from portal.db import session
from services.billing import queries
from services.billing.access_keys import digest_of_birth, digest_of_key
from services.billing.bill_file import BillLine
from services.billing.imports.models import bill_staging
from services.billing.ledger.models import PAYERS
from services.billing.models import IN_PROGRESS

STAGED: Final = tuple(bill_staging.columns.keys())
_KEY: Final = ("establishment_id", "source", "exer", "reference")
_KEPT_WHEN_EMPTY: Final = {
    "ipp": "nullif(excluded.ipp, '')",
    "bill_source": "nullif(excluded.bill_source, '')",
    "access_digest": "excluded.access_digest",
    "birth_digest": "excluded.birth_digest",
}
"""What a later file that does not tell it leaves as it was."""
_AS_TOLD: Final = {
    name: f"(s.{name} {empty} or s.{name} is not distinct from b.{name})"
    for name, empty in (
        ("ipp", "= ''"),
        ("bill_source", "= ''"),
        ("access_digest", "is null"),
        ("birth_digest", "is null"),
    )
}
_TOLD: Final = tuple(name for name in STAGED if name not in ("line", "finess", "closed", *_KEY))
_NEW: Final = {"patient_id": "coalesce(excluded.patient_id, bill.patient_id)"} | {
    name: f"coalesce({_KEPT_WHEN_EMPTY[name]}, bill.{name})" if name in _KEPT_WHEN_EMPTY else f"excluded.{name}"
    for name in _TOLD
}

_COPY: Final = f"copy bill_staging ({', '.join(STAGED)}) from stdin"
_STAGED: Final = (
    "(select e.id as establishment_id, t.ctid as row, t.* from bill_staging t"
    " join establishment e on e.finess = t.finess) s"
)
_SAME_BILL: Final = " and ".join(f"b.{name} = s.{name}" for name in _KEY)
# What a line would make of the bill that is here already: the same rules as in the merge, read beforehand.
_SAME: Final = " and ".join(
    [f"{_AS_TOLD.get(name, f's.{name} is not distinct from b.{name}')}" for name in _TOLD]
    + [
        "(s.closed = '' or b.closed_reason <> '')",
        "not exists (select 1 from patient_record p where p.establishment_id = s.establishment_id and p.ipp = s.ipp"
        " and s.ipp <> '' and p.patient_id is distinct from b.patient_id)",
    ]
)
_DROP_SAME: Final = text(
    f"with known as materialized (select s.row, {_SAME} as same from {_STAGED} join bill b on {_SAME_BILL}),"
    " dropped as (delete from bill_staging where ctid = any (array(select row from known where same)))"
    " select count(*) from known where not same"
)
_LOCK: Final = text(
    f"select count(*) from (select b.id from {_STAGED} join bill b on {_SAME_BILL}"
    " order by b.id for no key update of b) locked"
)
# `xmax = 0` tells an added row from a changed one. The bill read in the last line is as it was before the statement.
_MERGE: Final = text(
    "with written as (insert into bill as bill"
    f" (id, patient_id, closed_reason, created_at, {', '.join((*_KEY, *_TOLD))})"
    f" select gen_random_uuid(), p.patient_id, '', now(), {', '.join(f's.{name}' for name in (*_KEY, *_TOLD))}"
    f" from {_STAGED}"
    " left join patient_record p on p.establishment_id = s.establishment_id and p.ipp = s.ipp and s.ipp <> ''"
    # In one order: two files with the same new bills would wait for each other otherwise.
    f" order by {', '.join(f's.{name}' for name in _KEY)}"
    f" on conflict ({', '.join(_KEY)}) do update set"
    f" {', '.join(f'{name} = {value}' for name, value in _NEW.items())}"
    f" where ({', '.join(_NEW.values())}) is distinct from ({', '.join(f'bill.{name}' for name in _NEW)})"
    " returning id, establishment_id, source, due_cents, xmax = 0 as added)"
    " select establishment_id, count(*) filter (where added) as added, count(*) filter (where not added) as changed,"
    " count(*) filter (where added and source <> 'private' and due_cents >= :payable) as payable,"
    " array_agg(id) filter (where not added and due_cents < (select b.due_cents from bill b where b.id = written.id))"
    " as lowered from written group by establishment_id"
)

_RECEIVED: Final = (
    "(select coalesce(sum(l.credit_cents - l.debit_cents), 0)::bigint from ledger_line l"
    " where l.bill_id = b.id and l.account = any (:payers))"
)
_UNDER_WAY: Final = (
    "(select coalesce(sum(h.amount_cents), 0)::bigint"
    " from attempt_share h join payment_attempt a on a.id = h.attempt_id"
    " where h.bill_id = b.id and a.state = any (:in_progress))"
)
_BELOW: Final = text(
    f"select s.line, b.establishment_id, b.reference, b.due_cents, {_RECEIVED} as received, {_UNDER_WAY} as under_way"
    f" from bill b join {_STAGED} on {_SAME_BILL}"
    f" where b.id = any (:lowered) and {_RECEIVED} + {_UNDER_WAY} > b.due_cents"
)
_CLOSE: Final = text(
    f"update bill b set closed_reason = s.closed, closed_at = now() from {_STAGED} where {_SAME_BILL}"
    f" and s.closed <> '' and b.closed_reason = '' and {_RECEIVED} = 0 and {_UNDER_WAY} = 0"
    " returning b.id, b.establishment_id, b.patient_id, b.closed_reason"
)
_NOT_CLOSED: Final = text(
    f"select s.line, b.establishment_id, b.reference from bill b join {_STAGED} on {_SAME_BILL}"
    " where s.closed <> '' and b.closed_reason = ''"
)
_BY_KEY: Final = text("select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
"""Ten thousand look-ups in an index, whatever the number of bills: the staging is too young for good estimates."""
_EMPTY: Final = text("delete from bill_staging")
_FACTS: Final = {"payers": list(PAYERS), "in_progress": list(IN_PROGRESS)}


@dataclass(frozen=True)
class Written:
    """What the merge did at one hospital. payable: added bills that may be paid online. lowered: bills whose amount
    went down."""

    establishment_id: UUID
    added: int
    changed: int
    payable: int
    lowered: Collection[UUID]


@contextmanager
def staged(lines: Iterable[BillLine]) -> Iterator[None]:
    """Those of these lines (of different bills, of known hospitals) that say something new stand in the staging."""
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as out:
        out.write("".join(map(_row, lines)).encode())
    session.execute(_BY_KEY)
    if session.scalar(_DROP_SAME):
        session.execute(_LOCK)
    yield
    session.execute(_EMPTY)


def merge() -> list[Written]:
    """Add the staged bills, or bring them up to date. Patients are found by their IPP; what says nothing new is not
    written."""
    found = session.execute(_MERGE, {"payable": queries.LIMITS["payfip"][0]})
    return [Written(row.establishment_id, row.added, row.changed, row.payable, row.lowered or ()) for row in found]


def below_what_came_in(lowered: Collection[UUID]) -> list[Any]:
    """Of these staged bills, those that are now due for less than what was paid or is being paid."""
    return list(session.execute(_BELOW, {**_FACTS, "lowered": list(lowered)}))


def close() -> list[Any]:
    """Close the staged bills that are asked for no more, unless money came in or may any minute."""
    return list(session.execute(_CLOSE, _FACTS))


def not_closed() -> list[Any]:
    """The staged bills that should have been closed and were not."""
    return list(session.execute(_NOT_CLOSED))


def _row(line: BillLine) -> str:
    """One line of COPY's text format. No cell holds a tab or an end of line: the readers refuse them."""
    cells = (
        str(line.line),
        _escaped(line.finess),
        line.source,
        line.exer,
        _escaped(line.reference),
        line.refdet,
        _escaped(line.label),
        _escaped(line.unit),
        str(line.care_on or "\\N"),
        str(line.issued_on),
        str(line.due_on or "\\N"),
        str(line.total_cents),
        str(line.amo_cents),
        str(line.amc_cents),
        str(line.due_cents),
        _escaped(line.ipp),
        line.bill_source,
        "\\\\x" + digest_of_key(line.reference, line.access_key).hex() if line.access_key else "\\N",
        "\\\\x" + digest_of_birth(line.reference, line.birth_on).hex() if line.birth_on else "\\N",
        line.closed,
    )
    return "\t".join(cells) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")
