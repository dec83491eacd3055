"""Keeping a time while the form is filled, then booking it: one path, whatever the browser does."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.models import Patient, WebSession
from portal import db
from portal.db import session
from services.appointments import actions
from services.appointments.models import Appointment, ConsultationSession, Hold, Reason
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.ground import prepared, rows
from tests.services.appointments.conftest import Ground
from tests.statements import executed

MOST_STATEMENTS = 12
TO_BOOK = 14
"""Keeping asks first whether this person may take the time; booking asks again."""
NOBODY = "00000000-0000-4000-8000-000000000000"

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def browser(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.account)


def fields_of(page: TestResponse, action: str) -> dict[str, str]:
    """What the form of the page that posts there would send."""
    form = page.text[page.text.index(f'action="{action}"') :].partition("</form>")[0]
    return dict(re.findall(r'name="([a-z_]+)"[^>]*?value="([^"]*)"', form))


def wanted(ground: Ground, cell: int = 0, **changes: str) -> dict[str, str]:
    """What the list of times posts."""
    return {
        "reason": str(ground.reason.id), "slot": str(ground.slot(cell)), "patient_id": str(ground.patient.id)
    } | changes  # fmt: skip


def keep(browser: FlaskClient, ground: Ground, cell: int = 0, **changes: str) -> TestResponse:
    return browser.post("/rendez-vous/garder", data=wanted(ground, cell, **changes))


def kept_form(browser: FlaskClient, ground: Ground, cell: int = 0, **changes: str) -> dict[str, str]:
    """The form of the last step, for a time that is kept."""
    answer = keep(browser, ground, cell, **changes)
    assert answer.status_code == 303, answer.text
    return fields_of(browser.get(answer.location), "/rendez-vous/confirmer")


def book(browser: FlaskClient, form: dict[str, str]) -> TestResponse:
    return browser.post("/rendez-vous/confirmer", data=form)


def end_the_hold() -> None:
    with prepared():
        for each in session.scalars(select(Hold)):
            each.expires_at = db.now() - timedelta(seconds=1)


def free_cells(ground: Ground) -> int:
    with prepared():
        return session.get_one(ConsultationSession, ground.opened.id).free


# -- the path ----------------------------------------------------------------------------------------------------


def test_the_whole_path(ground: Ground, browser: FlaskClient) -> None:
    times = browser.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}")
    chosen = fields_of(times, "/rendez-vous/garder") | {"slot": str(ground.slot())}
    to_confirm = browser.post("/rendez-vous/garder", data=chosen)
    page = browser.get(to_confirm.location)
    assert "10 minutes more" in page.text
    answer = book(browser, fields_of(page, "/rendez-vous/confirmer"))
    assert answer.status_code == 303
    (made,) = rows(Appointment)
    done = browser.get(answer.location)
    assert made.reference in done.text
    assert ground.hospital.establishment.name in done.text
    assert str(made.id) in browser.get("/rendez-vous").text
    assert rows(Hold) == []


def test_a_visitor_finds_their_choice_again_after_signing_in(
    ground: Ground, client: FlaskClient, sign_in: SignIn
) -> None:
    times = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}")
    assert 'action="/rendez-vous/garder"' not in times.text
    chosen = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}&slot={ground.slot(2)}")
    to_sign_in = client.get(chosen.location)
    assert to_sign_in.location.startswith("/connexion?next=/rendez-vous/confirmer")
    page = sign_in(ground.account).get(chosen.location)
    assert page.status_code == 200
    assert fields_of(page, "/rendez-vous/garder")["slot"] == str(ground.slot(2))


def test_looking_keeps_nothing(ground: Ground, browser: FlaskClient) -> None:
    for _look in range(2):
        assert browser.get(ground.address()).status_code == 200
    assert rows(Hold) == []
    assert browser.get("/rendez-vous/garder").status_code == 405


def test_a_time_kept_for_one_is_hidden_from_others(ground: Ground, browser: FlaskClient, client: FlaskClient) -> None:
    keep(browser, ground, 4)
    page = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}").text
    assert f'value="{ground.slot(4)}"' not in page
    assert f'value="{ground.slot(0)}"' in page


def test_giving_up_frees_the_time_at_once(ground: Ground, browser: FlaskClient) -> None:
    before = free_cells(ground)
    keep(browser, ground)
    assert free_cells(ground) != before
    answer = browser.post("/rendez-vous/rendre")
    assert answer.location == f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}"
    assert free_cells(ground) == before
    assert browser.post("/rendez-vous/rendre").location == "/rendez-vous/choisir", "again is harmless"


def test_what_is_kept_can_be_found_again(ground: Ground, browser: FlaskClient) -> None:
    keep(browser, ground)
    for page in ("/rendez-vous", f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}"):
        assert f"/rendez-vous/confirmer?reason={ground.reason.id}" in browser.get(page).text
    assert str(ground.slot()) in browser.get("/rendez-vous/confirmer").location


# -- what browsers do --------------------------------------------------------------------------------------------


def test_keeping_twice_and_refreshing_change_nothing(ground: Ground, browser: FlaskClient) -> None:
    first, second = (keep(browser, ground) for _ in range(2))
    assert first.location == second.location
    assert [browser.get(first.location).status_code for _ in range(2)] == [200, 200]
    assert len(rows(Hold)) == 1


def test_the_same_post_twice_is_one_appointment_and_one_answer(ground: Ground, browser: FlaskClient) -> None:
    form = kept_form(browser, ground)
    first, second = (book(browser, form) for _ in range(2))
    assert first.location == second.location
    assert len(rows(Appointment)) == 1


def test_confirming_again_from_another_page_leads_to_the_appointment(ground: Ground, browser: FlaskClient) -> None:
    form = kept_form(browser, ground)
    other = kept_form(browser, ground)
    book(browser, form)
    (made,) = rows(Appointment)
    assert book(browser, other).location == f"/rendez-vous/{made.id}"


def test_coming_back_after_booking_leads_to_the_appointment(ground: Ground, browser: FlaskClient) -> None:
    book(browser, kept_form(browser, ground))
    (made,) = rows(Appointment)
    assert browser.get(ground.address()).location == f"/rendez-vous/{made.id}"


def test_a_second_tab_never_books_the_first_one_s_time(ground: Ground, browser: FlaskClient) -> None:
    first = kept_form(browser, ground, 0)
    second = kept_form(browser, ground, 4)
    page = book(browser, first)
    assert page.status_code == 409
    assert fields_of(page, "/rendez-vous/garder")["slot"] == str(ground.slot(0)), "it is still free: keep it again"
    assert rows(Appointment) == []
    assert book(browser, second).status_code == 303
    assert [made.first_cell for made in rows(Appointment)] == [4]


def test_a_hold_that_ended_is_kept_again_when_it_is_free(ground: Ground, browser: FlaskClient) -> None:
    form = kept_form(browser, ground)
    end_the_hold()
    with prepared():
        actions.sweep()
    page = book(browser, form)
    assert page.status_code == 409
    again = fields_of(page, "/rendez-vous/garder")
    assert again["patient_id"] == str(ground.patient.id), "nothing that was chosen is lost"
    assert browser.post("/rendez-vous/garder", data=again).status_code == 303


def test_a_hold_that_ended_and_was_taken_shows_the_nearest_times(ground: Ground, browser: FlaskClient) -> None:
    form = kept_form(browser, ground, 4)
    end_the_hold()
    with prepared():
        actions.sweep()
        actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot(4))
    page = book(browser, form)
    assert page.status_code == 409
    assert re.findall(r'name="slot" value="[^"]+-(\d+)"', page.text) == ["0", "2", "6", "8", "10"]


def test_a_post_without_anything_kept_books_nothing(ground: Ground, browser: FlaskClient) -> None:
    form = kept_form(browser, ground)
    browser.post("/rendez-vous/rendre")
    assert book(browser, form).status_code == 409
    assert rows(Appointment) == []


def test_choosing_nothing_asks_for_a_time_and_keeps_the_rest(ground: Ground, browser: FlaskClient) -> None:
    answer = keep(browser, ground, slot="", part="morning")
    assert answer.status_code == 303
    page = browser.get(answer.location)
    assert page.status_code == 422
    assert 'id="part-morning" name="part" value="morning" checked' in page.text


# -- refusals ----------------------------------------------------------------------------------------------------


def test_the_loser_gets_the_nearest_other_times(ground: Ground, browser: FlaskClient) -> None:
    with prepared():
        other = people.patient("AUTRE")
        actions.book_by_phone(other.id, ground.reason.id, ground.slot(4))
    page = keep(browser, ground, 4)
    assert page.status_code == 409
    assert re.findall(r'name="slot" value="[^"]+-(\d+)"', page.text) == ["0", "2", "6", "8", "10"]
    assert "01 99 00 00 00" in page.text
    assert [made.patient_id for made in rows(Appointment)] == [other.id]


def test_a_time_that_left_while_signing_in_is_told_at_once(ground: Ground, browser: FlaskClient) -> None:
    with prepared():
        actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot())
    assert browser.get(ground.address()).status_code == 409


def test_being_in_two_places_is_refused_with_a_way_to_the_other_one(ground: Ground, browser: FlaskClient) -> None:
    with prepared():
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh")
        other = appointments.consultation(ground.hospital, [ground.reason], practitioner=colleague)
    book(browser, kept_form(browser, ground))
    (made,) = rows(Appointment)
    page = keep(browser, ground, slot=f"{other.id}-1")
    assert page.status_code == 409
    assert f"/rendez-vous/{made.id}" in page.text
    assert f'value="{other.id}-0"' not in page.text, "nor is any time offered that overlaps it"


def test_what_became_busy_after_keeping_is_refused_too(ground: Ground, browser: FlaskClient) -> None:
    with prepared():
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh")
        other = appointments.consultation(ground.hospital, [ground.reason], practitioner=colleague)
    form = kept_form(browser, ground)
    with prepared():
        appointments.booked(ground.patient, ground.reason, other)
    page = book(browser, form)
    assert page.status_code == 409
    assert len(rows(Appointment)) == 1


@pytest.mark.parametrize("rule", [{"open_to_new_patients": False}, {"by_referral_only": True}])
def test_who_may_not_book_alone_is_told_what_to_do(ground: Ground, browser: FlaskClient, rule: dict[str, bool]) -> None:
    form = kept_form(browser, ground)
    with prepared():
        for name, value in rule.items():
            setattr(session.get_one(Reason, ground.reason.id), name, value)
    for page in (book(browser, form), keep(browser, ground, 2), browser.get(ground.address(2))):
        assert page.status_code == 409
        assert "01 99 00 00 00" in page.text
        assert 'name="slot"' not in page.text, "no other time would do"
    assert rows(Appointment) == []


def test_too_many_appointments_lead_to_those_one_has(ground: Ground, browser: FlaskClient) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).max_to_come = 1
        appointments.booked(ground.patient, ground.reason, ground.opened, 6)
    page = keep(browser, ground)
    assert page.status_code == 409
    assert 'href="/rendez-vous"' in page.text


# -- for whom ----------------------------------------------------------------------------------------------------


@pytest.fixture
def child(ground: Ground) -> Patient:
    with prepared():
        made = people.patient("PETIT", ("ZOÉ",))
        people.give_access(ground.account, made, "parent")
        return made


def test_a_parent_says_for_whom_before_seeing_times(ground: Ground, browser: FlaskClient, child: Patient) -> None:
    asked = browser.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}")
    assert 'name="slot"' not in asked.text
    link = re.search(rf'href="([^"]+for={child.id}[^"]*)"', asked.text)
    assert link is not None
    times = browser.get(link[1].replace("&amp;", "&"))
    assert fields_of(times, "/rendez-vous/garder")["patient_id"] == str(child.id)
    assert book(browser, kept_form(browser, ground, patient_id=str(child.id))).status_code == 303
    assert [made.patient_id for made in rows(Appointment)] == [child.id]


def test_after_signing_in_a_parent_is_asked_for_whom(ground: Ground, browser: FlaskClient, child: Patient) -> None:
    page = browser.get(ground.address())
    assert "ZOÉ PETIT" in page.text
    assert page.text.count('type="radio"') == 2


def test_nobody_books_for_somebody_they_may_not_act_for(ground: Ground, browser: FlaskClient, child: Patient) -> None:
    with prepared():
        other = people.patient("AUTRE")
    form = kept_form(browser, ground)
    for stranger in (str(other.id), "", "x"):
        assert book(browser, form | {"patient_id": stranger}).status_code == 422
        assert keep(browser, ground, patient_id=stranger).status_code == 422
    assert rows(Appointment) == []


def test_under_the_band_of_somebody_it_is_for_them(ground: Ground, browser: FlaskClient, child: Patient) -> None:
    with prepared():
        session.scalars(select(WebSession)).one().patient_id = child.id
    times = browser.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}&for={ground.patient.id}")
    assert fields_of(times, "/rendez-vous/garder")["patient_id"] == str(child.id)


@pytest.mark.parametrize("changes", [
    {"slot": "x"}, {"slot": f"{NOBODY}-0"}, {"reason": "x"}, {"reason": NOBODY}, {"slot": "", "reason": ""},
])  # fmt: skip
def test_a_forged_form_is_a_clear_404(ground: Ground, browser: FlaskClient, changes: dict[str, str]) -> None:
    form = kept_form(browser, ground)
    assert book(browser, form | changes).status_code == 404
    if changes.get("slot", "another"):
        assert keep(browser, ground, **changes).status_code == 404


def test_a_session_that_ended_in_mid_form_loses_nothing(ground: Ground, browser: FlaskClient, sign_in: SignIn) -> None:
    address = f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}"
    browser.get(address)
    with prepared():
        for each in session.scalars(select(WebSession)):
            each.ended_at = db.now()
    referrer = {"Referer": f"http://localhost{address}"}
    answer = browser.post("/rendez-vous/garder", data=wanted(ground, 4), headers=referrer)
    assert answer.location.startswith("/connexion?next=/rendez-vous/choisir-un-creneau?reason")
    page = sign_in(ground.account).get(address)
    assert f'value="{ground.slot(4)}" checked' in page.text


def test_keeping_and_booking_take_few_statements(app: Flask, ground: Ground, browser: FlaskClient) -> None:
    with executed(app) as statements:
        answer = keep(browser, ground)
    assert len(statements) <= TO_BOOK, "\n".join(statements)
    with executed(app) as statements:
        page = browser.get(answer.location)
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
    with executed(app) as statements:
        assert book(browser, fields_of(page, "/rendez-vous/confirmer")).status_code == 303
    assert len(statements) <= TO_BOOK, "\n".join(statements)
