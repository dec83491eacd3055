"""appointments.booking: bookings a second through the whole portal (two processes of two threads, as in production on
two cores), against the same statements sent straight through psycopg; 16 clients each, beside a group's agendas
(SIZE practitioners who receive for 90 days).

A booking is what a patient sends: one post keeps the time, another one books it. The statements are not a copy that
could drift: one booking of the running application is recorded, then played again with other slots.
`appointments.booking_slow_commit` is the same with every commit slowed by 3 ms: commits must then share flushes, not
queue for one each.
"""

import http.client
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import psycopg
from flask import Flask
from sqlalchemy import text

from auth import sessions
from auth.models import WebSession
from portal import db
from portal.db import session
from services.appointments import slots
from services.appointments.models import Appointment, AppointmentChange, Reason, new_reference
from services.appointments.slots import Slot
from tests.bench import years
from tests.bench.cpu import Spent, spent
from tests.bench.harness import Ground, application, ground, interleaved, report, served, size
from tests.bench.replay import recorded
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital

NAMES = ("appointments.booking",)
CLIENTS = 16
PROCESSES = 2
PRACTITIONERS = 50
"""Of the group around; 500 make the 1.2 million appointments of a large one."""
A_ROUND = 20
MORNINGS = 20
ROUNDS = 4
SLOW_COMMIT_US = 3000
_COOKIE = sessions.cookie_name(secure=False)
# Statistics of an idle connection reach the shared counters after ten seconds at most.
_COUNTED_AFTER_S = 11


@dataclass(frozen=True)
class Time:
    """A slot, and what a booking of it writes."""

    slot: Slot
    start_at: Any
    end_at: Any

    @property
    def claims(self) -> range:
        return slots.claim_cells(self.start_at, self.end_at)


@dataclass(frozen=True)
class Client:
    """A signed-in patient and the times they will book, one after the other, always with the same practitioner."""

    token: str
    account_id: UUID
    patient_id: UUID
    practitioner_id: UUID
    reason_id: UUID
    times: Iterator[Time]


Transactions = Sequence[Sequence[tuple[str, dict[str, Any]]]]
Book = Callable[[], None]


def run() -> None:
    with ground() as place, ExitStack() as opened:
        app = application(place.settings)
        group = years.fill(app, place, size(PRACTITIONERS))
        around, clients = group.appointments, _fill(app, group.hospital)
        statements, example = _record(app, clients[0])
        bases = [opened.enter_context(served("wsgi:app", place)) for _ in range(PROCESSES)]
        browsers = [_browser(client, bases[number % PROCESSES], opened) for number, client in enumerate(clients)]
        players = [_player(client, place, statements, example, opened) for client in clients]
        took: list[float] = []
        used: list[Spent] = []
        ours, limit = interleaved(lambda: _measured(browsers, took, used), lambda: _rate(players), ROUNDS)
        report("appointments.booking", ours, "bookings/s", limit, note=_note(around, statements, took, used))
        _slow_commits(place)
        each = _commits_a_flush(place, browsers)
        ours, limit = interleaved(lambda: _rate(browsers), lambda: _rate(players), ROUNDS)
        note = f"commits slowed by {SLOW_COMMIT_US} microseconds; the portal makes {each:.1f} commits a flush"
        report("appointments.booking_slow_commit", ours, "bookings/s", limit, note=note)
        _check(app, around)


def _measured(browsers: Sequence[Book], took: list[float], used: list[Spent]) -> float:
    """Bookings a second; how long each took, and the processor time of all of them."""
    before = spent()
    rate = _rate([_timed(each, took) for each in browsers])
    used.append(spent().since(before))
    return rate


def _timed(book: Book, took: list[float]) -> Book:
    def timed() -> None:
        began = time.perf_counter()
        book()
        took.append(time.perf_counter() - began)

    return timed


