"""Links in messages: when and where, and what one may do without signing in. Nothing else, and never by a GET."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.identity import sealing
from auth.models import Patient
from auth.tries import FailedTries
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from portal.notifications import Notification
from services.appointments import actions, states
from services.appointments.links import actions as links
from services.appointments.links.models import AppointmentLink
from services.appointments.models import Appointment, AppointmentChange, Reason
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.ground import audited, count, prepared, rows
from tests.services.appointments.conftest import Ground

WorkJobs = Callable[[], None]
UNKNOWN = "A" * 22


@pytest.fixture
def made(ground: Ground) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot())


@pytest.fixture
def path(made: Appointment) -> str:
    return _path(made.id)


def _path(appointment_id: UUID) -> str:
    with prepared():
        return links.path_to(session.get_one(Appointment, appointment_id))


def _now(made: Appointment) -> Appointment:
    with prepared():
        return session.get_one(Appointment, made.id)


def _change(made: Appointment, **values: object) -> None:
    with prepared():
        row = session.get_one(Appointment, made.id)
        for name, value in values.items():
            setattr(row, name, value)


def _bodies() -> str:
    return "".join(mail.body for mail in rows(Notification))


# -- what it shows -------------------------------------------------------------------------------------------------


def test_the_page_tells_the_day_the_time_the_hospital_and_nothing_else(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert ground.hospital.establishment.name in page.text
    assert "09:00" in page.text
    hidden = (ground.hospital.unit.name, ground.reason.name, "MERCIER", ground.patient.birth_name, made.reference)
    assert [each for each in hidden if each.lower() in page.text.lower()] == []


def test_no_search_engine_no_other_site_and_no_cache_learn_the_address(path: str, client: FlaskClient) -> None:
    for address in (path, f"{path}/annuler", f"{path}/deplacer", f"/rendez-vous/lien/{UNKNOWN}"):
        headers = client.get(address).headers
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"


def test_a_get_never_acts(ground: Ground, made: Appointment, path: str, client: FlaskClient) -> None:
    """Mail scanners open every link they find."""
    before, lines = _now(made), len(audited())
    for address in (path, f"{path}/annuler", f"{path}/deplacer", f"{path}/je-viens"):
        for visit in (client.get, client.head):
            visit(address)
    after = _now(made)
    assert (after.state, after.start_at, after.confirmed_for) == (before.state, before.start_at, None)
    assert len(audited()) == lines
    assert client.get(f"{path}/je-viens").status_code == 405


# -- what it does --------------------------------------------------------------------------------------------------


def test_one_says_that_one_comes(made: Appointment, path: str, client: FlaskClient) -> None:
    for _twice in range(2):
        assert client.post(f"{path}/je-viens").status_code == 303
    assert _now(made).is_confirmed
    assert audited().count("appointment.confirmed") == 1
    assert "I will come" not in client.get(f"{path}?lang=en").text


def test_cancelling_asks_why_then_gives_the_time_back(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    assert client.post(f"{path}/annuler", data={}).status_code == 422
    assert client.post(f"{path}/annuler", data={"why": "unavailable"}).status_code == 303
    after = _now(made)
    assert (after.state, after.cancel_reason) == (states.CANCELLED, "unavailable")
    page = client.get(path)
    assert page.status_code == 200
    assert "/annuler" not in page.text, "it shows that it is done, and offers nothing more"
    with prepared():
        other = people.patient("AUTRE")
        assert actions.book_by_phone(other.id, ground.reason.id, ground.slot()).state == states.BOOKED


def test_the_audit_names_the_link_and_the_history_too(made: Appointment, path: str, client: FlaskClient) -> None:
    client.post(f"{path}/annuler", data={"why": "other"})
    (link,) = rows(AppointmentLink)
    event = next(each for each in rows(AuditEvent) if each.action == "appointment.cancelled")
    assert (event.actor, event.patient_id) == (f"patient:{link.id}", made.patient_id)
    assert next(each for each in rows(AppointmentChange) if each.to_state == "cancelled").by == event.actor


def test_past_the_cut_off_one_must_call(ground: Ground, made: Appointment, path: str, client: FlaskClient) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).cancel_cutoff_hours = 24 * 30
    page = client.get(path).text
    assert "/annuler" not in page
    assert ground.hospital.establishment.phone in page
    for address in (f"{path}/annuler", f"{path}/deplacer"):
        assert client.post(address, data={"why": "other", "slot": str(ground.slot(4))}).location.endswith(path)
    assert _now(made).state == states.BOOKED
    assert client.post(f"{path}/je-viens").status_code == 303, "saying that one comes is never too late"


def test_moving_shows_free_times_alone_and_kills_the_link(
    ground: Ground, made: Appointment, path: str, client: FlaskClient, work_jobs: WorkJobs
) -> None:
    page = client.get(f"{path}/deplacer")
    shown = re.findall(r'name="slot" value="[^"]+-(\d+)"', page.text)
    assert shown == ["2", "4", "6", "8", "10"], "not the one they have"
    hidden = (ground.hospital.unit.name, ground.reason.name, "MERCIER")
    assert [each for each in hidden if each.lower() in page.text.lower()] == []
    answer = client.post(f"{path}/deplacer", data={"slot": str(ground.slot(4))})
    assert answer.status_code == 303
    assert _now(made).start_at == ground.opened.at(4)
    assert client.get(path).status_code == 404
    assert client.get(answer.location).status_code == 200
    work_jobs()
    assert answer.location in _bodies(), "the message that tells of the move carries the new link"


def test_no_time_is_offered_when_the_patient_is_elsewhere(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    with prepared():
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh")
        other = appointments.consultation(ground.hospital, [ground.reason], practitioner=colleague)
        actions.book_by_phone(ground.patient.id, ground.reason.id, Slot(other.id, 4))
    shown = client.get(f"{path}/deplacer").text
    assert str(ground.slot(4)) not in shown
    assert re.search(r'name="slot" value="[^"]+-6"', shown)


def test_a_time_taken_meanwhile_is_refused_and_others_are_shown(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    with prepared():
        actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot(4))
    page = client.post(f"{path}/deplacer", data={"slot": str(ground.slot(4))})
    assert page.status_code == 409
    assert str(ground.slot(6)) in page.text
    assert _now(made).start_at == ground.opened.at(0)


@pytest.mark.parametrize("slot", ["", "x", "-1", f"{UUID(int=7)}-1", f"{UUID(int=7)}-99", "\x00", "'" * 300])
def test_odd_slots_are_refused(ground: Ground, made: Appointment, path: str, client: FlaskClient, slot: str) -> None:
    assert client.post(f"{path}/deplacer", data={"slot": slot}).status_code in (409, 422)
    assert _now(made).start_at == ground.opened.at(0)


def test_a_reason_that_is_not_booked_online_is_not_moved_by_a_link(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).bookable_online = False
    assert "/deplacer" not in client.get(path).text
    assert client.post(f"{path}/deplacer", data={"slot": str(ground.slot(4))}).status_code == 409


# -- when it is dead -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [
    UNKNOWN, "", "a", "a" * 21, "a" * 23, "é" * 22, "%00" * 7, "../../etc/passwd", "' or 1=1 --------------",
    "A" * 5000, "AAAAAAAAAAAAAAAAAAAAA=", "0" * 22,
])  # fmt: skip
def test_hostile_tokens_are_one_404(made: Appointment, client: FlaskClient, token: str) -> None:
    assert client.get(f"/rendez-vous/lien/{token}").status_code == 404


def test_the_digest_that_the_database_holds_opens_nothing(path: str, client: FlaskClient) -> None:
    (link,) = rows(AppointmentLink)
    for guess in (link.digest.hex(), link.digest.hex()[:22], str(link.id), str(link.appointment_id)):
        assert client.get(f"/rendez-vous/lien/{guess}").status_code == 404
    assert path.rpartition("/")[2].encode() not in link.digest


def test_a_link_dies_when_the_appointment_moves_and_does_not_come_back_to_life(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    with db.transaction(ground.actor):
        actions.move(session.get_one(Appointment, made.id), ground.slot(4))
    assert client.get(path).status_code == 404
    for address in (f"{path}/je-viens", f"{path}/annuler", f"{path}/deplacer"):
        assert client.post(address, data={"why": "other", "slot": str(ground.slot(6))}).status_code == 404
    assert _path(made.id) != path
    assert _now(made).state == states.BOOKED


def test_a_link_dies_when_the_visit_begins(
    made: Appointment, path: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "now", lambda: made.start_at + timedelta(minutes=1))
    assert client.get(path).status_code == 404
    assert client.post(f"{path}/je-viens").status_code == 404


@pytest.mark.parametrize("state", ["arrived", "done", "missed"])
def test_a_visit_that_took_place_has_no_link_any_more(
    made: Appointment, path: str, client: FlaskClient, state: str
) -> None:
    _change(made, state=state)
    assert client.get(path).status_code == 404


def test_what_is_masked_has_no_link_and_loses_the_one_it_had(made: Appointment, path: str, client: FlaskClient) -> None:
    _change(made, masked=True)
    assert client.get(path).status_code == 404
    assert _path(made.id) == ""


def test_nothing_is_shown_of_somebody_who_died(
    ground: Ground, made: Appointment, path: str, client: FlaskClient
) -> None:
    with prepared():
        session.get_one(Patient, ground.patient.id).deceased_on = db.now().date()
    assert client.get(path).status_code == 404


def test_whoever_tries_many_links_must_wait(made: Appointment, path: str, client: FlaskClient) -> None:
    answers = [client.get(f"/rendez-vous/lien/{number:022d}").status_code for number in range(62)]
    assert answers == [404] * 60 + [429] * 2
    assert client.get(path).status_code == 200, "those who hold a good one are not locked out with them"
    assert count(FailedTries) == 1


def test_a_former_secret_s_links_still_work_and_new_ones_are_made(
    made: Appointment, path: str, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal's secret is rotated: what is in mailboxes goes on; once the former one is not known any more, what
    leaves is made with the new one."""
    monkeypatch.setattr(sealing._ring, "secrets", (b"the next secret", *sealing._ring.secrets))
    assert _path(made.id) == path
    monkeypatch.setattr(sealing._ring, "secrets", (b"the next secret",))
    following = _path(made.id)
    assert following not in ("", path)
    assert [client.get(each).status_code for each in (path, following)] == [200, 200]
    assert _path(made.id) == following, "the same one in each message"


