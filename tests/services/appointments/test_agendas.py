"""Weekly templates open the months to come; changing them loses no appointment and no time."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import delete, select

from portal import calendar, db, jobs
from portal.db import session
from portal.establishments import Establishment
from services.appointments import actions as appointment_actions
from services.appointments.actions import SlotTaken
from services.appointments.agendas import actions
from services.appointments.agendas.clashes import AlreadyReceives, RoomTaken
from services.appointments.agendas.models import Absence, SessionTemplate
from services.appointments.models import (
    Appointment,
    ConsultationSession,
    Hold,
    Reason,
    Resource,
    ResourcePool,
    SessionReason,
)
from services.appointments.slots import Slot
from tests.factories import agendas, appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared, today
from tests.services.appointments.test_races import assert_all_agree

PARIS = ZoneInfo("Europe/Paris")
WEEK = timedelta(days=7)
EVER = {"on_public_holidays": True}


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def why(hospital: Hospital) -> Reason:
    with prepared():
        return appointments.reason(hospital.unit, duration_min=30)


def opened(template: SessionTemplate) -> list[ConsultationSession]:
    """Its sessions, soonest first, as they are now."""
    return list(
        session.scalars(
            select(ConsultationSession)
            .where(ConsultationSession.template_id == template.id)
            .order_by(ConsultationSession.start_at)
            .execution_options(populate_existing=True)
        )
    )


def on(template: SessionTemplate, day: date) -> list[ConsultationSession]:
    return [each for each in opened(template) if each.local_date == day]


def booked(session_: ConsultationSession, why: Reason, cell: int = 0, name: str = "PATIENT") -> Appointment:
    return appointments.booked(people.patient(name), why, session_, cell)


def test_a_template_opens_thirteen_months_of_its_weekday(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(2, **EVER))
        found = opened(made)
        assert len(found) in (57, 58)
        assert {each.local_date.weekday() for each in found} == {2}
        assert found[-1].local_date - today() > timedelta(days=390)
        assert {(each.n_cells, each.open, each.free, each.planned) for each in found} == {(12, 4095, 4095, 4095)}
        takes = session.scalars(select(SessionReason).where(SessionReason.reason_id == why.id)).all()
        assert len(takes) == len(found)


def test_opening_ahead_twice_changes_nothing(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why])
        before = [each.id for each in opened(made)]
        plan = actions.open_ahead(hospital.establishment, [made])
        assert (plan.new, plan.changed, plan.gone) == ([], [], [])
        assert [each.id for each in opened(made)] == before


def test_new_hours_replace_free_days_and_keep_booked_ones_cell_for_cell(hospital: Hospital, why: Reason) -> None:
    """9:00–12:00 becomes 8:30–11:30: who comes at 11:30 is stranded, who comes at 9:00 is not moved a minute."""
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        kept = opened(made)[2]
        early, late = booked(kept, why, 0, "TÔT"), booked(kept, why, 10, "TARD")
        at = early.start_at
        plan = agendas.changed(hospital, made, agendas.rule(0, time(8, 30), time(11, 30), **EVER))
        assert plan.stranded == [late.id]
        before, same = on(made, kept.local_date)
        assert same.id == kept.id
        assert same.open == 0b001111111111
        assert same.free == 0b001111111100
        assert (before.n_cells, before.free, before.at(before.n_cells)) == (2, 3, same.start_at)
        assert session.get_one(Appointment, early.id).start_at == at
        assert session.get_one(Appointment, late.id).state == "booked"
        others = [each for each in opened(made) if each.local_date != kept.local_date]
        assert {each.n_cells for each in others} == {12}
        assert len({each.local_date for each in others}) == len(others)
    assert_all_agree()


def test_changing_back_finds_every_cell_again(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        kept = opened(made)[1]
        booked(kept, why, 10)
        agendas.changed(hospital, made, agendas.rule(0, time(8), time(10), step_min=5, **EVER))
        plan = agendas.changed(hospital, made, agendas.rule(0, **EVER))
        assert plan.stranded == []
        (same,) = on(made, kept.local_date)
        assert (same.id, same.open, same.free) == (kept.id, 4095, 0b001111111111)
    assert_all_agree()


def test_a_stopped_template_leaves_nothing_but_those_who_were_expected(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why])
        kept = opened(made)[3]
        expected = booked(kept, why)
        plan = actions.stop(hospital.establishment, made, today() - timedelta(days=1))
        assert plan.stranded == [expected.id]
        assert [(each.id, each.open, each.free) for each in opened(made)] == [(kept.id, 0, 0)]
        assert session.get_one(Appointment, expected.id).state == "booked"
    assert_all_agree()


def test_a_cancelled_appointment_of_closed_time_frees_nothing(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why])
        kept = opened(made)[3]
        expected = booked(kept, why)
        actions.stop(hospital.establishment, made, today() - timedelta(days=1))
        appointment_actions.cancel_for_patient(expected, "practitioner_absent")
        assert [each.free for each in opened(made)] == [0]
    assert_all_agree()


def test_a_preview_says_what_would_be_and_changes_nothing(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        kept = opened(made)[0]
        late = booked(kept, why, 10)
        before = [(each.id, each.open, each.free) for each in opened(made)]
        with db.taken_back():
            plan = agendas.changed(hospital, made, agendas.rule(0, time(9), time(10), **EVER))
        assert plan.stranded == [late.id]
        assert len(plan.gone) == len(plan.new) == len(before) - 1
        session.expire_all()
        assert [(each.id, each.open, each.free) for each in opened(made)] == before
        assert made.closes == time(12)


def test_one_day_closes_without_touching_the_weekly_rule(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        day = opened(made)[1].local_date
        actions.set_day(hospital.establishment, made, day, is_open=False)
        assert on(made, day) == []
        assert on(made, day + WEEK) != []
        actions.forget_day(hospital.establishment, made, day)
        assert len(on(made, day)) == 1


def test_one_day_opens_more_or_at_other_hours(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        monday = opened(made)[1].local_date
        saturday = monday + timedelta(days=5)
        actions.set_day(hospital.establishment, made, saturday, is_open=True, opens=time(14), closes=time(16))
        actions.set_day(hospital.establishment, made, monday, is_open=True, closes=time(18))
        assert [each.n_cells for each in on(made, saturday)] == [8]
        assert [each.n_cells for each in on(made, monday)] == [36]


def test_a_time_being_kept_in_what_closes_is_given_back(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why])
        kept = opened(made)[3]
        somebody = people.patient()
        appointment_actions.keep_for(somebody.id, why.id, Slot(kept.id, 0), db.now() + timedelta(days=1), "proposal")
        actions.stop(hospital.establishment, made, today() - timedelta(days=1))
        assert session.scalars(select(Hold)).all() == []
    assert_all_agree()


def test_a_part_is_for_patients_online_until_the_rest_is_released(hospital: Hospital, why: Reason) -> None:
    with prepared():
        part = {"online": "part", "online_from": time(9), "online_until": time(10), "city": "none", "release_days": 2}
        made = agendas.template(hospital, [why], agendas.rule(3, **part))
        one = opened(made)[1]
        assert (one.for_web, one.for_city) == (0b1111, 0)
        released = calendar.to_utc(one.local_date - timedelta(days=2), time(), hospital.establishment.tz)
        assert one.released_at == released


def test_at_most_so_many_of_a_reason_counts_those_already_booked(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why])
        kept = opened(made)[1]
        booked(kept, why, 0, "UN"), booked(kept, why, 2, "DEUX")
        agendas.changed(hospital, made, made.rule)
        draft = actions.Draft(made.practitioner_id, made.unit_id, made.rule, {why.id: 2})
        actions.publish(hospital.establishment, draft, made)
        takes = session.get_one(SessionReason, (why.id, kept.id), populate_existing=True)
        assert (takes.most, takes.taken) == (2, 2)


def test_the_limit_of_a_reason_holds_where_the_template_has_none(hospital: Hospital) -> None:
    with prepared():
        few = appointments.reason(hospital.unit, most_a_session=4)
        made = agendas.template(hospital, [few])
        agendas.changed(hospital, made, made.rule)
        assert set(session.scalars(select(SessionReason.most).where(SessionReason.reason_id == few.id))) == {4}


def test_a_reason_withdrawn_is_not_taken_any_more_and_a_new_one_is(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why])
        kept = opened(made)[1]
        booked(kept, why)
        other = appointments.reason(hospital.unit, "Autre", 15)
        agendas.changed(hospital, made, made.rule, [other])
        taken = session.scalars(select(SessionReason.reason_id).where(SessionReason.session_id == kept.id)).all()
        assert taken == [other.id]


def test_groups_are_never_smaller_than_who_is_already_in(hospital: Hospital) -> None:
    with prepared():
        hour = appointments.reason(hospital.unit, "École du dos", 60)
        made = agendas.template(hospital, [hour], agendas.rule(1, time(17), time(18), capacity=4))
        group = opened(made)[1]
        for number in range(3):
            booked(group, hour, 0, f"P{number}")
        agendas.changed(hospital, made, agendas.rule(1, time(17), time(18), capacity=2))
        full = on(made, group.local_date)[0]
        assert (full.capacity, full.seats_left, full.free) == (4, 1, full.open)
        assert {each.capacity for each in opened(made) if each.id != full.id} == {2}
    assert_all_agree()


def test_nobody_receives_in_two_sessions_at_once(hospital: Hospital, why: Reason) -> None:
    """Each time would be offered twice, and could be taken once. One after the other is no trouble."""
    with prepared():
        agendas.template(hospital, [why], agendas.rule(0, time(9), time(12), **EVER))
        after = agendas.template(hospital, [why], agendas.rule(0, time(12), time(14), **EVER))
        before = agendas.template(hospital, [why], agendas.rule(0, time(7), time(9), **EVER))
    for opens, closes in ((time(11), time(13)), (time(8), time(13)), (time(10), time(11))):
        with pytest.raises(AlreadyReceives), prepared():
            agendas.template(hospital, [why], agendas.rule(0, opens, closes, **EVER))
    with pytest.raises(AlreadyReceives), prepared():
        agendas.changed(hospital, session.merge(after), agendas.rule(0, time(11, 30), time(14), **EVER))
    monday = next(
        today() + timedelta(days=ahead) for ahead in range(1, 8) if not (today() + timedelta(days=ahead)).weekday()
    )
    with pytest.raises(AlreadyReceives), prepared():
        actions.set_day(
            hospital.establishment, session.merge(before), monday, is_open=True, opens=time(7), closes=time(9, 30)
        )
    with prepared():
        actions.stop(hospital.establishment, session.merge(after), today() + timedelta(days=30))


def test_one_room_is_nobody_s_twice_at_the_same_hour(hospital: Hospital, why: Reason) -> None:
    tomorrow = (today() + timedelta(days=1)).weekday()  # no session of it has begun
    with prepared():
        rooms = ResourcePool(establishment_id=hospital.establishment.id, kind="room", name="Salles")
        session.add(rooms)
        session.flush()
        room = Resource(establishment_id=hospital.establishment.id, pool_id=rooms.id, name="Salle 1")
        session.add(room)
        session.flush()
        agendas.template(hospital, [why], agendas.rule(tomorrow, time(9), time(12)), room_id=room.id)
        colleague = hospitals.practitioner(hospital.unit, "10000000025", "TRAN", "Minh")
        agendas.template(
            hospital, [why], agendas.rule(tomorrow, time(12), time(14)), practitioner=colleague, room_id=room.id
        )
        third = hospitals.practitioner(hospital.unit, "10000000033", "AUBERT", "Salomé")
        with pytest.raises(RoomTaken) as refusal, db.taken_back():
            agendas.template(
                hospital, [why], agendas.rule(tomorrow, time(11), time(13)), practitioner=third, room_id=room.id
            )
        assert "MERCIER" in refusal.value.practitioner


def test_public_holidays_close_unless_the_template_says_otherwise(hospital: Hospital, why: Reason) -> None:
    with prepared():
        on_holidays = [day for day in _days(today() + WEEK, 380) if day in calendar.public_holidays(day.year)]
        day = on_holidays[0]
        closed = agendas.template(hospital, [why], agendas.rule(day.weekday()))
        colleague = hospitals.practitioner(hospital.unit, "10000000025", "TRAN", "Minh")
        open_ = agendas.template(hospital, [why], agendas.rule(day.weekday(), **EVER), practitioner=colleague)
        assert on(closed, day) == []
        assert len(on(open_, day)) == 1


def _days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=ahead) for ahead in range(count)]


def test_a_session_of_now_is_left_alone(hospital: Hospital, why: Reason, monkeypatch: pytest.MonkeyPatch) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        begun = opened(made)[1]
        monkeypatch.setattr(db, "now", lambda: begun.start_at + timedelta(hours=1))
        agendas.changed(hospital, made, agendas.rule(0, time(8), time(14), **EVER))
        first, *rest = on(made, begun.local_date)
        assert (first.id, first.open) == (begun.id, 4095)
        assert [each.start_at for each in rest] == [begun.at(12)]


# -- absences ----------------------------------------------------------------------------------------------------


def test_an_absence_closes_free_time_at_once_and_gives_it_back_when_it_ends(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        one, other = opened(made)[1:3]
        expected = booked(one, why, 4)
        away = agendas.absence(hospital, one.local_date, one.local_date, "illness")
        closed, still = on(made, one.local_date)[0], on(made, other.local_date)[0]
        assert (closed.open, closed.free, still.free) == (0, 0, 4095)
        with pytest.raises(SlotTaken):
            appointment_actions.book_by_phone(people.patient("NOUVEAU").id, why.id, Slot(one.id, 0))
        assert session.get_one(Appointment, expected.id).state == "booked"
        actions.end(away, away.start_at)
        again = on(made, one.local_date)[0]
        assert (again.open, again.free) == (4095, 4095 & ~0b110000)
    assert_all_agree()


def test_an_absence_of_some_hours_closes_the_cells_it_touches(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        one = opened(made)[1]
        start_at = datetime.combine(one.local_date, time(10, 5), hospital.establishment.tz)
        away = actions.Away(start_at, start_at + timedelta(minutes=40), "meeting", hospital.practitioner.id)
        actions.announce(hospital.establishment.id, away)
        assert on(made, one.local_date)[0].open == 0b111110001111


def test_sessions_opened_during_an_absence_are_born_closed(hospital: Hospital, why: Reason) -> None:
    with prepared():
        day = agendas.next_day(hospital, 0)
        agendas.absence(hospital, day, day)
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        assert [(each.planned, each.open, each.free) for each in on(made, day)] == [(4095, 0, 0)]


def test_a_closed_unit_or_room_closes_whoever_receives_there(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        one = opened(made)[1]
        alone = appointments.consultation(hospital, [why], one.local_date, time(14), time(15))
        agendas.absence(hospital, one.local_date, one.local_date, "works", unit_id=hospital.unit.id)
        assert on(made, one.local_date)[0].free == 0
        assert session.get_one(ConsultationSession, alone.id, populate_existing=True).free == 0


def test_an_absence_imported_twice_is_one_and_follows_what_changed(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        one, other = opened(made)[1:3]
        whole = [
            actions.Away(each.start_at, each.at(each.n_cells), "leave", hospital.practitioner.id)
            for each in (one, one, other)
        ]
        first, again, moved = (
            actions.announce(hospital.establishment.id, away, source_reference="EVT-1") for away in whole
        )
        assert first == again == moved
        assert [on(made, each.local_date)[0].free for each in (one, other)] == [4095, 0]


def test_two_absences_over_one_another_end_one_by_one(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        one = opened(made)[1]
        mine = agendas.absence(hospital, one.local_date, one.local_date)
        agendas.absence(hospital, one.local_date, one.local_date, "works", unit_id=hospital.unit.id)
        actions.end(mine, mine.start_at)
        assert on(made, one.local_date)[0].free == 0


# -- jobs --------------------------------------------------------------------------------------------------------


def test_every_night_what_comes_within_reach_is_opened(
    hospital: Hospital, why: Reason, work_jobs: Callable[[], None]
) -> None:
    """A month has passed since the templates were published."""
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        far = [each.id for each in opened(made)][-4:]
        session.execute(delete(ConsultationSession).where(ConsultationSession.id.in_(far)))
    for _night in range(2):
        with prepared():
            jobs.enqueue("agendas.open_ahead", practitioner_id=str(made.practitioner_id))
        work_jobs()
        with prepared():
            found = opened(made)
            assert len(found) in (57, 58)
            takes = session.scalars(select(SessionReason.session_id).where(SessionReason.reason_id == why.id)).all()
            assert sorted(takes) == sorted(each.id for each in found)


def test_new_holidays_close_the_days_nobody_booked(
    hospital: Hospital, why: Reason, work_jobs: Callable[[], None]
) -> None:
    day = next(day for day in _days(today() + WEEK, 380) if (day.month, day.day) == (12, 26))
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(day.weekday()))
        assert len(on(made, day)) == 1
        session.get_one(Establishment, hospital.establishment.id).holidays = "alsace-moselle"
        jobs.enqueue("agendas.follow_the_calendar", establishment_id=str(hospital.establishment.id))
    work_jobs()
    with prepared():
        assert on(made, day) == []


class Killed(Exception):
    """The process dies after its work and before its commit."""


def test_work_killed_half_way_leaves_nothing_half_written(hospital: Hospital, why: Reason) -> None:
    with prepared():
        made = agendas.template(hospital, [why], agendas.rule(0, **EVER))
        kept = opened(made)[2]
        late = booked(kept, why, 10)
        before = {(each.id, each.open, each.free) for each in opened(made)}

    def work() -> None:
        with prepared():
            again = session.get_one(SessionTemplate, made.id)
            agendas.changed(hospital, again, agendas.rule(0, time(8), time(10), **EVER))
            agendas.absence(hospital, kept.local_date, kept.local_date)
            raise Killed

    with pytest.raises(Killed):
        work()
    with prepared():
        assert {(each.id, each.open, each.free) for each in opened(made)} == before
        assert session.scalars(select(Absence)).all() == []
        assert session.get_one(Appointment, late.id).state == "booked"
    assert_all_agree()


def test_business_days_are_those_of_the_hospital(app: Flask) -> None:
    """Three business days from Monday the 23rd of December 2030: the 26th counts for nothing in Strasbourg."""
    now = datetime(2030, 12, 23, 9, tzinfo=UTC)
    with prepared():
        metropole = appointments.reason(hospitals.hospital().unit, min_delay_business_days=3)
        strasbourg = hospitals.hospital("990000025", "Strasbourg", holidays="alsace-moselle")
        theirs = appointments.reason(strasbourg.unit, min_delay_business_days=3)
        days = [each.window("web", now).earliest.astimezone(PARIS).date().day for each in (metropole, theirs)]
        assert days == [27, 30]
