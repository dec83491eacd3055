"""The ground of the billing tests: a PayFiP twin that works, and the portal listening where the twin can call it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text, update
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from auth.models import Account, Patient
from portal import db, establishments
from portal.config import Settings
from portal.gateways.payments import payfip_twin
from portal.gateways.payments.payfip_twin import RunningTwin
from services.billing import jobs, queries
from services.billing.models import Bill, LedgerEntry, PaymentAttempt, Receipt
from services.billing.queries import Standing
from tests.factories import billing, hospitals, people
from tests.factories.hospitals import Hospital

SignIn = Callable[[Account | UUID], FlaskClient]


@pytest.fixture
def payfip() -> Iterator[RunningTwin]:
    with payfip_twin.start_in_thread() as twin:
        yield twin


class _Silent(WSGIRequestHandler):
    def log(self, *_what: object) -> None:
        pass


@pytest.fixture(scope="session")
def portal_url(app: Flask) -> Iterator[str]:
    """The portal itself, over HTTP: where PayFiP notifies."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def payment_settings(settings: Settings, payfip: RunningTwin, portal_url: str) -> Settings:
    return settings.model_copy(
        update={
            "payfip_endpoint_url": payfip.endpoint_url,
            "payfip_payment_url": payfip.payment_url,
            "base_url": portal_url,
        }
    )


@pytest.fixture
def door(app: Flask, settings: Settings, payment_settings: Settings, payfip: RunningTwin) -> Iterator[RunningTwin]:
    """The room's payment door leads to the twin."""
    jobs.connect(payment_settings)
    yield payfip
    jobs.connect(settings)


@dataclass
class Ground:
    """One hospital with a till, one patient with an account, one bill of 45.20 euros."""

    hospital: Hospital
    account: Account
    patient: Patient
    bill: Bill

    @property
    def page(self) -> str:
        return f"/factures/{self.bill.id}"

    def standing(self) -> Standing:
        with db.transaction(db.system("tests")):
            return queries.standing(self.bill.id)

    def attempts(self) -> Sequence[PaymentAttempt]:
        """Newest first."""
        with db.transaction(db.system("tests")):
            return queries.attempts_of_bill(self.bill.id)

    def entries(self) -> Sequence[LedgerEntry]:
        with db.transaction(db.system("tests")):
            return queries.entries_of_bill(self.bill.id)

    def receipts(self) -> Sequence[Receipt]:
        with db.transaction(db.system("tests")):
            return queries.receipts_of_bill(self.bill.id)


@pytest.fixture
def ground(app: Flask, door: RunningTwin) -> Ground:
    with db.transaction(db.system("tests")):
        place = hospitals.hospital(phone="01 99 00 10 00")
        open_till(place)
        account, patient = people.patient_with_account()
        people.known_at(patient, place.establishment.id, "8000001")
        return Ground(place, account, patient, billing.bill(place.establishment, patient))


def open_till(place: Hospital, numcli: str = "090909", saisie: str = "T") -> None:
    establishments.change_setting(place.establishment.id, "payfip_numcli", numcli)
    establishments.change_setting(place.establishment.id, "payfip_saisie", saisie)


def speak_english(ground: Ground) -> None:
    """The payer reads the pages in the language of their sources."""
    with db.transaction(db.system("tests")) as current:
        current.execute(update(Account).where(Account.id == ground.account.id).values(locale="en"))


# -- what a payer does -------------------------------------------------------------------------------------------


def leave_to_pay(browser: FlaskClient, ground: Ground, email: str = "jeanne@exemple.test") -> TestResponse:
    """Post the form that leads to the payment page."""
    return browser.post(f"{ground.page}/payer", data={"email": email})


def begin(browser: FlaskClient, ground: Ground) -> str:
    """Reach the payment page, without opening it; returns its address."""
    answer = leave_to_pay(browser, ground)
    assert answer.status_code == 303
    assert "idop=" in answer.location
    return str(answer.location)


def idop_of(page: str) -> str:
    return parse_qs(urlsplit(page).query)["idop"][0]


def at_the_bank(page: str, choice: str) -> str:
    """Open PayFiP's page, decide, and return the path where the browser is sent back."""
    assert httpx.get(page, trust_env=False).status_code == 200
    answer = httpx.post(page, data={"idop": idop_of(page), "choice": choice}, trust_env=False)
    assert answer.status_code == 303
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def pay(browser: FlaskClient, ground: Ground, choice: str = "P") -> str:
    """The whole trip, without the way back; returns the path of the return page."""
    return at_the_bank(begin(browser, ground), choice)


def later(bill: Bill, delay: timedelta) -> None:
    """Time passes for the attempts on this bill."""
    with db.transaction(db.system("tests")) as current:
        for attempt in current.scalars(select(PaymentAttempt).where(PaymentAttempt.shares.any(bill_id=bill.id))):
            attempt.created_at -= delay
            attempt.state_at -= delay
            if attempt.next_poll_at:
                attempt.next_poll_at -= delay
            if attempt.page_until:
                attempt.page_until -= delay
            if attempt.notified_at:
                attempt.notified_at -= delay


def calls_to_payfip() -> int:
    """How many times this process has gone through PayFiP's doors since they were opened."""
    states = [client.door.state() for client in jobs.means("payfip")._clients.values()]  # type: ignore[attr-defined]  # the door's own
    return sum(state.done + state.refused + state.failed for state in states)


@pytest.fixture
def clock_ticks(work_jobs: Callable[[], None]) -> Callable[[], None]:
    """The minute strikes: the poller runs, and every job it asks for."""

    def tick() -> None:
        with db.transaction(db.system("tests")) as current:
            current.execute(
                text(
                    "select procrastinate_defer_jobs_v1(array[row('clock', 'billing.poll_attempts', 0, null, null,"
                    " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])"
                )
            )
        work_jobs()

    return tick


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL statements sent meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = app.extensions["parvis.engine"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
