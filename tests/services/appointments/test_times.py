"""Free times as a person sees them: narrowed, in several places, a month at a glance, and only what they can take."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from services.appointments import actions, queries
from services.appointments.actions import KnownPatientsOnly, ReferralOnly, TooManyAppointments
from services.appointments.models import Reason
from services.appointments.queries import Asking, Wish
from services.appointments.queries.free_slots import PARTS_OF_DAY, part_of_day
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.ground import prepared, today
from tests.services.appointments.conftest import Ground
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
MOST_STATEMENTS = 12


def address(ground: Ground, more: str = "") -> str:
    return f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}{more}"


def times(page: str) -> list[str]:
    return re.findall(r'name="slot" value="([^"]+)"', page)


# -- narrowing ---------------------------------------------------------------------------------------------------


@given(st.times())
def test_every_moment_is_in_one_part_of_the_day(at: time) -> None:
    assert part_of_day(at) in PARTS_OF_DAY


@given(st.datetimes(), st.sets(st.sampled_from(PARTS_OF_DAY)), st.sets(st.integers(0, 6)))
def test_a_wish_narrows_and_never_invents(at: datetime, parts: set[str], weekdays: set[int]) -> None:
    if Wish(parts=parts, weekdays=weekdays).suits(at):
        assert Wish(parts=parts).suits(at)
        assert Wish(weekdays=weekdays).suits(at)
    assert Wish().suits(at)


def test_hours_and_days_of_the_week_narrow_the_times(ground: Ground, client: FlaskClient) -> None:
    day = today() + timedelta(days=8)
    with prepared():
        late = appointments.consultation(ground.hospital, [ground.reason], day, time(17), time(19))
    evening = times(client.get(address(ground, "&part=evening")).text)
    assert {each.rpartition("-")[0] for each in evening} == {str(late.id)}
    on_that_day = times(client.get(address(ground, f"&weekday={day.isoweekday()}")).text)
    assert {each.rpartition("-")[0] for each in on_that_day} == {str(late.id)}
    assert times(client.get(address(ground, "&part=afternoon")).text) == []
    nothing = client.get(address(ground, "&part=afternoon")).text
    assert "No free time like that" in nothing
    assert "01 99 00 00 00" in nothing


def test_the_same_consultation_elsewhere_can_be_looked_at_together(ground: Ground, client: FlaskClient) -> None:
    with prepared():
        other = hospitals.hospital("990000025", "Hôpital de La Réunion", time_zone="Indian/Reunion")
        there = appointments.reason(other.unit)
        opened = appointments.consultation(other, [there])
    alone = client.get(address(ground)).text
    assert f'value="{there.id}">' in alone, "it is proposed"
    assert str(opened.id) not in alone
    both = client.get(address(ground, f"&reason={there.id}")).text
    assert {each.rpartition("-")[0] for each in times(both)} == {str(opened.id), str(ground.opened.id)}
    assert both.count("app-slots__detail") == 12, "each says where"
    assert "12:00 AM" not in both, "each at the hour of its own clock"


def test_a_time_of_another_place_is_kept_for_its_own_reason(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        other = hospitals.hospital("990000025", "Autre hôpital")
        there = appointments.reason(other.unit)
        opened = appointments.consultation(other, [there])
    answer = sign_in(ground.account).post(
        "/rendez-vous/garder",
        data={"reason": [str(ground.reason.id), str(there.id)], "slot": f"{opened.id}-0",
              "patient_id": str(ground.patient.id)},
    )  # fmt: skip
    assert f"reason={there.id}" in answer.location


# -- a month -----------------------------------------------------------------------------------------------------


def test_a_month_counts_what_each_day_offers(ground: Ground, client: FlaskClient) -> None:
    day = calendar.civil_day(ground.opened.start_at, ground.hospital.establishment.tz)
    page = client.get(address(ground, f"&month={day:%Y-%m}")).text
    assert page.count("app-month__link") == 1
    assert "6 free" in page
    link = re.search(r'class="app-month__link" href="([^"]+)"', page)
    assert link is not None
    assert len(times(client.get(link[1].replace("&amp;", "&")).text)) == 6


def test_the_month_shown_first_is_the_first_with_free_times(ground: Ground, client: FlaskClient) -> None:
    with prepared():
        empty = appointments.reason(ground.hospital.unit, "Plus tard")
        far = appointments.consultation(ground.hospital, [empty], today() + timedelta(days=100))
    page = client.get(f"/rendez-vous/choisir-un-creneau?reason={empty.id}&view=month").text
    assert page.count("app-month__link") == 1
    assert far.local_date.isoformat() in page


def test_an_empty_month_leads_to_the_next_free_day(ground: Ground, client: FlaskClient) -> None:
    with prepared():
        later = appointments.reason(ground.hospital.unit, "Plus tard")
        far = appointments.consultation(ground.hospital, [later], today() + timedelta(days=100))
    page = client.get(f"/rendez-vous/choisir-un-creneau?reason={later.id}&month={today():%Y-%m}").text
    assert "Nothing is free in that month" in page
    assert f"from={far.local_date}" in page


@given(st.dates(date(2026, 1, 1), date(2035, 12, 31)))
def test_the_weeks_of_any_month_hold_each_day_once(day: date) -> None:
    from services.appointments.times import _weeks  # the layout alone: no page is needed

    first = day.replace(day=1)
    shown = [each.day for week in _weeks(None, first, {}) for each in week if each]  # type: ignore[arg-type]  # nothing is searched
    assert shown == [first + timedelta(days=n) for n in range(len(shown))]
    assert (shown[-1] + timedelta(days=1)).month != first.month


@pytest.mark.parametrize("more", [
    "&month=2026-13", "&month=x", "&month=9999-12", "&month=2000-01", "&view=month", "&part=x", "&weekday=9",
    "&weekday=7&part=morning&part=evening", "&practitioner=x&practitioner=y", "&for=x",
])  # fmt: skip
def test_odd_addresses_are_forgiven(ground: Ground, client: FlaskClient, more: str) -> None:
    assert client.get(address(ground, more)).status_code == 200


# -- only what this person can take --------------------------------------------------------------------------------


def test_what_overlaps_one_s_appointments_is_not_offered(ground: Ground, client: FlaskClient, sign_in: SignIn) -> None:
    with prepared():
        other = hospitals.hospital("990000025", "Autre hôpital")
        elsewhere = appointments.reason(other.unit, "Ailleurs", 60)
        appointments.booked(ground.patient, elsewhere, appointments.consultation(other, [elsewhere]), 1)
    mine = times(sign_in(ground.account).get(address(ground)).text)
    assert [each.rpartition("-")[2] for each in mine] == ["5", "7", "9"], "busy from 9:15 to 10:15"
    assert len(times(client.get(address(ground)).text)) == 6, "others see every time"


def test_each_time_offered_can_be_kept(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        other = appointments.reason(ground.hospital.unit, "Autre", 45)
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh")
        appointments.booked(
            ground.patient, other, appointments.consultation(ground.hospital, [other], practitioner=colleague), 2
        )
    browser = sign_in(ground.account)
    offered = times(browser.get(address(ground)).text)
    assert offered
    for slot in offered:
        kept = browser.post(
            "/rendez-vous/garder",
            data={"reason": str(ground.reason.id), "slot": slot, "patient_id": str(ground.patient.id)},
        )
        assert kept.status_code == 303


@pytest.mark.parametrize(("rule", "title"), [
    ({"open_to_new_patients": False}, "For patients already followed here"),
    ({"by_referral_only": True}, "On a doctor’s referral"),
])  # fmt: skip
def test_rules_are_told_before_choosing(ground: Ground, sign_in: SignIn, rule: dict[str, bool], title: str) -> None:
    with prepared():
        for name, value in rule.items():
            setattr(session.get_one(Reason, ground.reason.id), name, value)
    page = sign_in(ground.account).get(address(ground)).text
    assert title in page
    assert times(page) == []
    assert "01 99 00 00 00" in page


def test_too_many_appointments_are_told_before_choosing(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).max_to_come = 1
        appointments.booked(ground.patient, ground.reason, ground.opened)
    page = sign_in(ground.account).get(address(ground)).text
    assert "You already have an appointment for this" in page
    assert times(page) == []


def test_a_visitor_reads_that_a_doctor_must_send_them(ground: Ground, client: FlaskClient) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).by_referral_only = True
    page = client.get(address(ground)).text
    assert "On a doctor’s referral" in page
    assert times(page) == []


@pytest.mark.parametrize("rule", [
    {}, {"open_to_new_patients": False}, {"by_referral_only": True}, {"max_to_come": 1}, {"max_to_come": 2},
])  # fmt: skip
@pytest.mark.parametrize("is_known", [False, True])
def test_the_list_and_the_booking_say_the_same(ground: Ground, rule: dict[str, object], is_known: bool) -> None:
    """What is told before choosing is what the booking answers, no more and no less."""
    with prepared():
        for name, value in rule.items():
            setattr(session.get_one(Reason, ground.reason.id), name, value)
        if is_known:
            people.known_at(ground.patient, ground.hospital.establishment.id, "8000000001")
        appointments.booked(ground.patient, ground.reason, ground.opened, 8)
    with prepared():
        reason = session.get_one(Reason, ground.reason.id)
        told = queries.standings(ground.patient.id, [reason])[reason.id].refusal
    try:
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot())
            answered = None
    except (KnownPatientsOnly, ReferralOnly, TooManyAppointments) as refusal:
        answered = type(refusal)
    assert told is answered


# -- economy -----------------------------------------------------------------------------------------------------


def test_pages_of_times_are_thrifty(app: Flask, ground: Ground, client: FlaskClient, sign_in: SignIn) -> None:
    with prepared():
        appointments.booked(ground.patient, ground.reason, ground.opened, 8)
    browser = sign_in(ground.account)
    for visitor in (client, browser):
        assert visitor.get(address(ground)).status_code == 200, "a first page notes the arrival"
        for more in ("", "&view=month", f"&month={today():%Y-%m}", "&part=morning&weekday=1"):
            with executed(app) as statements:
                assert visitor.get(address(ground, more)).status_code == 200
            assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


def test_reading_goes_on_until_the_days_wanted_are_found(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few sessions are read at once, the page is the same."""
    with prepared():
        for days in range(8, 30):
            appointments.consultation(ground.hospital, [ground.reason], today() + timedelta(days=days), closes=time(10))

    def page() -> tuple[list[date], date | None]:
        with prepared():
            reason = queries.online_reason(ground.reason.id)
            assert reason is not None
            found = queries.next_times(Asking.online([reason]), today())
            return list(found.days), found.next_day

    whole = page()
    monkeypatch.setattr("services.appointments.queries.free_slots.AT_ONCE", 2)
    assert page() == whole
    assert len(whole[0]) == 5
    assert whole[1] == today() + timedelta(days=12)


def test_a_hospital_of_another_clock_has_its_own_days(ground: Ground) -> None:
    with prepared():
        session.get_one(Establishment, ground.hospital.establishment.id).time_zone = "Pacific/Noumea"
    with prepared():
        reason = queries.online_reason(ground.reason.id)
        assert reason is not None
        asking = Asking.online([reason])
        (day,) = queries.next_times(asking, today()).days
        counts = queries.month(asking, day.replace(day=1))
        assert counts == {day: 6}
