"""Bills themselves: received from the billing system, read and withdrawn by the staff."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import text

from portal import audit, db, kpi
from portal.db import session
from services.billing import queries
from services.billing.actions.facts import NotClosable, UnknownBill
from services.billing.bill_file import BillLine
from services.billing.queries import Standing


def open_bill(places: Collection[UUID], bill_id: UUID) -> Standing:
    """Show one bill to a member of staff; the reading is written down. Raises UnknownBill."""
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    audit.record(
        "bill.opened",
        patient_id=found.bill.patient_id,
        establishment_id=found.bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
    )
    return found


def close_elsewhere(places: Collection[UUID], bill_id: UUID, reason: str, note: str = "") -> None:
    """Withdraw a bill that was paid at the desk or cancelled (`models.CLOSINGS`).

    note: the reference of whoever says so. Raises UnknownBill, NotClosable.
    """
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    if found.state != "open":
        raise NotClosable(found.state)
    found.bill.closed_reason, found.bill.closed_at, found.bill.closed_note = reason, db.now(), note
    audit.record(
        "bill.closed",
        patient_id=found.bill.patient_id,
        establishment_id=found.bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
        reason=reason,
    )


# -- from the billing system -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Merged:
    added: int
    changed: int


# One statement a batch: rows come as JSON, patients are found by their IPP, a bill that says nothing new is not
# written. `xmax = 0` tells an added row from a changed one.
_COLUMNS = (
    "source",
    "exer",
    "reference",
    "refdet",
    "label",
    "unit",
    "care_on",
    "issued_on",
    "due_on",
    "total_cents",
    "amo_cents",
    "amc_cents",
    "due_cents",
)
_CHANGING = tuple(name for name in _COLUMNS if name not in ("source", "exer", "reference"))
_MERGE = text(
    f"insert into bill (id, establishment_id, patient_id, ipp, closed_reason, created_at, {', '.join(_COLUMNS)})"
    " select gen_random_uuid(), r.establishment_id, p.patient_id, r.ipp, '', now(),"
    f" {', '.join(f'r.{n}' for n in _COLUMNS)}"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(establishment_id uuid, ipp text, source text, exer text,"
    " reference text, refdet text, label text, unit text, care_on date, issued_on date, due_on date,"
    " total_cents bigint, amo_cents bigint, amc_cents bigint, due_cents bigint)"
    " left join patient_record p on p.establishment_id = r.establishment_id and p.ipp = r.ipp and r.ipp <> ''"
    " on conflict (establishment_id, source, exer, reference) do update set"
    " patient_id = coalesce(excluded.patient_id, bill.patient_id),"
    " ipp = coalesce(nullif(excluded.ipp, ''), bill.ipp),"
    f" {', '.join(f'{n} = excluded.{n}' for n in _CHANGING)}"
    " where (coalesce(excluded.patient_id, bill.patient_id), coalesce(nullif(excluded.ipp, ''), bill.ipp),"
    f" {', '.join(f'excluded.{n}' for n in _CHANGING)})"
    f" is distinct from (bill.patient_id, bill.ipp, {', '.join(f'bill.{n}' for n in _CHANGING)})"
    " returning xmax = 0 as added, establishment_id, source, due_cents"
)


def merge_bills(lines: Sequence[BillLine], places: Mapping[str, UUID]) -> Merged:
    """Add these bills or bring them up to date; each (hospital, source, exer, reference) at most once among them."""
    rows = [{**asdict(line), "establishment_id": places[line.finess]} for line in lines]
    written = session.execute(_MERGE, {"rows": json.dumps(rows, default=str)}).all()
    added = [row for row in written if row.added]
    for establishment_id in {row.establishment_id for row in written}:
        payable = sum(
            row.establishment_id == establishment_id
            and row.source != "private"
            and row.due_cents >= queries.LIMITS["payfip"][0]
            for row in added
        )
        kpi.count("bills_issued", establishment_id=establishment_id, channel="import", quantity=payable)
        audit.record(
            "bills.imported",
            establishment_id=establishment_id,
            object_kind="bill",
            added=sum(row.establishment_id == establishment_id for row in added),
        )
    return Merged(len(added), len(written) - len(added))
