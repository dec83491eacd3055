"""What must hold once everything is back, read apart from the portal's pages: in its tables, its storage, the bank's
truth and the mails that arrived. Each reader gives the list of what is wrong."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import select

from portal import audit, db, files, kpi
from portal.db import session
from portal.files import StoredFile
from tests.drills.history import UNKNOWN, History
from tests.drills.place import Place

Reader = Callable[[Place, History], list[str]]
Sql = Callable[..., list[tuple[Any, ...]]]
_QUIET_S = 180.0


def acknowledged_bookings(place: Place, history: History) -> list[str]:
    """I1: who was told that a time is theirs has it, once."""
    live = {
        (appointment, f"{opened}-{cell}")
        for appointment, opened, cell in place.sql(
            "select id, session_id, first_cell from appointment where state = 'booked'"
        )
    }
    told = [(each.facts["appointment_id"], each.facts["slot"]) for each in history.acknowledged("book")]
    return [
        f"lost appointment {appointment} at {slot}" for appointment, slot in told if (appointment, slot) not in live
    ]


def one_booking_a_slot(place: Place, _history: History) -> list[str]:
    """I2: no practitioner nor patient is twice somewhere."""
    found = place.sql(
        "select a.id, b.id from appointment a join appointment b on a.id < b.id and a.state = 'booked'"
        " and b.state = 'booked' and (a.practitioner_id = b.practitioner_id or a.patient_id = b.patient_id)"
        " and a.start_at < b.end_at and b.start_at < a.end_at"
    )
    return [f"appointments {one} and {other} are at the same time" for one, other in found]


def acknowledged_files(place: Place, history: History) -> list[str]:
    """I1 for pre-admissions: sent once, with one number."""
    told = {each.facts["preadmission_id"] for each in history.acknowledged("submit")}
    sent = Counter(file for (file,) in place.sql("select preadmission_id from preadmission_change"
                                                 " where to_state = 'submitted'"))  # fmt: skip
    return [f"pre-admission {file} was sent {sent[file]} times" for file in told if sent[file] != 1]


def acknowledged_documents(place: Place, history: History) -> list[str]:
    """I4: what was acknowledged is attached, opens, and is what was sent."""
    told = [each.facts["sha256"] for each in history.acknowledged("upload")]
    wrong: list[str] = []
    with _looking(place.app):
        for digest in told:
            query = select(StoredFile).where(StoredFile.sha256 == digest, StoredFile.attached_at.is_not(None))
            kept = [each for each in session.scalars(query) if each.storage_key not in history.beyond]
            if not kept:
                wrong.append(f"document {digest.hex()[:12]} is lost")
            wrong += [f"document {each.id} {why}" for each in kept if (why := _unreadable(each))]
    return wrong


def bytes_and_rows(place: Place, history: History) -> list[str]:
    """I4: no row without its bytes; bytes without a row are gone a day later."""
    with _looking(place.app):
        rows = {each.storage_key: each for each in session.scalars(select(StoredFile))}
        return [f"file {row.id} has no bytes" for key, row in rows.items()
                if key not in history.beyond and not files.is_stored(key)]  # fmt: skip


def money(place: Place, history: History) -> list[str]:
    """I3: the ledger says what the bank says, to the cent."""
    known = [one for one in place.bank.truth()["operations"] if one["idop"] not in history.beyond]
    truth = {one["idop"]: one["paid_cents"] for one in known}
    booked = {idop: int(cents) for idop, cents in place.sql(_BOOKED)}
    apart = {idop: booked.get(idop, 0) - truth.get(idop, 0) for idop in truth.keys() | booked.keys()}
    wrong = [f"payment {idop}: {cents:+d} cents" for idop, cents in apart.items() if cents]
    for what, statement in _LEDGER.items():
        ((number,),) = place.sql(statement)
        wrong += [f"{what}: {number}"] if number else []
    return wrong


_BOOKED = (
    "select psp_ref, sum(case kind when 'payment' then amount_cents else -amount_cents end) from ledger_entry"
    " where kind in ('payment', 'rejection') group by psp_ref"
)
_LEDGER = {
    "payments without their receipt": "select count(*) from ledger_entry e where e.kind = 'payment'"
    " and (select count(*) from receipt r where r.entry_id = e.id) <> 1",
    "bills with two live attempts": "select count(*) from (select s.bill_id from attempt_share s join payment_attempt"
    " a on a.id = s.attempt_id where a.state in ('created', 'awaiting') group by 1 having count(*) > 1) doubled",
    "cents out of balance": "select coalesce(sum(debit_cents) - sum(credit_cents), 0)::int from ledger_line",
}


def messages(place: Place, _history: History) -> list[str]:
    """I5: what is marked as sent arrived, and nothing is forgotten: not sent means withheld, or a job that waits or
    failed in the operators' list."""
    received = place.mail.received()
    sent = Counter(f"{to} {subject}" for to, subject in place.sql(
        "select recipient, subject from notification where sent_at is not null"))  # fmt: skip
    wrong = [f"{count - received[key]} mails of {key!r} did not arrive" for key, count in sent.items()
             if received[key] < count]  # fmt: skip
    forgotten = place.sql(
        "select n.id from notification n where n.sent_at is null and n.withheld_at is null and not exists ("
        "select 1 from procrastinate_jobs j where j.task_name = 'notifications.send'"
        " and j.args ->> 'notification_id' = n.id::text and j.status in ('todo', 'doing', 'failed'))"
    )
    return wrong + [f"message {each} is forgotten" for (each,) in forgotten]


