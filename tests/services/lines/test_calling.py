"""Calls back: asked by practitioners, taken by agents, told when late, ended when useless; and who sees what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from auth.models import Account, Professional
from portal import db, retention
from portal.db import ANONYMOUS, Actor, Base
from portal.notifications import Notification
from services.lines import actions, jobs, queries, states
from services.lines.actions import AlreadyAsked, CallbackOver, NotBefore, NotTaken, TooMany
from services.lines.models import Callback, CallbackChange, Duty, FavouriteLine, Line
from tests.factories import hospitals, people
from tests.factories import lines as factory
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows

TUESDAY = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""11:00 in Paris, in the middle of a working day."""
TABLES: tuple[type[Base], ...] = (Line, Duty, FavouriteLine, Callback, CallbackChange)


@dataclass
class Ground:
    hospital: Hospital
    elsewhere: Hospital
    gp: Professional
    other_gp: Professional
    nurse: Account
    line: Line

    @property
    def as_gp(self) -> Actor:
        return people.as_professional(self.gp)

    @property
    def as_nurse(self) -> Actor:
        return people.as_agent(self.nurse, self.hospital.establishment.id, "referrals")


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        here, there = hospitals.hospital(phone="01 99 00 10 00"), hospitals.hospital("990000025", "Autre hôpital")
        nurse = people.agent(here.establishment.id, "referrals", name="Nadia NURSE")
        gp = people.professional()
        other = people.professional("10000000025", "AUTRE", "Alix")
        return Ground(here, there, gp, other, nurse, factory.line(here.unit))


def ask(ground: Ground, line: Line | None = None, **facts: object) -> Callback:
    with db.transaction(ground.as_gp) as current:
        return factory.callback(current.get_one(Line, (line or ground.line).id), ground.gp, **facts)  # type: ignore[arg-type]  # facts of any field


def state_of(callback: Callback) -> str:
    return next(each.state for each in rows(Callback) if each.id == callback.id)


# -- asking --------------------------------------------------------------------------------------------------------


def test_a_practitioner_asks_and_an_agent_calls(ground: Ground) -> None:
    asked = ask(ground)
    with db.transaction(ground.as_nurse):
        actions.take(asked.id)
    with db.transaction(ground.as_nurse):
        actions.answer(asked.id, reached=True)
    assert state_of(asked) == states.DONE
    assert [(each.from_state, each.to_state) for each in rows(CallbackChange)] == [
        ("", "asked"), ("asked", "taken"), ("taken", "done"),
    ]  # fmt: skip
    assert {"callback.asked", "callback.taken", "callback.done"} <= set(audited())


def test_the_delay_runs_in_the_hours_of_the_line(ground: Ground) -> None:
    with prepared():
        line = factory.line(ground.hospital.unit, week=factory.WORKING_DAYS, answer_minutes=120)
    friday = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    asked = ask(ground, line, now=friday, useful_until=friday + timedelta(days=5))
    # Friday 17:30 to 18:30, then Monday 8:30 to 9:30.
    assert asked.due_at == datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
    assert ask(ground, useful_until=db.now() + timedelta(minutes=30)).due_at <= db.now() + timedelta(minutes=30)


def test_nothing_is_asked_of_a_line_that_cannot_call_in_time(ground: Ground) -> None:
    with prepared():
        closed = factory.line(ground.hospital.unit)
        actions.close_line(closed)
        mute = factory.line(ground.hospital.unit, takes_callbacks=False)
        never = factory.line(ground.hospital.unit, week=factory.NEVER)
        working = factory.line(ground.hospital.unit, week=factory.WORKING_DAYS)
    for line, refusal in ((closed, NotTaken), (mute, NotTaken), (never, NotBefore)):
        with pytest.raises(refusal):
            ask(ground, line)
    saturday = datetime(2026, 11, 28, 10, tzinfo=UTC)
    with pytest.raises(NotBefore) as why:
        ask(ground, working, now=saturday, useful_until=saturday + timedelta(hours=9))
    assert why.value.opens_at == datetime(2026, 11, 30, 7, 30, tzinfo=UTC)


def test_one_call_of_a_line_at_a_time_and_ten_in_all(ground: Ground) -> None:
    ask(ground)
    with pytest.raises(AlreadyAsked):
        ask(ground)
    with prepared():
        others = [factory.line(ground.hospital.unit) for _n in range(10)]
    for line in others[:9]:
        ask(ground, line)
    with pytest.raises(TooMany):
        ask(ground, others[9])


