"""The social security number of a file: sealed in its row, masked for staff, shown whole when somebody asks."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from auth.models import Account
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from services.preadmission.models import Preadmission
from tests.factories import hospitals, people
from tests.factories import preadmission as factory
from tests.ground import prepared

NUMBER = "2 79 03 51 215 189 89"
SignIn = Callable[[Account | UUID], FlaskClient]


def ground() -> tuple[Account, Preadmission]:
    with prepared():
        where = hospitals.hospital()
        _account, patient = people.patient_with_account()
        people.known_at(patient, where.establishment.id)
        file = Preadmission(
            establishment_id=where.establishment.id, patient_id=patient.id, unit_id=where.unit.id,
            reference="KT7P-3XBN", state="submitted", planned_on=factory.today(), stay_kind="inpatient",
            amo_kind="french", nir="279035121518989", submitted_at=db.now(),
        )  # fmt: skip
        session.add(file)
        return people.agent(where.establishment.id, "preadmission"), file


def test_is_kept_sealed(app: Flask) -> None:
    _agent, file = ground()
    with prepared():
        kept = session.execute(text("select nir from preadmission")).scalar_one()
        assert kept.startswith("sealed:")
        assert session.get_one(Preadmission, file.id).nir == "279035121518989"


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