def audit_chain(place: Place, history: History) -> list[str]:
    """I6: the chain holds, and each booking has its one line."""
    with _looking(place.app):
        audit.seal()
    with _looking(place.app):
        found = audit.verify()
    wrong = [] if found.holds else [f"the chain breaks at batch {found.broken_batch}"]
    lines = Counter(each for (each,) in place.sql("select object_id from audit_event"
                                                  " where action = 'appointment.booked'"))  # fmt: skip
    told = {each.facts["appointment_id"] for each in history.acknowledged("book")}
    return wrong + [f"appointment {each} has {lines[each]} lines of audit" for each in told if lines[each] != 1]


def figures(place: Place, _history: History) -> list[str]:
    """I8: what was counted behind the watermark is what counting everything again gives."""
    with _looking(place.app):
        kpi.roll_up()
    before = place.sql(_DAYS)
    with _looking(place.app):
        kpi.rebuild()
    after = place.sql(_DAYS)
    return [] if before == after else [f"figures differ: {set(before) ^ set(after)}"[:500]]


_DAYS = (
    "select day::text, event, establishment_id::text, channel, audience, dimension, events::int, quantity::int"
    " from kpi_day order by 1, 2, 3, 4, 5, 6"
)


def no_stuck_job(place: Place, _history: History) -> list[str]:
    """Every job ended; those that failed are named."""
    found = place.sql(
        "select task_name, status::text, count(*) from procrastinate_jobs where status in ('doing', 'failed') or"
        " (status = 'todo' and coalesce(scheduled_at, now()) <= now() - interval '5 seconds') group by 1, 2"
    )
    return [f"{count} {name} {status}" for name, status, count in found]


def everybody_answered(_place: Place, history: History) -> list[str]:
    """Asking again with the same key told everybody what became of it."""
    return [f"{each.name} of {each.person}: nobody knows" for each in history.all() if each.outcome == UNKNOWN]


def politeness(place: Place, history: History) -> list[str]:
    """I9: errors show nothing of the inside; and nothing broke that was not foreseen."""
    log = place.web.log()
    surprises = [log[at - 200 : at + 1500] for at in _places(log, "error.unexpected")][:2]
    return sorted(set(history.rudeness)) + surprises


def _places(log: str, word: str) -> Iterator[int]:
    at = log.find(word)
    while at >= 0:
        yield max(at, 200)
        at = log.find(word, at + 1)


READERS: dict[str, Reader] = {
    reader.__name__: reader
    for reader in (
        everybody_answered, acknowledged_bookings, one_booking_a_slot, acknowledged_files, acknowledged_documents,
        bytes_and_rows, money, messages, audit_chain, figures, no_stuck_job, politeness,
    )
}  # fmt: skip


def wrong(place: Place, history: History, but: Sequence[str] = ()) -> dict[str, list[str]]:
    """Reader → what it found wrong; empty when everything holds."""
    found = {name: reader(place, history) for name, reader in READERS.items() if name not in but}
    return {name: what[:5] for name, what in found.items() if what}


# -- waiting until everything is back ----------------------------------------------------------------------------


def settle(place: Place, *, rounds: int = 2) -> None:
    """Everything is healed: let the worker end what is left, and the bank be asked about each payment."""
    until = time.monotonic() + _QUIET_S
    while True:
        bury(place)
        wait_until_quiet(place)
        # Doors that failed are left alone for a while, and jobs wait for them: not for the hour that they may.
        if not place.sql(_WAITING_AGAIN) or time.monotonic() > until:
            break
        time.sleep(3)
    for _ in range(rounds):
        place.sql(
            "update payment_attempt set next_poll_at = now(), created_at = created_at - interval '3 minutes'"
            " where next_poll_at is not null"
        )
        strike(place, "billing.poll_attempts")
        wait_until_quiet(place)


_WAITING_AGAIN = "select 1 from procrastinate_jobs where status = 'todo' and attempts > 0 limit 1"


def bury(place: Place) -> None:
    """What dead workers held is given back to the queue now, and not a minute later."""
    place.sql("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'"
              " where last_heartbeat < now() - interval '15 seconds'")  # fmt: skip
    place.sql("update procrastinate_jobs set scheduled_at = now() where status = 'todo' and scheduled_at > now()"
              " and attempts > 0")  # fmt: skip
    strike(place, "jobs.retry_stalled")


def strike(place: Place, name: str) -> None:
    """The clock's job, now."""
    with place.app.app_context():
        place.sql(
            "select procrastinate_defer_jobs_v1(array[row('clock', %s::text, 0, null, null,"
            " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])",
            name,
        )


def wait_until_quiet(place: Place, within: float = _QUIET_S) -> None:
    """Until no job is due. Raises TimeoutError with those that are left."""
    until = time.monotonic() + within
    while left := place.sql(
        "select task_name, status::text, attempts from procrastinate_jobs where status = 'doing' or ("
        "status = 'todo' and (scheduled_at is null or scheduled_at <= now() - interval '2 seconds')) limit 5"
    ):
        if time.monotonic() > until:
            raise TimeoutError(f"jobs do not end: {left}\n{place.logs()[-2000:]}")
        time.sleep(0.2)
        if any(status == "doing" for _name, status, _attempts in left) and int(time.monotonic()) % 5 == 0:
            bury(place)


@contextmanager
def _looking(app: Flask) -> Iterator[None]:
    """The application's context and a transaction of the reader's own."""
    with app.app_context(), db.transaction(db.system("drills.reader")):
        yield


def _unreadable(stored: StoredFile) -> str:
    if stored.state == "waiting":
        return "was never scanned"
    digest = hashlib.sha256(b"".join(files.open_(stored))).digest()
    return "" if digest == stored.sha256 else "is not what was sent"
