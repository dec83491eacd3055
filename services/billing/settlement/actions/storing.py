"""Keep what a file says; the same file read again changes nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from portal import audit, db, kpi
from portal.db import session
from services.billing.bill_file import Refusal
from services.billing.settlement.models import SettlementFile
from services.billing.settlement.payment_file import PaymentLine

_REFUSALS_KEPT = 200


@dataclass
class Stored:
    """What became of one hospital's lines, counted; the first refusals are kept."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusal: Refusal) -> None:
        self.refused += 1
        if len(self.refusals) < _REFUSALS_KEPT:
            self.refusals.append(refusal)


_COLUMNS = (
    "psp", "account", "psp_ref", "number", "source", "exer", "reference", "amount_cents", "means", "happened_on",
    "note",
)  # fmt: skip
_MERGE = text(
    "insert into settlement_line (id, establishment_id, run_id, kind, key, result, why, imported_at,"
    f" {', '.join(_COLUMNS)})"
    " select gen_random_uuid(), r.establishment_id, cast(:run as uuid), r.kind, r.key, '', '', now(),"
    f" {', '.join(f'r.{name}' for name in _COLUMNS)}"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(establishment_id uuid, kind text, key text, psp text,"
    " account text, psp_ref text, number text, source text, exer text, reference text, amount_cents bigint,"
    " means text, happened_on date, note text)"
    " on conflict (establishment_id, kind, key) do update set run_id = excluded.run_id, result = '', why = '',"
    " entry_id = null, imported_at = now(),"
    f" {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS)}"
    f" where ({', '.join(f'excluded.{name}' for name in _COLUMNS)})"
    f" is distinct from ({', '.join(f'settlement_line.{name}' for name in _COLUMNS)})"
    " returning xmax = 0 as added, establishment_id"
)


def store(lines: Sequence[PaymentLine], places: Mapping[str, UUID], run_id: UUID) -> dict[UUID, Stored]:
    """Keep these lines, each key at most once among them, and return what became of them by hospital.

    Lines that say something new are to be acted upon again; their order lets two imports wait for each other.
    """
    rows: list[dict[str, Any]] = [
        {**_columns(line), "establishment_id": places[line.finess]}
        for line in sorted(lines, key=lambda line: (line.finess, line.kind, line.key))
    ]
    written = session.execute(_MERGE, {"rows": json.dumps(rows, default=str), "run": run_id}).all()
    found: dict[UUID, Stored] = {}
    for row in rows:
        found.setdefault(row["establishment_id"], Stored()).unchanged += 1
    for new in written:
        counts = found[new.establishment_id]
        counts.unchanged -= 1
        counts.added += new.added
        counts.changed += not new.added
    for place, counts in found.items():
        if counts.added or counts.changed:
            audit.record("payments.imported", establishment_id=place, added=counts.added, changed=counts.changed)
    return found


def _columns(line: PaymentLine) -> dict[str, object]:
    return {name: value for name, value in line._asdict().items() if name not in ("line", "finess")}


def keep_file(
    name: str, sha256: str, run_id: UUID, counts: Mapping[UUID, Stored], *, stray: Sequence[Refusal] = ()
) -> None:
    """Write down an import, one row for each hospital. stray: refusals of no hospital, told to every one of them."""
    actor = db.current_actor()
    for place, stored in counts.items():
        session.add(
            SettlementFile(
                id=uuid4(),
                run_id=run_id,
                establishment_id=place,
                name=name,
                sha256=sha256,
                actor=actor.label,
                actor_name=actor.name,
                refusals=[[str(each.line), each.reference, each.why] for each in (*stored.refusals, *stray)],
                added=stored.added,
                changed=stored.changed,
                unchanged=stored.unchanged,
                refused=stored.refused + len(stray),
            )
        )
        kpi.count("payment_file_read", establishment_id=place, channel="import", audience="system")
        audit.record("payments.file_read", establishment_id=place, file=name, sha256=sha256)
