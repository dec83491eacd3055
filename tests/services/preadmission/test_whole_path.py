"""A patient prepares a stay, the hospital answers, the patient completes: over HTTP, as in a browser."""

import re
from io import BytesIO
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select

from portal import db, kpi
from portal.audit import AuditEvent
from portal.kpi import Period
from portal.notifications import Notification
from services.preadmission.models import Preadmission, PreadmissionChange
from tests.factories import preadmission as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground
from tests.writers import all_rolled_up

IDENTITY = {"used_name": "MARTIN-ROY", "phone": "06 39 98 00 01", "email": "jeanne@exemple.test",
            "address": "4 rue des Lilas, 91990 Arceau"}  # fmt: skip
COVERAGE = {"amo_kind": "french", "nir": "2 79 03 51 215 189 89", "amc_kind": "c2s"}
RELATIVE = {"relative_name": "Alix Morel", "relative_link": "sibling", "relative_phone": "06 39 98 00 99"}


def once(page: str) -> str:
    """The idempotency key that the page's form carries."""
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page)
    assert found, "the form has no idempotency key"
    return found[1]


def send(browser: FlaskClient, url: str, data: dict[str, object], follow: bool = False):
    return browser.post(url, data=data, follow_redirects=follow, content_type="multipart/form-data")


def link_to(page: str, pattern: str) -> str:
    found = re.search(rf'href="(/pre-admission/{pattern})"', page)
    assert found, pattern
    return found[1]


def prepared(browser: FlaskClient, ground: Ground, day: dict[str, str]) -> str:
    """Fill every step over HTTP and return the draft's address."""
    start = browser.get("/pre-admission/nouvelle")
    stay = {"once": once(start.text), "unit_id": str(ground.hospital.unit.id), "stay_kind": "inpatient", **day}
    address = browser.post("/pre-admission/nouvelle", data=stay).location.removesuffix("/identite")
    assert browser.post(f"{address}/identite", data=IDENTITY).location == f"{address}/prise-en-charge"
    assert browser.post(f"{address}/prise-en-charge", data=COVERAGE).location == f"{address}/personne-a-prevenir"
    assert browser.post(f"{address}/personne-a-prevenir", data=RELATIVE).location == f"{address}/pieces"
    return address


def deposit(browser: FlaskClient, address: str, list_page: str, content: bytes, name: str) -> str:
    """Send a file for the first piece offered on a page, and return where that leads."""
    piece = link_to(browser.get(list_page).text, "[0-9a-f-]+/pieces/[0-9a-f-]+")
    form = browser.get(piece)
    answer = send(browser, piece, {"once": once(form.text), "file": (BytesIO(content), name)})
    assert answer.status_code == 303, answer.text
    return answer.location


def test_patient_clerk_patient_clerk(ground: Ground, sign_in, work_jobs, in_ten_days) -> None:
    patient, clerk = sign_in(ground.account), sign_in(ground.clerk)
    photo = factory.photo()

    address = prepared(patient, ground, in_ten_days)
    assert deposit(patient, address, f"{address}/pieces", photo, "ma carte.png") == f"{address}/pieces"
    assert "Something is missing" not in patient.get(f"{address}/verification").text
    check = patient.get(f"{address}/verification")
    assert "2 79 03 51 215 189 89" in check.text
    receipt = patient.post(f"{address}/verification", data={"once": once(check.text)}, follow_redirects=True)
    with db.transaction(ground.as_patient) as current:
        file = current.scalars(select(Preadmission)).one()
    assert file.reference in receipt.text
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ2-9]{4}-[BCDFGHJKLMNPQRSTVWXZ2-9]{4}", file.reference)
    assert "01 99 00 10 00" in receipt.text, "the receipt says whom to call"

    tray = clerk.get("/admin/pre-admissions")
    assert "MARTIN-ROY" in tray.text
    desk = f"/admin/pre-admissions/{file.id}"
    opened = clerk.get(desk)
    assert "JEANNE" in opened.text
    document = re.search(rf'href="({desk}/pieces/[0-9a-f-]+/fichier)"', opened.text)[1]
    answer = clerk.get(document)
    assert answer.data == photo, "the clerk opens exactly the bytes the patient sent"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"

    piece = document.removesuffix("/fichier")
    piece_id = piece.rpartition("/")[2]
    clerk.post(f"{piece}/refuser", data={f"piece-{piece_id}-reason": "unreadable"})
    again = {f"again-complete_by-{part}": in_ten_days[f"planned_on-{part}"] for part in ("day", "month", "year")}
    clerk.post(f"{desk}/renvoyer", data=again)
    assert state_of(file.id) == "to_complete"

    seen = patient.get(address)
    assert "floue" in seen.text or "blurred" in seen.text, "the reason is told in plain words"
    assert deposit(patient, address, address, photo, "ma carte nette.png") == address
    assert state_of(file.id) == "completed", "the last document sent again brings the file back to the tray"
    assert "MARTIN-ROY" in clerk.get("/admin/pre-admissions").text

    clerk.post(f"{piece}/accepter")
    clerk.post(f"{desk}/valider")
    assert state_of(file.id) == "validated"
    assert patient.get(address).status_code == 200
    with db.transaction(db.system("tests")) as current:
        states = current.scalars(select(PreadmissionChange.to_state).order_by(PreadmissionChange.at)).all()
        assert states == ["draft", "submitted", "in_review", "to_complete", "completed", "in_review", "validated"]
        assert all(change.actor for change in current.scalars(select(PreadmissionChange)))
        events = current.scalars(select(AuditEvent.action).where(AuditEvent.patient_id == ground.patient.id)).all()
        mails = current.scalars(select(Notification)).all()
    assert {"preadmission.opened", "piece.opened", "piece.refused", "preadmission.validated"} <= set(events)
    assert len(mails) == 2
    work_jobs()


def state_of(file_id: UUID) -> str:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(Preadmission, file_id).state


def test_mails_say_nothing_about_health_nor_about_a_stay(ground: Ground, sign_in) -> None:
    with db.transaction(db.system("tests")):
        file = factory.preadmission(ground.patient, ground.hospital.unit, "in_review")
        factory.put(factory.pieces_of(file)["identity"], "accepted")
    sign_in(ground.clerk).post(f"/admin/pre-admissions/{file.id}/valider")
    with db.transaction(db.system("tests")) as current:
        mail = current.scalars(select(Notification)).one()
    words = f"{mail.subject} {mail.body}".lower()
    assert not [word for word in ("admission", "séjour", "stay", "cardio", "hospitalis") if word in words]


def test_figures_count_what_was_sent(ground: Ground, sign_in, in_ten_days) -> None:
    patient = sign_in(ground.account)
    address = prepared(patient, ground, in_ten_days)
    deposit(patient, address, f"{address}/pieces", factory.photo(), "carte.png")
    check = patient.get(f"{address}/verification")
    patient.post(f"{address}/verification", data={"once": once(check.text)})
    all_rolled_up()
    with db.transaction(db.system("tests")):
        period = Period(today(), today(), ground.hospital.establishment.id)
        figures = {code: kpi.definition(code).compute(period) for code in ("P1", "P2", "D1", "D2")}
    assert figures["P1"].value == 1
    assert figures["D1"].value == 1
    assert figures["P2"].value is None, "without the hospital's own total the rate is not fed"
    assert figures["D2"].value is None
