"""A patient prepares a stay, the hospital answers, the patient completes: over HTTP, as in a browser."""

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from portal import db, kpi
from portal.audit import AuditEvent
from portal.kpi import Period
from portal.notifications import Notification
from services.preadmission import actions, queries
from services.preadmission.models import Preadmission, PreadmissionChange
from tests.factories import preadmission as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground
from tests.services.preadmission.filling import deposit, deposit_all, links_to_pieces, once, prepared
from tests.writers import all_rolled_up


def test_patient_clerk_patient_clerk(ground: Ground, sign_in, work_jobs, in_ten_days) -> None:
    patient, here = sign_in(ground.account), frozenset({ground.hospital.establishment.id})
    address = prepared(patient, ground, in_ten_days)
    deposit_all(patient, address)
    check = patient.get(f"{address}/verification")
    assert "2 79 03 51 215 189 89" in check.text, "one checks one's own number"
    receipt = patient.post(f"{address}/verification", data={"once": once(check.text)}, follow_redirects=True)
    with db.transaction(ground.as_patient) as current:
        file = current.scalars(select(Preadmission)).one()
    assert file.reference in receipt.text
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ2-9]{4}-[BCDFGHJKLMNPQRSTVWXZ2-9]{4}", file.reference)
    assert "tel:0199001000" in receipt.text, "the receipt says whom to call"

    with db.transaction(ground.as_clerk):
        sent = queries.one_at(here, file.id)
        actions.look(sent)
        pieces = factory.pieces_of(sent)
        actions.refuse_piece(sent, pieces["identity"], "unreadable")
        for kind in ("health_card", "c2s"):
            actions.accept_piece(sent, pieces[kind])
        actions.ask_again(sent, today() + timedelta(days=5))
    assert state_of(file.id) == "to_complete"

    seen = patient.get(address)
    assert "floue" in seen.text or "blurred" in seen.text, "the reason is told in plain words"
    (again,) = links_to_pieces(seen.text)
    assert deposit(patient, again, name="ma carte nette.png") == address
    assert state_of(file.id) == "completed", "the last document sent again brings the file back to the tray"

    with db.transaction(ground.as_clerk):
        sent = queries.one_at(here, file.id)
        actions.accept_piece(sent, factory.pieces_of(sent)["identity"])
        actions.validate(sent)
    assert state_of(file.id) == "validated"
    assert patient.get(address).status_code == 200
    with db.transaction(db.system("tests")) as current:
        states = current.scalars(select(PreadmissionChange.to_state).order_by(PreadmissionChange.at)).all()
        assert states == ["draft", "submitted", "in_review", "to_complete", "completed", "in_review", "validated"]
        assert all(change.actor for change in current.scalars(select(PreadmissionChange)))
        events = current.scalars(select(AuditEvent.action).where(AuditEvent.patient_id == ground.patient.id)).all()
        mails = current.scalars(select(Notification)).all()
    assert {"preadmission.opened", "piece.refused", "preadmission.validated"} <= set(events)
    assert len(mails) == 2
    work_jobs()


def state_of(file_id: UUID) -> str:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(Preadmission, file_id).state


def test_mails_say_nothing_about_health_nor_about_a_stay(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "in_review")
        factory.settle(file)
    with db.transaction(ground.as_clerk):
        actions.validate(queries.one_at(frozenset({ground.hospital.establishment.id}), file.id))
    with db.transaction(db.system("tests")) as current:
        mail = current.scalars(select(Notification)).one()
    words = f"{mail.subject} {mail.body}".lower()
    assert not [word for word in ("admission", "séjour", "stay", "cardio", "hospitalis") if word in words]


def test_figures_count_what_was_sent(ground: Ground, sign_in, in_ten_days) -> None:
    patient = sign_in(ground.account)
    address = prepared(patient, ground, in_ten_days)
    deposit_all(patient, address)
    check = patient.get(f"{address}/verification")
    patient.post(f"{address}/verification", data={"once": once(check.text)})
    all_rolled_up()
    with db.transaction(db.system("tests")):
        period = Period(today(), today(), ground.hospital.establishment.id)
        figures = {code: kpi.definition(code).compute(period) for code in ("P1", "P2", "D1", "D2")}
    assert figures["P1"].value == 1
    assert figures["D1"].value == 5
    assert figures["P2"].value is None, "without the hospital's own total the rate is not fed"
    assert figures["D2"].value is None
