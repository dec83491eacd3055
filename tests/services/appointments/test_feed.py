"""A calendar one subscribes to: revocable, discreet, and right for every reader of RFC 5545."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from auth.models import Account, PatientAccess
from portal import db
from portal.db import session
from portal.establishments import Establishment, Site
from services.appointments import actions, ics, states
from services.appointments.feed import actions as feeds
from services.appointments.feed.models import CalendarFeed
from services.appointments.ics import Entry
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from tests.factories import appointments, people
from tests.ground import audited, prepared, rows, today
from tests.services.appointments.conftest import Ground
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
PAGE = "/rendez-vous/calendrier"
ZONES = ("Europe/Paris", "Indian/Reunion", "America/Martinique")


@pytest.fixture
def made(ground: Ground) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot())


@pytest.fixture
def address(ground: Ground) -> str:
    with db.transaction(ground.actor):
        return f"{PAGE}/{feeds.address_of(feeds.open_feed())}"


def _read(client: FlaskClient, address: str) -> list[Event]:
    answer = client.get(address)
    assert answer.status_code == 200
    return [each for each in Calendar.from_ical(answer.data).walk("VEVENT") if isinstance(each, Event)]


def _choose(ground: Ground, **wanted: bool) -> None:
    with db.transaction(ground.actor):
        feed = feeds.open_feed()
        feeds.choose(feed, **{"with_details": feed.with_details, "with_proxied": feed.with_proxied} | wanted)


# -- what it tells -------------------------------------------------------------------------------------------------


def test_a_title_a_time_an_address_and_a_link(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    with prepared():
        session.get_one(Site, ground.hospital.site.id).address = "12 avenue des Tilleuls, 91990 Arceau"
    (event,) = _read(client, address)
    assert event["summary"] in ("Rendez-vous", "Appointment")
    assert event["location"] == "12 avenue des Tilleuls, 91990 Arceau"
    assert event["url"].endswith(f"/rendez-vous/{made.id}")
    assert event.decoded("dtstart").astimezone(UTC) == made.start_at
    assert event.decoded("dtend").astimezone(UTC) == made.end_at
    content = client.get(address).text.replace("\r\n ", "").lower()
    hidden = (ground.hospital.unit.name, ground.reason.name, "MERCIER", ground.patient.birth_name, made.reference)
    assert [each for each in hidden if each.lower() in content] == []


def test_the_unit_the_practitioner_and_the_reason_when_the_person_chose_it(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    _choose(ground, with_details=True)
    (event,) = _read(client, address)
    assert ground.hospital.unit.name in event["summary"]
    assert ground.reason.name in event["description"]
    assert "MERCIER" in event["description"]


def test_what_is_masked_is_absent_even_from_one_s_own(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    with prepared():
        session.get_one(Appointment, made.id).masked = True
    _choose(ground, with_details=True, with_proxied=True)
    assert _read(client, address) == []


def test_people_acted_for_are_off_by_default_and_leave_with_the_mandate(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    with prepared():
        child = people.patient("ENFANT", birth_on=date(2020, 1, 1))
        people.give_access(ground.account, child, "parent")
        theirs = actions.book_by_phone(child.id, ground.reason.id, ground.slot(4))
        paid = people.patient("AUTRE")
        people.give_access(ground.account, paid, "carer")
        session.get_one(PatientAccess, (ground.account.id, paid.id)).scopes = ["payment"]
        actions.book_by_phone(paid.id, ground.reason.id, ground.slot(6))
    assert len(_read(client, address)) == 1
    _choose(ground, with_proxied=True)
    assert {str(event["uid"]) for event in _read(client, address)} == {f"{each.id}@parvis" for each in (made, theirs)}
    with prepared():
        session.get_one(PatientAccess, (ground.account.id, child.id)).ends_on = today() - timedelta(days=1)
    assert len(_read(client, address)) == 1


def test_it_covers_three_months_back_and_everything_to_come(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    with prepared():
        for days in (200, 30):
            held = appointments.consultation(ground.hospital, [ground.reason], today() - timedelta(days=days))
            appointments.past(ground.patient, ground.reason, held, state="done")
    assert len(_read(client, address)) == 2


# -- how calendars follow ------------------------------------------------------------------------------------------


def test_the_same_entry_moves_then_is_struck_out(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    seen = _read(client, address)
    with db.transaction(ground.actor):
        actions.move(session.get_one(Appointment, made.id), ground.slot(4))
    seen += _read(client, address)
    with db.transaction(ground.actor):
        actions.cancel(session.get_one(Appointment, made.id), "other")
    seen += _read(client, address)
    assert len({str(event["uid"]) for event in seen}) == 1
    assert [event["sequence"] for event in seen] == [0, 1, 2]
    assert [str(event["status"]) for event in seen] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert seen[0].decoded("dtstart") < seen[1].decoded("dtstart") == seen[2].decoded("dtstart")


def test_nothing_new_is_304_and_a_change_is_not(
    ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    first = client.get(address)
    etag = first.headers["ETag"]
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get(address, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    with db.transaction(ground.actor):
        actions.move(session.get_one(Appointment, made.id), ground.slot(4))
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_reading_it_costs_few_statements_and_says_when_it_was_read(
    app: Flask, ground: Ground, made: Appointment, address: str, client: FlaskClient
) -> None:
    with prepared():
        for days in range(8, 28):
            held = appointments.consultation(ground.hospital, [ground.reason], today() + timedelta(days=days))
            actions.book_by_phone(ground.patient.id, ground.reason.id, Slot(held.id, 0))
    with executed(app) as statements:
        client.get(address)
    assert len(statements) <= 12, statements
    client.get(address)
    assert audited().count("calendar_feed.read") == 1, "once a day"
    assert [feed.last_read_on for feed in rows(CalendarFeed)] == [today()]


# -- who may read it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [
    "A" * 22 + ".ics", "x.ics", ".ics", "A" * 22, "é" * 22 + ".ics", "..%2f..%2fetc%2fpasswd", "%00.ics",
    "' or 1=1 --.ics", "A" * 4000 + ".ics",
])  # fmt: skip
def test_hostile_addresses_are_a_404(address: str, client: FlaskClient, name: str) -> None:
    assert client.get(f"{PAGE}/{name}").status_code == 404


def test_the_digest_that_the_database_holds_opens_nothing(address: str, client: FlaskClient) -> None:
    (feed,) = rows(CalendarFeed)
    token = address.rpartition("/")[2].removesuffix(".ics")
    assert feed.digest == hashlib.sha256(token.encode()).digest()
    for guess in (feed.digest.hex()[:22], feed.id.hex[:22], str(feed.id)):
        assert client.get(f"{PAGE}/{guess}.ics").status_code == 404


def test_no_search_engine_nor_other_site_learns_it(address: str, client: FlaskClient) -> None:
    headers = client.get(address).headers
    assert (headers["X-Robots-Tag"], headers["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")


def test_the_address_is_never_in_the_log(
    address: str, client: FlaskClient, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    client.get(address)
    client.get(f"{PAGE}/{'A' * 22}.ics")
    written = "".join(capsys.readouterr()) + caplog.text
    assert address.rpartition("/")[2] not in written
    assert "A" * 22 not in written


def test_taken_back_or_made_again_the_former_address_is_dead_at_once(
    ground: Ground, made: Appointment, address: str, client: FlaskClient, sign_in: SignIn
) -> None:
    browser = sign_in(ground.account)
    assert browser.post(f"{PAGE}/renouveler").status_code == 303
    following = re.search(rf"{PAGE}/[\w-]{{22}}\.ics", browser.get(PAGE).text)
    assert following is not None
    assert [client.get(each).status_code for each in (address, following[0])] == [404, 200]
    assert browser.post(f"{PAGE}/fermer").status_code == 303
    assert client.get(following[0]).status_code == 404
    assert [each for each in audited() if each.startswith("calendar_feed")] == [
        "calendar_feed.opened", "calendar_feed.renewed", "calendar_feed.read", "calendar_feed.closed",
    ]  # fmt: skip


def test_a_closed_account_has_no_calendar(ground: Ground, address: str, client: FlaskClient) -> None:
    with prepared():
        session.get_one(Account, ground.account.id).closed_at = db.now()
    assert client.get(address).status_code == 404


def test_two_clicks_make_one_address(ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.account)
    for _click in range(2):
        assert browser.post(f"{PAGE}/ouvrir").status_code == 303
    assert len(rows(CalendarFeed)) == 1


def test_the_page_says_what_it_shows_and_keeps_a_choice(ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.account)
    assert "/ouvrir" in browser.get(PAGE).text
    browser.post(f"{PAGE}/ouvrir")
    page = browser.get(PAGE).text
    assert "webcal://" in page
    browser.post(f"{PAGE}/choix", data={"with_details": "y"})
    (feed,) = rows(CalendarFeed)
    assert (feed.with_details, feed.with_proxied) == (True, False)


def test_without_an_address_there_is_nothing_to_choose_renew_or_close(ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.account)
    for gesture in ("choix", "renouveler", "fermer"):
        assert browser.post(f"{PAGE}/{gesture}").status_code == 303
    assert rows(CalendarFeed) == []


def test_only_its_owner_sees_the_row(ground: Ground, address: str) -> None:
    with prepared():
        account, other = people.patient_with_account(birth_name="AUTRE")
        agent = people.agent(ground.hospital.establishment.id, "appointments", "identity", "administration")
    rights = ("appointments", "identity", "administration")
    strangers = (
        people.as_patient(account, other),
        people.as_agent(agent, ground.hospital.establishment.id, *rights),
        db.ANONYMOUS,
    )
    for actor in strangers:
        with db.transaction(actor):
            assert session.query(CalendarFeed).count() == 0
    with db.transaction(ground.actor):
        assert session.query(CalendarFeed).count() == 1


# -- the writer (RFC 5545), on any day, in any zone, with any name --------------------------------------------------


def _entry(start: datetime, minutes: int, zone: str, words: str = "", sequence: int = 0) -> Entry:
    hospital = Establishment(id=uuid4(), finess="990000017", name=f"Hôpital {words}", time_zone=zone)
    site = Site(id=uuid4(), establishment_id=hospital.id, finess_et="1", name=words, address=words)
    appointment = Appointment(
        id=uuid4(), start_at=start, end_at=start + timedelta(minutes=minutes), state=states.BOOKED, reference="B2C3D4F5"
    )
    appointment.establishment, appointment.site = hospital, site
    return Entry(
        appointment, sequence, start, f"Rendez-vous {words}", ics.location(appointment), "https://a.test/b", words
    )


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=200)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))


@given(MOMENTS, st.integers(5, 300), st.sampled_from(ZONES), WORDS)
def test_any_appointment_comes_back_as_it_was_written(start: datetime, minutes: int, zone: str, words: str) -> None:
    entry = _entry(start.replace(second=0, microsecond=0), minutes, zone, words)
    (event,) = Calendar.from_ical(_feed([entry])).walk("VEVENT")
    assert event.decoded("dtstart").astimezone(UTC) == entry.appointment.start_at
    assert event.decoded("dtend").astimezone(UTC) == entry.appointment.end_at
    assert event["summary"] == entry.summary
    assert event["location"] == entry.location


@given(MOMENTS, st.sampled_from(ZONES), WORDS)
def test_lines_are_folded_ended_and_escaped(start: datetime, zone: str, words: str) -> None:
    content = _feed([_entry(start, 30, zone, words)])
    lines = content.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 for line in lines), "section 3.1: octets, not signs"
    assert b"\n" not in content.replace(b"\r\n", b"")
    unfolded = content.replace(b"\r\n ", b"").decode()
    assert unfolded.count("BEGIN:VEVENT") == unfolded.count("END:VEVENT") == 1


def test_a_name_with_commas_semicolons_and_line_ends_stays_one_value() -> None:
    entry = _entry(datetime(2027, 1, 4, 8, tzinfo=UTC), 30, "Europe/Paris", 'a,b;c\\d "e" BEGIN:VEVENT')
    (event,) = Calendar.from_ical(_feed([entry])).walk("VEVENT")
    assert event["summary"] == entry.summary


@pytest.mark.parametrize(
    ("day", "hour", "zone", "offset_hours"),
    [
        (date(2026, 10, 24), time(9), "Europe/Paris", 2),
        (date(2026, 10, 25), time(9), "Europe/Paris", 1),
        (date(2027, 3, 27), time(9), "Europe/Paris", 1),
        (date(2027, 3, 28), time(9), "Europe/Paris", 2),
        (date(2027, 3, 28), time(9), "Indian/Reunion", 4),
        (date(2026, 10, 25), time(9), "America/Martinique", -4),
    ],
)
def test_the_wall_clock_is_the_hospital_s_around_clock_changes(
    day: date, hour: time, zone: str, offset_hours: int
) -> None:
    start = datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)
    calendar = Calendar.from_ical(_feed([_entry(start, 30, zone)]))
    (event,) = calendar.walk("VEVENT")
    assert event["dtstart"].params["TZID"] == zone
    written = event.decoded("dtstart")
    assert written.replace(tzinfo=None) == datetime.combine(day, hour)
    assert written.utcoffset() == timedelta(hours=offset_hours)
    assert [str(each["tzid"]) for each in calendar.walk("VTIMEZONE")] == [zone]


def test_the_second_half_past_two_of_an_autumn_night_is_not_the_first() -> None:
    """The wall clock alone cannot tell them apart: that hour is written in universal time."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    both = [_entry(first + timedelta(hours=later), 30, "Europe/Paris") for later in (0, 1)]
    events = Calendar.from_ical(_feed(both)).walk("VEVENT")
    assert [each.decoded("dtstart").astimezone(UTC) for each in events] == [first, first + timedelta(hours=1)]


def test_an_empty_calendar_is_still_one() -> None:
    calendar = Calendar.from_ical(_feed([]))
    assert (str(calendar["version"]), calendar.walk("VEVENT")) == ("2.0", [])


@pytest.fixture(autouse=True)
def _language(app: Flask) -> None:
    """Words of a calendar are translated."""


def _feed(entries: list[Entry]) -> bytes:
    return ics.feed(entries, "Rendez-vous")