def _note(around: int, statements: Transactions, took: Sequence[float], used: Sequence[Spent]) -> str:
    made = len(used) * CLIENTS * A_ROUND
    ordered = sorted(took)
    p50, p95 = (ordered[int(len(ordered) * part)] * 1e3 for part in (0.5, 0.95))
    application_ms, database_ms = (sum(each) / made * 1e3 for each in (
        [one.application for one in used], [one.database for one in used]))  # fmt: skip
    return (
        f"{CLIENTS} clients, {PROCESSES} processes, beside {around} appointments; two posts and"
        f" {sum(len(each) for each in statements)} statements a booking; CPU {application_ms:.1f} ms application"
        f" + {database_ms:.1f} ms database; p50 {p50:.0f} ms, p95 {p95:.0f} ms"
    )


def _rate(books: Sequence[Book]) -> float:
    """Everybody books at once; bookings a second."""
    failures: list[Exception] = []

    def work(book: Book) -> None:
        try:
            for _ in range(A_ROUND):
                book()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(book,)) for book in books]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return len(books) * A_ROUND / (time.perf_counter() - began)


# -- the ground --------------------------------------------------------------------------------------------------


def _fill(app: Flask, where: Hospital) -> list[Client]:
    """One patient and one practitioner a client: they meet in the database, not in the waiting room."""
    with app.app_context(), db.transaction(db.system("bench")):
        why = appointments.reason(where.unit, duration_min=5)
        return [_client(number, where, why) for number in range(CLIENTS)]


def _client(number: int, where: Hospital, why: Reason) -> Client:
    doctor = hospitals.practitioner(where.unit, f"2{number:010d}", f"DOCTEUR {number}", "Bench")
    days = [date.today() + timedelta(days=1 + day) for day in range(MORNINGS)]
    opened = [appointments.consultation(where, [why], day, step_min=5, practitioner=doctor) for day in days]
    times = [Time(Slot(one.id, cell), one.at(cell), one.at(cell + 1)) for one in opened for cell in range(one.n_cells)]
    account, patient = people.patient_with_account(birth_name=f"PATIENT {number}")
    token = secrets.token_urlsafe(32)
    expires_at = db.now() + sessions.LIMITS["patient"].absolute
    session.add(
        WebSession(
            digest=sessions.digest(token),
            account_id=account.id,
            provider="franceconnect",
            acr="eidas1",
            amr="mfa",
            expires_at=expires_at,
        )
    )
    # From the end: the slot that is recorded has a number and a mask like no other value of a statement.
    return Client(token, account.id, patient.id, doctor.id, why.id, iter(times[::-1]))


def _slow_commits(place: Ground) -> None:
    with psycopg.connect(place.server.url(), autocommit=True) as connection:
        connection.execute(f"alter system set commit_delay = {SLOW_COMMIT_US}")
        connection.execute("alter system set commit_siblings = 0")
        connection.execute("select pg_reload_conf()")


def _commits_a_flush(place: Ground, browsers: Sequence[Book]) -> float:
    """How many bookings share one flush of the log; one would mean that they queue."""
    before = _flushes(place)
    _rate(browsers)
    return CLIENTS * A_ROUND / (_flushes(place) - before)


def _flushes(place: Ground) -> int:
    """How often the log was flushed to disk since the server started (PostgreSQL 18)."""
    time.sleep(_COUNTED_AFTER_S)
    with psycopg.connect(place.server.url()) as connection:
        row = connection.execute("select sum(fsyncs) from pg_stat_io where object = 'wal'").fetchone()
    return int(row[0]) if row and row[0] else 0


def _check(app: Flask, around: int) -> None:
    """Whatever was booked, whichever way, was booked once."""
    count = text("select (select count(*) from appointment), (select count(*) from claim)")
    with app.app_context(), db.transaction(db.system("bench")):
        booked, claimed = session.execute(count).one()
    wanted = 1 + (2 * 2 * ROUNDS + 1) * CLIENTS * A_ROUND
    if (booked - around, claimed - 6 * around) != (wanted, 2 * wanted):
        raise RuntimeError(f"{wanted} bookings made {booked} appointments and {claimed} claims")


# -- through the portal ------------------------------------------------------------------------------------------


def _posts(client: Client, chosen: Time, once: UUID) -> Sequence[tuple[str, dict[str, str]]]:
    """What a patient posts, but for the cross-site token: keep the time, then book it."""
    wanted = {"reason": str(client.reason_id), "slot": str(chosen.slot), "patient_id": str(client.patient_id)}
    return (("/rendez-vous/garder", wanted), ("/rendez-vous/confirmer", wanted | {"once": str(once)}))


