"""Files read in batches, then acted upon line by line; the nightly comparison."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from portal import db, establishments, jobs
from portal.calendar import civil_day
from portal.delimited import NotSuchAFile
from portal.establishments import Establishment
from services.billing import jobs as billing_jobs
from services.billing.bill_file import Refusal
from services.billing.settlement import accountant_file, actions, payment_file, queries
from services.billing.settlement.actions import Stored
from services.billing.settlement.payment_file import PaymentLine

_BATCH = 1000
_AT_ONCE = 200
_LOOKED_BACK = timedelta(days=45)
_REPORTS_KEPT = 1000
MOST_BYTES_ON_SCREEN = 4 * 1024 * 1024
"""Of a file sent from a screen, some thirty thousand lines; more go through `parvis import payments`."""


@dataclass
class Report:
    """What became of a file. days: of the provider's lines, by hospital, first and last."""

    run_id: UUID
    places: dict[UUID, Stored] = field(default_factory=dict)
    stray: Stored = field(default_factory=Stored)
    days: dict[UUID, tuple[date, date]] = field(default_factory=dict)

    def totals(self) -> dict[str, int]:
        """Counts over all hospitals: added, changed, unchanged, refused."""
        every = [*self.places.values(), self.stray]
        return {
            name: sum(getattr(each, name) for each in every) for name in ("added", "changed", "unchanged", "refused")
        }

    def refusals(self) -> list[Refusal]:
        """The first lines left out, in the order of the file."""
        found = [each for stored in (*self.places.values(), self.stray) for each in stored.refusals]
        return sorted(found, key=lambda each: each.line)

    def at(self, place: UUID) -> Stored:
        return self.places.setdefault(place, Stored())


def read_file(source: Path | bytes, name: str, *, among: Collection[UUID] | None = None, finess: str = "") -> Report:
    """Keep what a file of payments says (CSV, or the accountant's PES retour), in batches, each its own transaction.

    Run again, it takes up where it was cut. among: the hospitals whose lines are taken (None: all); finess: the one
    of a PES file that does not say. Raises NotSuchAFile. The caller acts upon the lines next (`act_on_lines`).
    """
    actor = db.system("billing.import_payments") if among is None else db.current_actor()
    with db.transaction(actor):
        known = {
            place.finess: place.id for place in establishments.establishments() if among is None or place.id in among
        }
    report, batch = Report(uuid4()), dict[tuple[str, str, str], PaymentLine]()
    try:
        for line in _lines(source, finess):
            _take(line, batch, known, report, actor)
    finally:  # of a file that breaks off in the middle, what was read is kept: the next run adds the rest
        _store(batch, known, report, actor)
    with db.transaction(actor):
        for place in list(report.places) or list(among or ()):
            report.at(place)
        actions.keep_file(name, _sha256(source), report.run_id, report.places, stray=report.stray.refusals)
    return report


def _lines(source: Path | bytes, finess: str) -> Iterator[PaymentLine | Refusal]:
    if accountant_file.is_one(_head(source)):
        return accountant_file.read(source, finess=finess)
    return payment_file.read(source)


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:64]
    with source.open("rb") as file:
        return file.read(64)


def _take(
    line: PaymentLine | Refusal,
    batch: dict[tuple[str, str, str], PaymentLine],
    known: Mapping[str, UUID],
    report: Report,
    actor: db.Actor,
) -> None:
    if isinstance(line, Refusal):
        place = known.get(line.finess)
        (report.at(place) if place else report.stray).refuse(line)
    elif line.finess not in known:
        why = f"finess: no hospital of yours has the number {line.finess}"
        report.stray.refuse(Refusal(line.line, line.reference, why))
    else:
        key = line.finess, line.kind, line.key
        # One statement cannot write the same line twice: a repeated one waits for the next batch.
        if key in batch or len(batch) >= _BATCH:
            _store(batch, known, report, actor)
        batch[key] = line
        _note_day(line, known[line.finess], report)


def _note_day(line: PaymentLine, place: UUID, report: Report) -> None:
    if line.kind == "online":
        first, last = report.days.get(place, (line.happened_on, line.happened_on))
        report.days[place] = min(first, line.happened_on), max(last, line.happened_on)


def _store(
    batch: dict[tuple[str, str, str], PaymentLine], known: Mapping[str, UUID], report: Report, actor: db.Actor
) -> None:
    if not batch:
        return
    with db.transaction(actor):
        stored = actions.store(list(batch.values()), known, report.run_id)
    for place, counts in stored.items():
        total = report.at(place)
        total.added += counts.added
        total.changed += counts.changed
        total.unchanged += counts.unchanged
    batch.clear()


def _sha256(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- acting ------------------------------------------------------------------------------------------------------


def act_on_lines() -> int:
    """Close the bills, book the debits given back, that files told of; each line is a transaction of its own, so
    that none waits for another's bills. Returns how many. Safe to run twice at once."""
    done = 0
    while True:
        with db.transaction(db.system("billing.act_on_lines")):
            ids = [line.id for line in queries.pending_lines(_AT_ONCE)]
        for line_id in ids:
            with db.transaction(db.system("billing.act_on_lines")):
                actions.take_up(line_id)
        done += len(ids)
        if len(ids) < _AT_ONCE:
            return done


def compare(place: Establishment, first: date, last: date) -> None:
    """Compare these days; ask the providers about payments that their files tell of and the ledger lacks, then once
    more. An operation that we never opened is asked about nowhere."""
    with db.transaction(db.system("billing.compare")):
        asked = actions.compare(place, first, last)
    for attempt_id in asked:
        billing_jobs.settle(attempt_id)
    if asked:
        with db.transaction(db.system("billing.compare")):
            actions.compare(place, first, last)


@jobs.task("billing.compare_days")
def compare_days(establishment_id: str, first: str, last: str) -> None:
    """What a file sent from a screen asks for, and the button of the screen."""
    act_on_lines()
    with jobs.reading() as current:
        place = current.get_one(Establishment, UUID(establishment_id))
    compare(place, date.fromisoformat(first), date.fromisoformat(last))


@jobs.periodic("37 3 * * *", "billing.compare_all")
def compare_all() -> None:
    """Every night, the last weeks of every hospital: a file may be late, and a payment too."""
    act_on_lines()
    with jobs.reading():
        places = list(establishments.establishments())
    for place in places:
        today = civil_day(db.now(), place.tz)
        compare(place, today - _LOOKED_BACK, today)


def ask_to_compare(place: Establishment, days: tuple[date, date] | None = None) -> None:
    """Have these days compared by the worker, or the last weeks; in the current transaction."""
    today = civil_day(db.now(), place.tz)
    first, last = days or (today - _LOOKED_BACK, today)
    jobs.enqueue("billing.compare_days", establishment_id=str(place.id), first=str(first), last=str(last))


def import_payments(path: Path, *, finess: str = "") -> Report:
    """What `parvis import payments` does: keep the file, act on its lines, compare its days. Raises NotSuchAFile."""
    report = read_file(path, path.name, finess=finess)
    act_on_lines()
    with db.transaction(db.system("billing.import_payments")):
        places = {place.id: place for place in establishments.establishments()}
    for place_id, (first, last) in report.days.items():
        compare(places[place_id], first, last)
    return report


__all__ = [
    "MOST_BYTES_ON_SCREEN",
    "NotSuchAFile",
    "Report",
    "ask_to_compare",
    "compare",
    "import_payments",
    "read_file",
]
