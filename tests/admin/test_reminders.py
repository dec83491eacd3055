"""The staff's side of reminders: rules, the words that leave, and what they change."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from portal.db import session
from services.appointments.models import Reason
from services.appointments.reminders import queries
from services.appointments.reminders.models import Reminder, ReminderPolicy, ReminderSetting
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows, today
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
RULES = {
    "is_on": "y", "mail_days": "10, 3", "text_days": "", "near_mail": "y", "late_text": "y", "send_at": "14",
    "quiet_from": "19", "quiet_until": "9", "says": "when",
}  # fmt: skip


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def reason(hospital: Hospital) -> Reason:
    with prepared():
        return appointments.reason(hospital.unit)


@pytest.fixture
def browser(hospital: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        agent = people.agent(hospital.establishment.id, "appointments")
    return sign_in(agent)


def _page(hospital: Hospital) -> str:
    return f"/admin/rappels/{hospital.establishment.finess}"


def test_the_usual_rules_apply_before_anybody_chooses(hospital: Hospital, browser: FlaskClient) -> None:
    assert browser.get("/admin/rappels").status_code == 200
    page = browser.get(_page(hospital)).text
    assert 'value="7, 1"' in page
    assert rows(ReminderSetting) == []


def test_a_hospital_changes_its_rules(hospital: Hospital, browser: FlaskClient) -> None:
    assert browser.post(_page(hospital), data=RULES).status_code == 303
    (kept,) = rows(ReminderSetting)
    assert (kept.mail_days, kept.text_days, kept.near_mail, kept.near_text) == ([10, 3], [], True, False)
    assert (kept.send_at, kept.quiet_from, kept.quiet_until, kept.says, kept.is_on) == (14, 19, 9, "when", True)
    assert "reminder_rules.changed" in audited()


def test_switching_off_is_one_box(hospital: Hospital, browser: FlaskClient) -> None:
    browser.post(_page(hospital), data={name: value for name, value in RULES.items() if name != "is_on"})
    with prepared():
        assert not queries.rules(hospital.establishment.id).is_on


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail_days": "x"}, {"mail_days": "0"}, {"mail_days": "31"}, {"mail_days": "1,2,3,4,5,6"}, {"text_days": "-1"},
        {"send_at": "19"}, {"send_at": "8"}, {"send_at": ""}, {"send_at": "99"}, {"quiet_from": "x"},
        {"says": "everything"}, {"mail_days": "1 000 000"}, {"mail_days": "²"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(hospital: Hospital, browser: FlaskClient, wrong: dict[str, str]) -> None:
    assert browser.post(_page(hospital), data=RULES | wrong).status_code == 422
    assert rows(ReminderSetting) == []


def test_the_words_that_leave_are_shown_as_they_leave(hospital: Hospital, browser: FlaskClient) -> None:
    page = browser.get(_page(hospital)).text
    assert page.count("/rendez-vous/lien/") == 4, "a mail and a text, in two languages"
    assert hospital.establishment.name in page
    assert hospital.unit.name not in page.partition("<table")[0]
    browser.post(_page(hospital), data=RULES | {"says": "nothing"})
    letters = browser.get(_page(hospital)).text.partition("app-letter")[2].partition("<table")[0]
    assert "09:30" not in letters


def test_a_reason_has_its_own_rules_none_or_its_hospital_s(
    hospital: Hospital, reason: Reason, browser: FlaskClient
) -> None:
    address = f"/admin/rappels/motif/{reason.id}"
    assert browser.get(address).status_code == 200
    own = {"kind": "own", "mail_days": "5", "text_days": "1", "near_text": "y"}
    assert browser.post(address, data=own).status_code == 303
    (kept,) = rows(ReminderPolicy)
    assert (kept.is_on, kept.mail_days, kept.text_days, kept.near_mail) == (True, [5], [1], False)
    browser.post(address, data=own | {"kind": "off"})
    assert [each.is_on for each in rows(ReminderPolicy)] == [False]
    browser.post(address, data={"kind": "hospital"})
    assert rows(ReminderPolicy) == []


def test_another_hospital_is_not_seen(hospital: Hospital, browser: FlaskClient) -> None:
    with prepared():
        far = hospitals.hospital("990000025", "Autre hôpital")
        why = appointments.reason(far.unit)
    assert "Autre hôpital" not in browser.get("/admin/rappels").text
    assert browser.get("/admin/rappels/990000025").status_code == 404
    assert browser.post("/admin/rappels/990000025", data=RULES).status_code == 404
    assert browser.post(f"/admin/rappels/motif/{why.id}", data={"kind": "off"}).status_code == 404


@pytest.mark.parametrize("right", ["billing", "documents", "administration"])
def test_it_takes_the_right(hospital: Hospital, sign_in: SignIn, right: str) -> None:
    with prepared():
        agent = people.agent(hospital.establishment.id, right)
    assert sign_in(agent).get("/admin/rappels").status_code == 403


def test_counts_of_what_was_sent_and_failed(hospital: Hospital, browser: FlaskClient) -> None:
    with prepared():
        for rank, state in enumerate(("sent", "sent", "refused", "uncertain", "dropped")):
            session.add(
                Reminder(
                    establishment_id=hospital.establishment.id, recipient_id=people.patient(f"P{rank}").id,
                    channel="mail", day=today() - timedelta(days=1), state=state,
                )
            )  # fmt: skip
    page = browser.get("/admin/rappels").text
    cells = [each.partition("</td>")[0].rpartition(">")[2].strip() for each in page.split("<td")[1:]]
    assert [each for each in cells if each.isdecimal()][:5] == ["2", "0", "0", "2", "1"]


def test_no_shows_with_and_without_a_reminder_stand_side_by_side(
    hospital: Hospital, reason: Reason, browser: FlaskClient
) -> None:
    with prepared():
        held = appointments.consultation(hospital, [reason], today() - timedelta(days=3))
        for cell, (state, told) in enumerate((("done", True), ("done", True), ("missed", True), ("missed", False))):
            past = appointments.past(people.patient(f"P{cell}"), reason, held, 2 * cell, state=state)
            past.reminded_at = db.now() if told else None
    page = browser.get("/admin/rappels?lang=en").text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "33.3 %" in page
    assert "100.0 %" in page


def test_pages_ask_little_of_the_database(app: Flask, hospital: Hospital, reason: Reason, browser: FlaskClient) -> None:
    with prepared():
        for rank in range(20):
            appointments.reason(hospital.unit, f"Motif {rank}")
    for address in ("/admin/rappels", _page(hospital), f"/admin/rappels/motif/{reason.id}"):
        with executed(app) as statements:
            browser.get(address)
        assert len(statements) <= 12, (address, len(statements))


def test_the_patient_s_page_keeps_a_choice(app: Flask, sign_in: SignIn) -> None:
    with prepared():
        account, _patient = people.patient_with_account()
    browser = sign_in(account)
    assert 'value="usual" checked' in " ".join(browser.get("/rendez-vous/rappels").text.split())
    assert browser.post("/rendez-vous/rappels", data={"how": "discreet"}).status_code == 303
    with db.transaction(db.system("tests")):
        assert queries.choice(account.id).discreet
    assert browser.post("/rendez-vous/rappels", data={"how": "shout"}).status_code == 422