# -- the messages that carry it ------------------------------------------------------------------------------------


def test_a_confirmation_says_when_and_where_and_carries_the_link(
    ground: Ground, made: Appointment, work_jobs: WorkJobs
) -> None:
    work_jobs()
    (mail,) = rows(Notification)
    assert _path(made.id) in mail.body
    assert ground.hospital.establishment.name in mail.body
    assert "09:00" in mail.body
    assert mail.body.endswith(f"/rendez-vous/{made.id}"), "the account's page stays the last line"


def test_somebody_on_the_phone_gets_a_link_that_needs_no_account(ground: Ground, work_jobs: WorkJobs) -> None:
    with prepared():
        caller = people.patient("AUTRE", email="autre@exemple.test")
        made = actions.book_by_phone(caller.id, ground.reason.id, ground.slot())
    work_jobs()
    (mail,) = rows(Notification)
    assert mail.body.endswith(_path(made.id))
    assert f"/rendez-vous/{made.id}" not in mail.body


def test_a_masked_visit_s_message_carries_no_link(ground: Ground, made: Appointment, work_jobs: WorkJobs) -> None:
    _change(made, masked=True)
    work_jobs()
    assert "/lien/" not in _bodies()


@pytest.mark.parametrize(("locale", "words"), [("fr", "09:00"), ("en", "9:00")])
def test_messages_are_in_their_reader_s_language(
    ground: Ground, made: Appointment, work_jobs: WorkJobs, locale: str, words: str
) -> None:
    with prepared():
        session.get_one(type(ground.account), ground.account.id).locale = locale
    work_jobs()
    assert words in _bodies()
    assert f"{ground.opened.local_date.year}" in _bodies()