def test_what_it_is_about_is_sealed_and_searches_for_nobody(ground: Ground) -> None:
    ask(ground, patient_name="MARTIN Jeanne", about="INR à 5")
    with prepared():
        about, name = db.session.execute(text("select about, patient_name from callback")).one()
    assert "INR" not in about
    assert "MARTIN" not in name
    assert rows(Callback)[0].patient_name == "MARTIN Jeanne"


# -- answering -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["withdraw", "done", "unreachable"])
def test_what_is_over_stays_over(ground: Ground, end: str) -> None:
    asked = ask(ground)
    if end == "withdraw":
        with db.transaction(ground.as_gp):
            actions.withdraw(asked.id)
    else:
        with db.transaction(ground.as_nurse):
            actions.answer(asked.id, reached=end == "done")
    for act in (actions.take, actions.give_back, actions.withdraw):
        with pytest.raises(CallbackOver), prepared():
            act(asked.id)
    with pytest.raises(CallbackOver), prepared():
        actions.answer(asked.id, reached=True)


def test_a_colleague_may_take_over_or_find_it_given_back(ground: Ground) -> None:
    asked = ask(ground)
    with prepared():
        colleague = people.agent(ground.hospital.establishment.id, "referrals", name="Camille COLLÈGUE")
    with db.transaction(ground.as_nurse):
        actions.take(asked.id)
    with db.transaction(people.as_agent(colleague, ground.hospital.establishment.id, "referrals")):
        assert actions.take(asked.id).taken_by_name == "Camille COLLÈGUE"
    with db.transaction(ground.as_nurse):
        actions.give_back(asked.id)
    assert state_of(asked) == states.ASKED
    with pytest.raises(CallbackOver), db.transaction(ground.as_nurse):
        actions.give_back(asked.id)


# -- by themselves -------------------------------------------------------------------------------------------------


def test_a_delay_is_told_once_to_the_address_of_the_line(ground: Ground, work_jobs: Callable[[], None]) -> None:
    with prepared():
        db.session.get_one(Line, ground.line.id).escalation_email = "chef.cardio@exemple.test"
    asked = ask(ground)
    for late in (timedelta(hours=3), timedelta(hours=4)):
        jobs.follow_callbacks(db.now() + late)
    work_jobs()
    told = [each for each in rows(Notification) if each.recipient == "chef.cardio@exemple.test"]
    assert len(told) == 1
    assert "INR" not in told[0].body
    assert ground.gp.family_name not in told[0].body + told[0].subject
    assert state_of(asked) == states.ASKED


