"""billing.import: lines of the billing system's file merged a second, against COPY of the same columns.

billing.import_again: the same file a second time, which changes nothing.

billing.campaign: bills paid by answers that come two or three times, in any order, to four workers at once; the cents
by which the ledger differs from what PayFiP said was paid.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from sqlalchemy import text

from portal import db
from portal.gateways.payments import Mode, Outcome, Result
from services.billing import actions, bill_file
from services.billing.imports import jobs
from services.billing.models import PaymentAttempt
from tests.bench.harness import Ground, application, ground, interleaved, report, report_faults, seconds, size
from tests.factories import billing, hospitals, people

NAMES = ("billing.import", "billing.import_again", "billing.campaign")
LINES = 200_000
BILLS = 200
WORKERS = 4
_FACTS = (
    "990000017;regie;2026;{prefix}-{number:07};;Consultation;Cardiologie;2026-09-14;2026-10-01;2026-12-01;10000;5480;0"
    ";4520;8{number:07};KR7{number:07}"
)
_PAID = text("select coalesce(sum(credit_cents), 0) from ledger_line")


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        with app.app_context():
            with db.transaction(db.system("bench")):
                where = hospitals.hospital()
                _account, person = people.patient_with_account()
            _import(place, size(LINES))
            with db.transaction(db.system("bench")):
                owed = [billing.bill(where.establishment, person, 1000 + number) for number in range(size(BILLS))]
                attempts = [_attempt(each) for each in owed]
            _campaign(app, attempts)


def _import(place: Ground, lines: int) -> None:
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(place.server.url(database="bench")) as above:
        above.execute(f"create table bare_bill ({', '.join(f'{name} {_kind(name)}' for name in bill_file.COLUMNS)})")
        above.commit()
        drawn = [_written(Path(folder), f"F{number}", lines) for number in range(2)]
        new, bare = iter(drawn), iter(drawn)

        def load(what: str, file: Path) -> None:
            report_ = jobs.import_bills(file)
            if getattr(report_, what) != lines:
                raise RuntimeError(f"{lines} lines made {getattr(report_, what)} bills {what}")

        def copy() -> None:
            how = "copy bare_bill from stdin (format csv, delimiter ';', header)"
            with above.cursor().copy(how) as out, next(bare).open("rb") as file:
                while chunk := file.read(1 << 20):
                    out.write(chunk)
            above.commit()

        ours, limit = interleaved(
            lambda: lines / seconds(lambda: load("added", next(new))), lambda: lines / seconds(copy), 2
        )
        again = lines / seconds(lambda: load("unchanged", drawn[0]))
    note = f"{lines} lines; COPY of the same columns, without checks, keys or policies"
    report("billing.import", ours, "rows/s", limit, note=note)
    report("billing.import_again", again, "rows/s", limit, note=note)


def _kind(name: str) -> str:
    return "date" if name.endswith("_on") else "bigint" if name.endswith("_cents") else "text"


def _written(folder: Path, prefix: str, lines: int) -> Path:
    path = folder / f"{prefix}.csv"
    rows = (_FACTS.format(prefix=prefix, number=number) for number in range(lines))
    path.write_text("\r\n".join([";".join(bill_file.COLUMNS), *rows, ""]), encoding="utf-8")
    return path


def _attempt(owed: billing.Bill) -> PaymentAttempt:
    made = PaymentAttempt(
        id=uuid4(), bill_id=owed.id, establishment_id=owed.establishment_id, psp_ref=str(uuid4()),
        return_digest=uuid4().bytes, amount_cents=owed.due_cents, refdet=owed.refdet, exer=owed.exer,
        numcli="090909", mode="T", email="", state="awaiting",
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    return made


def _campaign(app: Flask, attempts: Sequence[PaymentAttempt]) -> None:
    chance = Random(20261122)
    said = [(made.id, _answer(made, chance)) for made in attempts]
    heard = [each for each in said for _ in range(chance.choice((1, 2, 3)))]
    chance.shuffle(heard)

    def hear(each: tuple[UUID, Result]) -> None:
        with app.app_context(), db.transaction(db.system("billing.settle")):
            actions.hear(each[0], each[1], tests_count=True)

    with ThreadPoolExecutor(WORKERS) as workers:
        took = seconds(lambda: list(workers.map(hear, heard)))
    expected = sum(result.amount_cents for _id, result in said if result.outcome is Outcome.PAID)
    with db.transaction(db.system("bench")) as current:
        booked = int(current.scalar(_PAID) or 0)
    note = f"{len(attempts)} bills, {len(heard)} answers, {WORKERS} workers, {len(heard) / took:.0f} answers/s"
    report_faults("billing.campaign", abs(booked - expected), "cents of difference", note)


def _answer(made: PaymentAttempt, chance: Random) -> Result:
    """What PayFiP ends up saying of this payment, whenever it is asked."""
    outcome, code = chance.choice([(Outcome.PAID, "P")] * 3 + [(Outcome.REFUSED, "Z"), (Outcome.ABANDONED, "A")])
    return Result(
        idop=made.psp_ref or "", outcome=outcome, code=code, amount_cents=made.amount_cents, refdet=made.refdet,
        numcli=made.numcli, mode=Mode.TEST, numauto="123456789012-tip", paid_at=datetime.now(UTC),
    )  # fmt: skip
