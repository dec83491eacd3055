"""What a file of bills changes, and what is written down of it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from portal import audit, db, kpi
from portal.db import session
from services.billing.bill_file import BillLine, LeftOut, Line, Refusal
from services.billing.imports import staging
from services.billing.imports.models import BillImport, BillImportPlace, BillImportRemark

REMARKS_KEPT: Final = 1000


@dataclass(frozen=True)
class Remark:
    """Something to say about a line: `refused`, or `noticed` when it was taken. reference: "" when the line belongs to
    no hospital we know."""

    kind: str
    line: int
    reference: str
    why: str
    establishment_id: UUID | None = None


@dataclass
class Tally:
    """What became of some lines: (hospital, what) → how many, and the remarks. hospital: None when it is unknown."""

    counts: Counter[tuple[UUID | None, str]] = field(default_factory=Counter)
    remarks: list[Remark] = field(default_factory=list)

    def add(self, place: UUID | None, what: str, number: int = 1) -> None:
        self.counts[place, what] += number

    def total(self, what: str) -> int:
        return sum(number for (_place, each), number in self.counts.items() if each == what)

    def take_in(self, other: "Tally") -> None:
        """Count these lines too; remarks beyond the first thousand are counted and not kept."""
        self.counts.update(other.counts)
        self.remarks.extend(other.remarks[: REMARKS_KEPT - len(self.remarks)])

    @property
    def added(self) -> int:
        return self.total("added")

    @property
    def changed(self) -> int:
        return self.total("changed")

    @property
    def unchanged(self) -> int:
        return self.total("unchanged")

    @property
    def refused(self) -> int:
        return self.total("refused")

    @property
    def closed(self) -> int:
        return self.total("closed")

    @property
    def left_out(self) -> int:
        return self.total("left_out")

    @property
    def refusals(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.kind == "refused"]

    @property
    def notices(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.kind == "noticed"]


@dataclass(frozen=True)
class Hospitals:
    """FINESS → hospital: those whose lines are taken. sources: (hospital, kind, code) of the bill sources known."""

    ids: Mapping[str, UUID]
    sources: Collection[tuple[UUID, str, str]] = ()


def begin(file_name: str, kind: str, digest: bytes, size: int) -> UUID:
    """Write down that a file is about to be read. The actor is the agent who sent it, or a command."""
    actor = db.current_actor()
    made = BillImport(
        id=uuid4(),
        file_name=file_name,
        kind=kind,
        digest=digest,
        size=size,
        actor=actor.label,
        actor_name=actor.name if actor.account_id else "",
        account_id=actor.account_id,
    )
    session.add(made)
    session.flush()
    audit.record("bills.import_began", object_kind="bill_import", object_id=made.id, kind=kind)
    return made.id


def merge_lines(import_id: UUID, lines: Sequence[Line], hospitals: Hospitals, room_for: int) -> Tally:
    """Take these lines in, in one transaction with what the report says of them. room_for: remarks still kept."""
    tally, bills = Tally(), dict[tuple[str, ...], BillLine]()
    for line in lines:
        _sort_out(line, hospitals, bills, tally)
    if bills:
        with staging.staged(bills.values()):
            _merge(bills, hospitals, tally)
    _write_down(import_id, tally, room_for)
    return tally


def end(import_id: UUID, *, why: str = "") -> None:
    """The file was read to its end, or `why` it could not be."""
    session.execute(
        update(BillImport)
        .where(BillImport.id == import_id)
        .values(state="stopped" if why else "done", why=why[:500], ended_at=db.now())
    )
    audit.record("bills.import_ended", object_kind="bill_import", object_id=import_id)


# -- one batch ---------------------------------------------------------------------------------------------------


def _sort_out(line: Line, hospitals: Hospitals, bills: dict[tuple[str, ...], BillLine], tally: Tally) -> None:
    place = hospitals.ids.get(line.finess)
    if isinstance(line, LeftOut):
        tally.add(place, "left_out")
    elif isinstance(line, Refusal):
        _refuse(tally, place, line.line, line.reference, line.why)
    elif place is None:
        _refuse(tally, None, line.line, line.reference, f"finess: no hospital of yours has the number {line.finess}")
    else:
        # One statement writes a bill once: of two lines about one bill, the last one is written.
        if (former := bills.pop(line.key, None)) is not None:
            tally.add(place, "unchanged" if former[1:] == line[1:] else "changed")
        bills[line.key] = line
        if line.bill_source and (place, line.source, line.bill_source) not in hospitals.sources:
            _notice_source(tally, place, line)


def _refuse(tally: Tally, place: UUID | None, line: int, reference: str, why: str) -> None:
    tally.add(place, "refused")
    tally.remarks.append(Remark("refused", line, reference, why, place))


def _notice_source(tally: Tally, place: UUID, line: BillLine) -> None:
    """Once a code and a batch: it is the same for all its bills."""
    why = f"bill_source: no source for {line.source} has the code {line.bill_source}; its bills follow the default one"
    if not any(remark.why == why and remark.establishment_id == place for remark in tally.remarks):
        tally.remarks.append(Remark("noticed", line.line, line.reference, why, place))


def _merge(bills: Mapping[tuple[str, ...], BillLine], hospitals: Hospitals, tally: Tally) -> None:
    for finess, staged in Counter(line.finess for line in bills.values()).items():
        tally.add(hospitals.ids[finess], "unchanged", staged)
    for written in staging.merge():
        place = written.establishment_id
        tally.add(place, "added", written.added)
        tally.add(place, "changed", written.changed)
        tally.add(place, "unchanged", -written.added - written.changed)
        _tell(written)
        _notice_lowered(written.lowered, tally)
    if any(line.closed for line in bills.values()):
        _close(tally)


def _tell(written: staging.Written) -> None:
    place = written.establishment_id
    kpi.count("bills_issued", establishment_id=place, channel="import", quantity=written.payable)
    audit.record("bills.imported", establishment_id=place, object_kind="bill", added=written.added)


def _notice_lowered(lowered: Collection[UUID], tally: Tally) -> None:
    """The billing system is right about what is due, and what was paid stays paid: somebody has to look at the rest."""
    for row in staging.below_what_came_in(lowered) if lowered else ():
        why = f"due_cents: {row.due_cents}, less than what was paid ({row.received}) or is being paid ({row.under_way})"
        tally.remarks.append(Remark("noticed", row.line, row.reference, why, row.establishment_id))


def _close(tally: Tally) -> None:
    for row in staging.close():
        tally.add(row.establishment_id, "closed")
        audit.record(
            "bill.closed",
            patient_id=row.patient_id,
            establishment_id=row.establishment_id,
            object_kind="bill",
            object_id=row.id,
            reason=row.closed_reason,
        )
    for row in staging.not_closed():
        why = "closed: not closed, money came in on the portal or may any minute"
        tally.remarks.append(Remark("noticed", row.line, row.reference, why, row.establishment_id))


# -- the report --------------------------------------------------------------------------------------------------


def _write_down(import_id: UUID, tally: Tally, room_for: int) -> None:
    for place in {place for place, _what in tally.counts if place is not None}:
        _count(import_id, place, {what: number for (at, what), number in tally.counts.items() if at == place})
    session.execute(
        update(BillImport)
        .where(BillImport.id == import_id)
        .values(refused=BillImport.refused + tally.counts[None, "refused"])
    )
    if kept := [_remark(import_id, remark) for remark in tally.remarks[:room_for]]:
        session.execute(insert(BillImportRemark).inline(), kept)


def _count(import_id: UUID, place: UUID, counts: Mapping[str, int]) -> None:
    row = insert(BillImportPlace).values(import_id=import_id, establishment_id=place, **counts)
    more = {what: getattr(BillImportPlace, what) + number for what, number in counts.items()}
    session.execute(row.on_conflict_do_update(index_elements=["import_id", "establishment_id"], set_=more))


def _remark(import_id: UUID, remark: Remark) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "import_id": import_id,
        "establishment_id": remark.establishment_id,
        "kind": remark.kind,
        "line": remark.line,
        "reference": remark.reference if remark.establishment_id else "",
        "why": remark.why[:500],
    }