def _browser(client: Client, base: str, opened: ExitStack) -> Book:
    """Keeps and books the next time, over a connection kept open."""
    connection = opened.enter_context(closing(http.client.HTTPConnection(urlsplit(base).netloc)))
    connection.request("GET", "/rendez-vous/choisir", headers={"Cookie": f"{_COOKIE}={client.token}"})
    cookies, token = _cross_site_token(connection.getresponse(), client)

    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}

    def post(path: str, body: str) -> int:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def book() -> None:
        for path, form in _posts(client, next(client.times), uuid4()):
            body = urlencode(form | {"csrf_token": token})
            try:
                status = post(path, body)
            except ConnectionError:  # closed between two rounds; posting again is safe, that is what `once` is for
                connection.close()
                status = post(path, body)
            if status != 303:
                raise RuntimeError(f"{path} answered {status}")

    return book


def _cross_site_token(page: http.client.HTTPResponse, client: Client) -> tuple[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    if found is None:
        raise RuntimeError("no cross-site token in the page")
    given = [value.split(";")[0] for name, value in page.getheaders() if name.lower() == "set-cookie"]
    return "; ".join([f"{_COOKIE}={client.token}", *given]), found[1]


# -- straight through psycopg ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """One booking: who, when, and the identifiers it drew."""

    client: Client
    time: Time
    once: UUID
    hold_id: UUID
    appointment_id: UUID
    change_id: UUID
    reference: str

    def values(self) -> tuple[Any, ...]:
        """Everything in its statements that is not the same in the next booking's."""
        client, claims = self.client, self.time.claims
        ids = (client.account_id, client.patient_id, client.practitioner_id, self.time.slot.session_id, self.once,
               self.hold_id, self.appointment_id, self.change_id)  # fmt: skip
        cell = self.time.slot.first_cell
        drawn = (sessions.digest(client.token), self.reference, cell, 1 << cell, claims.start, claims.stop - 1)
        return (*ids, *drawn, self.time.start_at, self.time.end_at)


def _record(app: Flask, client: Client) -> tuple[Transactions, Written]:
    """Book once through the application and keep every statement of its transactions."""
    chosen, once = next(client.times), uuid4()
    app.config["WTF_CSRF_ENABLED"] = False
    browser = app.test_client()
    browser.set_cookie(_COOKIE, client.token)
    transactions = []
    for path, form in _posts(client, chosen, once):
        with recorded(app) as statements:
            answer = browser.post(path, data=form)
        if answer.status_code != 303:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        transactions.append([(text, dict(values)) for text, values in statements])
    hold_id = next(values["owner_id"] for _text, values in transactions[0] if "owner_id" in values)
    with app.app_context(), db.transaction(db.system("bench")):
        made = session.query(Appointment).filter(Appointment.patient_id == client.patient_id).one()
        change = session.query(AppointmentChange).one()
        return transactions, Written(client, chosen, once, hold_id, made.id, change.id, made.reference)


def _player(client: Client, place: Ground, transactions: Transactions, example: Written, opened: ExitStack) -> Book:
    """Plays the recorded statements for the next time, in as many transactions."""
    url = place.settings.database_url.get_secret_value()
    connection = opened.enter_context(psycopg.connect(url))

    def book() -> None:
        mine = Written(client, next(client.times), uuid4(), uuid4(), uuid4(), uuid4(), new_reference())
        changes = dict(zip(example.values(), mine.values(), strict=True))
        words = [(str(old), str(new)) for old, new in changes.items() if isinstance(old, UUID)]
        for statements in transactions:
            for statement, parameters in statements:
                mine_now = {key: _changed(one, changes, words) for key, one in parameters.items()}
                cursor = connection.execute(statement, mine_now)
                if cursor.description:
                    cursor.fetchall()
            connection.commit()

    return book


def _changed(value: Any, changes: dict[Any, Any], words: Sequence[tuple[str, str]]) -> Any:
    if isinstance(value, list):
        return [_changed(each, changes, words) for each in value]
    if isinstance(value, str):
        for old, new in words:
            value = value.replace(old, new)
    return changes.get(value, value) if value.__hash__ else value