def test_a_delay_without_an_address_is_told_to_the_administrators(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        head = people.agent(ground.hospital.establishment.id, "administration", name="Aude ADMIN")
        head.email = "aude@exemple.test"
    ask(ground)
    jobs.follow_callbacks(db.now() + timedelta(hours=3))
    work_jobs()
    assert "aude@exemple.test" in [each.recipient for each in rows(Notification)]


def test_what_is_useless_ends_and_what_somebody_took_is_left_a_day(ground: Ground) -> None:
    asked = ask(ground)
    assert jobs.follow_callbacks(asked.useful_until - timedelta(seconds=1))[0] == 0
    assert jobs.follow_callbacks(asked.useful_until)[0] == 1
    assert jobs.follow_callbacks(asked.useful_until)[0] == 0
    assert state_of(asked) == states.LAPSED
    taken = ask(ground)
    with db.transaction(ground.as_nurse):
        actions.take(taken.id)
    assert jobs.follow_callbacks(taken.useful_until + timedelta(hours=1))[0] == 0
    assert jobs.follow_callbacks(taken.useful_until + timedelta(days=1))[0] == 1


def test_the_jobs_run_and_twice_changes_nothing(ground: Ground, work_jobs: Callable[[], None]) -> None:
    asked = ask(ground)
    with db.transaction(ground.as_nurse):
        actions.answer(asked.id, reached=False)
    work_jobs()
    assert state_of(asked) == states.UNREACHABLE


def test_old_words_are_erased_and_the_rest_is_kept(ground: Ground) -> None:
    asked = ask(ground, patient_name="MARTIN Jeanne")
    with db.transaction(ground.as_nurse):
        actions.answer(asked.id, reached=True)
    rule = retention.rule("callback")
    with prepared():
        place, later = ground.hospital.establishment.id, db.now() + timedelta(minutes=1)
        assert [each.id for each in rule.due(place, later, 9)] == [asked.id]
        assert not rule.due(place, db.now() - timedelta(days=1), 9)
        assert rule.purge(asked.id, later)
        assert not rule.due(place, later, 9)
    kept = rows(Callback)[0]
    assert (kept.about, kept.patient_name, kept.number, kept.state) == ("", "", "", states.DONE)


# -- who sees what -------------------------------------------------------------------------------------------------


@pytest.fixture
def full(ground: Ground) -> Ground:
    """One row in each table."""
    ask(ground)
    with db.transaction(ground.as_gp) as current:
        actions.keep(ground.gp.id, current.get_one(Line, ground.line.id))
    with prepared():
        factory.duty(ground.hospital.unit, TUESDAY)
    return ground


def seen(actor: Actor) -> list[bool]:
    with db.transaction(actor) as current:
        return [bool(current.scalar(select(func.count()).select_from(table))) for table in TABLES]


def test_each_sees_what_is_theirs(full: Ground) -> None:
    here, there = full.hospital.establishment.id, full.elsewhere.establishment.id
    with prepared():
        own, person = people.patient_with_account()
    nothing = [False] * 5
    for who, actor, expected in (
        ("the practitioner", full.as_gp, [True] * 5),
        ("another practitioner", people.as_professional(full.other_gp), [True, True, False, False, False]),
        ("an agent who calls back", full.as_nurse, [True, True, False, True, True]),
        (
            "an agent without the right",
            people.as_agent(full.nurse, here, "appointments"),
            [True, True, False, False, False],
        ),
        ("an agent elsewhere", people.as_agent(full.nurse, there, "referrals", "administration"), nothing),
        ("a patient", people.as_patient(own, person), nothing),
        ("anybody", ANONYMOUS, nothing),
    ):
        assert seen(actor) == expected, who


def strangers(full: Ground) -> list[Actor]:
    here, there = full.hospital.establishment.id, full.elsewhere.establishment.id
    with prepared():
        own, person = people.patient_with_account()
    return [
        people.as_professional(full.other_gp),
        people.as_agent(full.nurse, here, "appointments", "documents"),
        people.as_agent(full.nurse, there, "referrals", "administration"),
        people.as_patient(own, person),
        ANONYMOUS,
    ]


def test_nobody_else_changes_a_line_a_duty_or_a_request(full: Ground) -> None:
    for actor in [*strangers(full), full.as_gp]:
        with db.transaction(actor) as current:
            assert current.execute(update(Line).values(number="15")).rowcount == 0, actor.label
            assert current.execute(update(Duty).values(name="x")).rowcount == 0, actor.label
            if actor.professional_id != full.gp.id:
                assert current.execute(update(Callback).values(state="done")).rowcount == 0, actor.label


def test_nobody_forges_a_row(full: Ground) -> None:
    asked = rows(Callback)[0]
    forged: list[tuple[type[Base], dict[str, object]]] = [
        (table, {column.key: getattr(row, column.key) for column in table.__table__.columns} | {"id": uuid4()})
        for table, row in ((Line, rows(Line)[0]), (Duty, rows(Duty)[0]), (Callback, asked))
    ]
    change = rows(CallbackChange)[0]
    forged.append(
        (CallbackChange, {c.key: getattr(change, c.key) for c in CallbackChange.__table__.columns} | {"id": uuid4()})
    )
    for actor in strangers(full):
        for table, values in forged:
            with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor) as current:
                current.execute(insert(table).inline().values(values))


def test_a_request_names_the_very_unit_of_its_line(full: Ground) -> None:
    asked = rows(Callback)[0]
    values = {column.key: getattr(asked, column.key) for column in Callback.__table__.columns}
    forged = values | {"id": uuid4(), "establishment_id": full.elsewhere.establishment.id}
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(full.as_gp) as current:
        current.execute(insert(Callback).inline().values(forged))


@pytest.mark.parametrize("statement", ["update callback_change set by_name = 'x'", "delete from callback_change"])
def test_history_is_only_added_to(full: Ground, statement: str) -> None:
    with pytest.raises(DBAPIError), prepared():
        db.session.execute(text(statement))


def test_what_waits_is_told_to_the_morning_s_digest(full: Ground) -> None:
    with db.transaction(full.as_nurse) as current:
        place, unit, _since, late = current.execute(queries.waiting_rows(db.now() + timedelta(days=1))).one()
    assert (place, unit, late) == (full.hospital.establishment.id, full.hospital.unit.id, True)
