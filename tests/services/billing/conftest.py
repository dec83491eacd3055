"""The ground of the billing tests: a PayFiP twin that works, and the portal listening where the twin can call it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from auth.models import Account, Patient
from portal import db, establishments
from portal.config import Settings
from portal.gateways.payments import payfip_twin
from portal.gateways.payments.payfip_twin import RunningTwin
from services.billing import jobs, queries
from services.billing.models import Bill
from services.billing.queries import Standing
from tests.factories import billing, hospitals, people
from tests.factories.hospitals import Hospital

SignIn = Callable[[Account | UUID], FlaskClient]


@pytest.fixture
def payfip() -> Iterator[RunningTwin]:
    with payfip_twin.start_in_thread() as twin:
        yield twin


@pytest.fixture(scope="session")
def portal_url(app: Flask) -> Iterator[str]:
    """The portal itself, over HTTP: where PayFiP notifies."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def door(app: Flask, settings: Settings, payfip: RunningTwin, portal_url: str) -> Iterator[RunningTwin]:
    """The room's payment door leads to the twin."""
    jobs.connect(
        settings.model_copy(
            update={
                "payfip_endpoint_url": payfip.endpoint_url,
                "base_url": portal_url,
                "payfip_payment_url": payfip.payment_url,
            }
        )
    )
    yield payfip
    jobs.connect(settings)


@dataclass
class Ground:
    """One hospital with a till, one patient with an account, one bill."""

    hospital: Hospital
    account: Account
    patient: Patient
    bill: Bill
    returns: list[str] = field(default_factory=list)

    @property
    def page(self) -> str:
        return f"/factures/{self.bill.id}"

    def standing(self) -> Standing:
        with db.transaction(db.system("tests")):
            return queries.standing(self.bill.id)


@pytest.fixture
def ground(app: Flask, door: RunningTwin) -> Ground:
    with db.transaction(db.system("tests")):
        place = hospitals.hospital(phone="01 99 00 10 00")
        establishments.change_setting(place.establishment.id, "payfip_numcli", "090909")
        establishments.change_setting(place.establishment.id, "payfip_saisie", "T")
        account, patient = people.patient_with_account()
        people.known_at(patient, place.establishment.id, "8000001")
        return Ground(place, account, patient, billing.bill(place.establishment, patient))


def leave_to_pay(browser: FlaskClient, ground: Ground) -> TestResponse:
    """Post the form that leads to the payment page."""
    return browser.post(f"{ground.page}/payer", data={"email": "jeanne@exemple.test"})


def idop_of(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text[:2000]
    return parse_qs(urlsplit(answer.location).query)["idop"][0]


def at_the_bank(page: str, choice: str) -> str:
    """Open PayFiP's page, decide, and return the path where the browser is sent back."""
    assert httpx.get(page, trust_env=False).status_code == 200
    idop = parse_qs(urlsplit(page).query)["idop"][0]
    answer = httpx.post(page, data={"idop": idop, "choice": choice}, trust_env=False)
    assert answer.status_code == 303
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"
