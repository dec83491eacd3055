"""Agents describe visits that go together, and book them for somebody on the phone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from auth.models import Account
from portal import db
from portal.db import session
from services.appointments.models import Appointment, ConsultationSession
from services.appointments.pathways.models import Pathway
from tests.factories import appointments, hospitals, pathways, people
from tests.pages import PageClient


@dataclass(frozen=True)
class Desk:
    browser: PageClient
    unit_id: UUID
    patient_id: UUID
    pathway_id: UUID
    opened: ConsultationSession
    reasons: list[str]


@pytest.fixture
def desk(app: Flask, sign_in: Any) -> Desk:
    with db.transaction(db.system("tests")):
        where = hospitals.hospital(phone="01 99 00 00 00")
        one, two = (appointments.reason(where.unit, name, 30) for name in ("Prise de sang", "Consultation"))
        opened = appointments.consultation(where, [one, two])
        patient = people.patient("LEGRAND")
        people.known_at(patient, where.establishment.id, "8001")
        agent: Account = people.agent(where.establishment.id, "appointments")
        made = pathways.pathway(where.unit, [one, two], name="Bilan")
    return Desk(sign_in(agent), where.unit.id, patient.id, made.id, opened, [str(one.id), str(two.id)])


def form(desk: Desk, **changes: str) -> dict[str, str]:
    filled = {"name": "Journée", "description": "", "kind": "day", "min_gap_min": "0", "max_gap_min": "60",
              "times": "1", "every_days": "7", "tolerance_days": "2", "step_1": desk.reasons[0],
              "step_2": desk.reasons[1], "once": str(uuid4())}  # fmt: skip
    return filled | changes


def test_every_page_reads(desk: Desk) -> None:
    for path in ("", f"/nouveau?unit={desk.unit_id}", f"/{desk.pathway_id}/modifier", f"/pour/{desk.patient_id}",
                 f"/{desk.pathway_id}/pour/{desk.patient_id}"):  # fmt: skip
        assert desk.browser.get(f"/admin/parcours{path}").status_code == 200


def test_one_is_described_changed_closed_and_offered_again(desk: Desk) -> None:
    answer = desk.browser.post(f"/admin/parcours/nouveau?unit={desk.unit_id}", data=form(desk))
    assert answer.status_code == 303, answer.text[answer.text.find("error-summary") :][:900]
    own = f"/admin/parcours/{desk.pathway_id}"
    assert desk.browser.post(f"{own}/modifier", data=form(desk, name="Autre nom")).status_code == 303
    assert "Autre nom" in desk.browser.get("/admin/parcours").text
    assert desk.browser.post(f"{own}/fermer").status_code == 303
    with db.transaction(db.system("tests")):
        assert session.get_one(Pathway, desk.pathway_id).closed_at is not None
    assert desk.browser.post(f"{own}/rouvrir").status_code == 303


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"step_2": ""}, {"max_gap_min": "-1"}, {"times": "31"}, {"kind": "never"},
              {"min_gap_min": "90"}, {"step_1": str(uuid4())}],
)  # fmt: skip
def test_what_makes_no_sense_is_said(desk: Desk, wrong: dict[str, str]) -> None:
    answer = desk.browser.post(f"/admin/parcours/nouveau?unit={desk.unit_id}", data=form(desk, **wrong))
    assert answer.status_code == 422


def test_visits_are_booked_by_phone_seen_and_cancelled(desk: Desk) -> None:
    address = f"/admin/parcours/{desk.pathway_id}/pour/{desk.patient_id}"
    slots = f"{desk.opened.id}-0_{desk.opened.id}-2"
    assert desk.browser.post(address, data={"slots": "", "once": str(uuid4())}).status_code == 422
    booked = desk.browser.post(address, data={"slots": slots, "once": str(uuid4())})
    assert booked.status_code == 303
    assert "Prise de sang" in desk.browser.get(booked.location).text
    assert desk.browser.post(address, data={"slots": slots, "once": str(uuid4())}).status_code == 409
    assert desk.browser.post(f"{booked.location}/annuler", data={"why": "patient_asked"}).status_code == 303
    with db.transaction(db.system("tests")):
        assert set(session.scalars(select(Appointment.state))) == {"cancelled"}


def test_another_hospital_sees_none_of_it(desk: Desk, sign_in: Any) -> None:
    with db.transaction(db.system("tests")):
        other = hospitals.hospital("990000025", "Autre hôpital")
        stranger = people.agent(other.establishment.id, "appointments")
    browser = sign_in(stranger)
    assert "Bilan" not in browser.get("/admin/parcours").text
    for path in (f"/{desk.pathway_id}/modifier", f"/pour/{desk.patient_id}", f"/nouveau?unit={desk.unit_id}"):
        assert browser.get(f"/admin/parcours{path}").status_code == 404