def test_messages_of_a_hospital_overseas_say_its_time_and_whose_it_is(ground: Ground, work_jobs: WorkJobs) -> None:
    with prepared():
        far = hospitals.hospital("990000033", "Hôpital de Saint-Pierre", time_zone="Indian/Reunion")
        from tests.factories import appointments

        why = appointments.reason(far.unit)
        opened = appointments.consultation(far, [why])
        actions.book_by_phone(ground.patient.id, why.id, type(ground.slot())(opened.id, 0))
    work_jobs()
    assert "09:00" in _bodies()
    assert "Réunion" in _bodies()


# -- who sees the table --------------------------------------------------------------------------------------------


def test_nobody_but_the_system_sees_links(ground: Ground, path: str) -> None:
    with prepared():
        agent = people.agent(ground.hospital.establishment.id, "appointments")
    for actor in (ground.actor, people.as_agent(agent, ground.hospital.establishment.id, "appointments"), db.ANONYMOUS):
        with db.transaction(actor):
            assert session.scalars(select(AppointmentLink)).all() == []


def test_the_holder_of_a_link_sees_one_patient_s_rows_and_no_other(
    ground: Ground, made: Appointment, path: str
) -> None:
    with prepared():
        other = actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot(4))
    (link,) = rows(AppointmentLink)
    with prepared():
        held = session.get_one(AppointmentLink, link.id)
        assert held.appointment.patient.id == made.patient_id
    with links.acting(held):
        assert session.get(Appointment, other.id) is None
