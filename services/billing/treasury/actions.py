"""Seal the treasury's batches, and hand them over."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from itertools import groupby
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db
from portal.calendar import civil_day, to_utc_or_after
from portal.db import session
from portal.establishments import Establishment
from services.billing.ledger.models import BANK, FEES, LedgerEntry, LedgerLine
from services.billing.models import Bill
from services.billing.treasury import layout, queries
from services.billing.treasury.layout import Amounts, Movement
from services.billing.treasury.models import TreasuryBatch, TreasuryCounter, TreasuryLine

_CLEARING = "clearing:"


class UnknownBatch(Exception):
    """No such batch at these hospitals."""


class Altered(Exception):
    """The bytes of a batch are not those that were sealed."""


def seal(place: Establishment, until: date) -> list[TreasuryBatch]:
    """Seal every civil day of this hospital up to `until` (included) that has movements and is not sealed yet.

    A movement of a day already sealed goes into the next batch. `until` must be over: the caller looks at the clock.
    One seal at a time; a second one finds nothing left, and numbers have no gap.
    """
    counter = _held(place.id)
    over = to_utc_or_after(until + timedelta(days=1), time.min, place.tz)
    entries = queries.unsealed(place.id, over)
    days = list(_by_day(entries, counter.last_day, until, place))
    bills = queries.bills_by_id({line.bill_id for entry in entries for line in entry.lines if line.bill_id})
    made = []
    for day, moved in days:
        counter.last, counter.last_day = counter.last + 1, day
        made.append(_write(place, counter.last, day, moved, bills))
    session.flush()
    return made


def _held(establishment_id: UUID) -> TreasuryCounter:
    table = TreasuryCounter
    session.execute(upsert(table).values(establishment_id=establishment_id, last=0).on_conflict_do_nothing())
    # Read again under the lock: whoever held it may just have sealed.
    return session.scalars(
        select(table)
        .where(table.establishment_id == establishment_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def _by_day(
    entries: Sequence[LedgerEntry], sealed: date | None, until: date, place: Establishment
) -> Iterator[tuple[date, list[LedgerEntry]]]:
    """Each day to seal with its movements; those of days already sealed go with the first of them."""
    carried: list[LedgerEntry] = []
    for day, group in groupby(entries, key=lambda entry: civil_day(entry.booked_at, place.tz)):
        if sealed is not None and day <= sealed:
            carried += group
            continue
        yield day, [*carried, *group]
        carried = []
    if carried and sealed is not None and until > sealed:
        yield until, carried


def _write(
    place: Establishment, number: int, day: date, entries: Sequence[LedgerEntry], bills: Mapping[UUID, Bill]
) -> TreasuryBatch:
    lines = [line for entry in entries for line in _lines(place, number, day, entry, bills)]
    batch = _sealed(place, number, day, lines, len(entries))
    session.add(batch)
    session.flush()
    for position, line in enumerate(lines, 1):
        line.batch_id, line.position = batch.id, position
    session.add_all(lines)
    audit.record(
        "treasury.sealed",
        establishment_id=place.id,
        object_kind="treasury_batch",
        object_id=batch.id,
        number=number,
        day=str(day),
        sha256=batch.sha256,
    )
    return batch


def _sealed(place: Establishment, number: int, day: date, lines: Sequence[TreasuryLine], entries: int) -> TreasuryBatch:
    total, actor = sum((_amounts_of(line) for line in lines), Amounts()), db.current_actor()
    return TreasuryBatch(
        id=uuid4(),
        establishment_id=place.id,
        number=number,
        day=day,
        finess=place.finess,
        layout=layout.VERSION,
        entries=entries,
        lines=len(lines),
        gross_cents=total.gross,
        fee_cents=total.fee,
        net_cents=total.net,
        bank_cents=total.bank,
        sha256=layout.sha256(layout.file_bytes((line.cells for line in lines), total)),
        sealed_by=actor.label,
        sealed_by_name=actor.name if actor.kind != "system" else "",
    )


def _amounts_of(line: TreasuryLine) -> Amounts:
    return Amounts(line.gross_cents, line.fee_cents, line.net_cents, line.bank_cents)


def _lines(
    place: Establishment, number: int, day: date, entry: LedgerEntry, bills: Mapping[UUID, Bill]
) -> Iterator[TreasuryLine]:
    for share, (bill, amounts) in enumerate(shares(entry, bills), 1):
        movement = Movement(
            entry=str(entry.id),
            finess=place.finess,
            establishment=place.name,
            account=entry.account,
            source=entry.bill_source,
            reference=bill.reference if bill else "",
            exer=bill.exer if bill else "",
            refdet=bill.refdet if bill else "",
            kind=entry.kind,
            psp=entry.psp,
            means=entry.means,
            psp_ref=entry.psp_ref,
            number=entry.number,
            moved_at=(entry.moved_at or entry.booked_at).astimezone(place.tz),
            note=entry.note,
            is_test=entry.is_test,
            amounts=amounts,
        )
        yield TreasuryLine(
            establishment_id=place.id,
            entry_id=entry.id,
            share=share,
            cells=layout.cells(number, day, movement),
            gross_cents=amounts.gross,
            fee_cents=amounts.fee,
            net_cents=amounts.net,
            bank_cents=amounts.bank,
        )


def shares(entry: LedgerEntry, bills: Mapping[UUID, Bill]) -> list[tuple[Bill | None, Amounts]]:
    """What a movement is to each of its bills; all of it on one line when it is not theirs alone."""
    whole, of_bills = _whole(entry.lines), dict[UUID, int]()
    for line in entry.lines:
        if line.bill_id is not None:
            of_bills[line.bill_id] = of_bills.get(line.bill_id, 0) + line.credit_cents - line.debit_cents
    if len(of_bills) > 1 and not whole.fee and whole.net == whole.gross == sum(of_bills.values()):
        on_bank = whole.bank == whole.net
        found = [(bills[key], Amounts(c, 0, c, c if on_bank else 0)) for key, c in of_bills.items()]
        return [*sorted(found, key=lambda each: (each[0].reference, each[0].id))]
    return [(bills[next(iter(of_bills))] if len(of_bills) == 1 else None, whole)]


def _whole(lines: Sequence[LedgerLine]) -> Amounts:
    """gross = net + fee: what the payers' side moved, whichever accounts hold it."""
    moved = {"clearing": 0, BANK: 0, FEES: 0}
    for line in lines:
        account = "clearing" if line.account.startswith(_CLEARING) else line.account
        if account in moved:
            moved[account] += line.debit_cents - line.credit_cents
    net = moved["clearing"] + moved[BANK]
    return Amounts(net + moved[FEES], moved[FEES], net, moved[BANK])


def hand_over(places: Collection[UUID], batch_id: UUID) -> tuple[TreasuryBatch, bytes]:
    """A batch and its file, which somebody takes; written down. Raises UnknownBatch, Altered."""
    batch = queries.batch_at(places, batch_id)
    if batch is None:
        raise UnknownBatch(batch_id)
    content = queries.content_of(batch)
    if layout.sha256(content) != batch.sha256:
        raise Altered(batch_id)
    audit.record(
        "treasury.downloaded",
        establishment_id=batch.establishment_id,
        object_kind="treasury_batch",
        object_id=batch.id,
        number=batch.number,
        sha256=batch.sha256,
    )
    return batch, content
