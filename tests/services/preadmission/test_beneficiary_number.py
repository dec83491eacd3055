"""The social security number of a file: sealed in its row, masked for staff, shown whole when somebody asks."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from auth.identity import nir
from auth.models import Account
from portal.audit import AuditEvent
from portal.db import session
from services.preadmission import queries
from services.preadmission.answers import Coverage
from services.preadmission.models import Preadmission
from tests.factories import hospitals, people
from tests.factories import preadmission as factory
from tests.ground import prepared

PLAIN = "279035121518989"
NUMBER = "2 79 03 51 215 189 89"
SignIn = Callable[[Account | UUID], FlaskClient]


def ground() -> tuple[Account, Preadmission]:
    with prepared():
        where = hospitals.hospital()
        _account, patient = people.patient_with_account()
        file = factory.preadmission(patient, where.unit, "submitted", answers=[Coverage(amo_kind="french", nir=PLAIN)])
        return people.agent(where.establishment.id, "preadmission"), file


def test_is_kept_sealed(app: Flask) -> None:
    _agent, file = ground()
    with prepared():
        kept = session.execute(text("select answers from preadmission_answers where step = 'coverage'")).scalar_one()
        assert kept.startswith("sealed:")
        assert PLAIN not in kept
        cover = queries.answers_of(file.id)["coverage"]
        assert isinstance(cover, Coverage)
        assert cover.nir == PLAIN


def test_the_same_number_is_found_again_without_being_opened(app: Flask) -> None:
    _agent, file = ground()
    with prepared():
        assert session.get_one(Preadmission, file.id).nir_digest == nir.index(PLAIN)


def test_is_masked_until_an_agent_asks_and_the_journal_says_so(app: Flask, sign_in: SignIn) -> None:
    agent, file = ground()
    desk, page = sign_in(agent), f"/admin/pre-admissions/{file.id}"
    shown = desk.get(page).text
    assert NUMBER not in shown
    assert "2 79 03 •• ••• ••• ••" in shown
    assert NUMBER in desk.post(f"{page}/numero").text
    with prepared():
        events = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert events[-1] == "nir.revealed"
