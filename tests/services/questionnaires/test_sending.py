"""Plans send around a day, once; what is cancelled is taken back, what is moved follows; reminders end in time."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal import db
from portal.notifications import Notification
from services.questionnaires import calendar, jobs, occasions, states
from services.questionnaires.actions import AlreadyWaiting, NothingPublished, Window, definitions, plans, send
from services.questionnaires.actions.forgetting import forget, to_forget
from services.questionnaires.actions.plans import Wish
from services.questionnaires.models import (
    AlertNote,
    Questionnaire,
    QuestionnaireAnswers,
    QuestionnairePlan,
    SentQuestionnaire,
    SentQuestionnaireChange,
)
from services.questionnaires.occasions import Happening, Occasion
from tests.factories import people
from tests.factories import questionnaires as factory
from tests.ground import prepared, rows
from tests.services.questionnaires.conftest import Ground

NOW = datetime(2027, 3, 10, 8, 0, tzinfo=UTC)
"""A Wednesday, 9 h in Paris."""
TODAY = date(2027, 3, 10)


@dataclass
class Visits:
    """A room above: what happens, and to whom."""

    happenings: dict[UUID, Happening] = field(default_factory=dict)

    def add(self, ground: Ground, day: date, about: str = "", *, masked: bool = False) -> Happening:
        made = Happening(uuid4(), ground.patient.id, ground.hospital.establishment.id, ground.hospital.unit.id, day,
                         about, masked)  # fmt: skip
        self.happenings[made.object_id] = made
        return made

    def on(self, establishment_id: UUID, first: date, last: date) -> Sequence[Happening]:
        every = self.happenings.values()
        return [each for each in every if each.establishment_id == establishment_id and first <= each.day <= last]

    def standing(self, ids: Collection[UUID]) -> Mapping[UUID, Happening]:
        return {key: self.happenings[key] for key in ids if key in self.happenings}


@pytest.fixture
def visits() -> Iterator[Visits]:
    made = Visits()
    occasions.offer(Occasion("tests", "Visits of tests", made.on, made.standing, lambda _ids: []))
    yield made
    occasions._occasions.pop("tests")


def plan(ground: Ground, offset_days: int, answer_days: int = 2, **facts: object) -> UUID:
    with prepared():
        wish = Wish(
            ground.hospital.establishment.id, factory.NEXT_DAY, "tests", None, "", offset_days, answer_days, (1,)
        )
        return plans.add(replace(wish, **facts)).id  # type: ignore[arg-type] # a test's own facts


def sent_by_plans() -> list[SentQuestionnaire]:
    return [each for each in rows(SentQuestionnaire) if each.plan_id]


@pytest.mark.parametrize(("offset_days", "day"), [(-2, 12), (0, 10), (1, 9)])
def test_it_is_sent_on_its_day(app: Flask, ground: Ground, visits: Visits, offset_days: int, day: int) -> None:
    visits.add(ground, date(2027, 3, day))
    plan(ground, offset_days)
    assert jobs.send_due(NOW) == 1
    (sent,) = sent_by_plans()
    assert (sent.patient_id, sent.day, sent.state) == (ground.patient.id, date(2027, 3, day), "waiting")
    assert sent.until_at == datetime(2027, 3, 11, 23, tzinfo=UTC), "two days, the first included, at midnight in Paris"


def test_it_is_sent_once_however_often_the_clock_ticks(app: Flask, ground: Ground, visits: Visits) -> None:
    visits.add(ground, TODAY)
    plan(ground, 0)
    assert [jobs.send_due(NOW + timedelta(minutes=15 * n)) for n in range(3)] == [1, 0, 0]


def test_a_day_without_workers_is_made_up_for_while_one_may_answer(app: Flask, ground: Ground, visits: Visits) -> None:
    visits.add(ground, TODAY)
    plan(ground, 0, answer_days=3)
    assert jobs.send_due(NOW + timedelta(days=2)) == 1
    (sent,) = sent_by_plans()
    assert sent.until_at == datetime(2027, 3, 12, 23, tzinfo=UTC), "no longer than planned"
    visits.add(ground, date(2027, 3, 1))
    assert jobs.send_due(NOW) == 0, "nor long after"


def test_nobody_is_woken(app: Flask, ground: Ground, visits: Visits) -> None:
    visits.add(ground, TODAY)
    plan(ground, 0)
    assert jobs.send_due(NOW.replace(hour=6, minute=59)) == 0
    assert jobs.send_due(NOW.replace(hour=7)) == 1


def test_the_hospital_s_own_clock_counts(app: Flask, ground: Ground, visits: Visits) -> None:
    from portal.establishments import Establishment

    with prepared():
        db.session.get_one(Establishment, ground.hospital.establishment.id).time_zone = "Indian/Reunion"
    visits.add(ground, date(2027, 3, 11))
    plan(ground, 0)
    assert jobs.send_due(datetime(2027, 3, 10, 22, 0, tzinfo=UTC)) == 0, "2 h in the morning there"
    assert jobs.send_due(datetime(2027, 3, 11, 4, 0, tzinfo=UTC)) == 1


def test_a_plan_is_for_its_unit_and_its_reason(app: Flask, ground: Ground, visits: Visits) -> None:
    visits.add(ground, TODAY, "hip")
    plan(ground, 0, about="knee")
    plan(ground, 0, unit_id=ground.elsewhere.unit.id)
    assert jobs.send_due(NOW) == 0
    plan(ground, 0, about="hip", unit_id=ground.hospital.unit.id)
    assert jobs.send_due(NOW) == 1


def test_nothing_is_sent_by_a_plan_that_is_stopped_or_without_a_published_version(
    app: Flask, ground: Ground, visits: Visits
) -> None:
    visits.add(ground, TODAY)
    stopped = plan(ground, 0)
    with prepared():
        plans.stop(db.session.get_one(QuestionnairePlan, stopped))
    plan(ground, 0, code="another-one")
    assert jobs.send_due(NOW) == 0


def test_the_latest_version_is_sent(app: Flask, ground: Ground, visits: Visits) -> None:
    visits.add(ground, TODAY)
    plan(ground, 0)
    with prepared():
        definitions.publish(definitions.renew(db.session.get_one(Questionnaire, ground.asked.id)))
    jobs.send_due(NOW)
    with prepared():
        (sent,) = [each for each in db.session.query(SentQuestionnaire) if each.plan_id]
        assert sent.questionnaire.version == 2


def test_what_is_cancelled_is_taken_back(app: Flask, ground: Ground, visits: Visits) -> None:
    visit = visits.add(ground, TODAY)
    plan(ground, 0)
    jobs.send_due(NOW)
    del visits.happenings[visit.object_id]
    jobs.follow(NOW)
    (sent,) = sent_by_plans()
    assert sent.state == states.WITHDRAWN
    assert jobs.remind(NOW + timedelta(days=1, hours=1)) == 0, "and nobody is reminded of it"


def test_what_is_moved_is_sent_again_at_its_new_time(app: Flask, ground: Ground, visits: Visits) -> None:
    visit = visits.add(ground, TODAY)
    plan(ground, 0)
    jobs.send_due(NOW)
    visits.happenings[visit.object_id] = replace(visit, day=TODAY + timedelta(days=7))
    jobs.follow(NOW)
    assert jobs.send_due(NOW) == 0
    assert jobs.send_due(NOW + timedelta(days=7)) == 1
    assert sorted(each.state for each in sent_by_plans()) == ["waiting", "withdrawn"]


def test_what_was_answered_stays_whatever_happens(app: Flask, ground: Ground, visits: Visits) -> None:
    visit = visits.add(ground, TODAY)
    plan(ground, 0)
    jobs.send_due(NOW)
    with prepared():
        factory.answered(next(each for each in db.session.query(SentQuestionnaire) if each.plan_id), {"pain": (1,)})
    del visits.happenings[visit.object_id]
    jobs.follow(NOW)
    (sent,) = sent_by_plans()
    assert sent.state == "answered"


def test_an_agent_s_taking_back_is_not_undone_by_the_clock(app: Flask, ground: Ground, visits: Visits) -> None:
    from services.questionnaires.actions import take_back

    visits.add(ground, TODAY)
    plan(ground, 0)
    jobs.send_due(NOW)
    with prepared():
        take_back(next(each for each in db.session.query(SentQuestionnaire) if each.plan_id))
    assert jobs.send_due(NOW + timedelta(minutes=15)) == 0


def test_what_is_kept_from_proxies_stays_so(app: Flask, ground: Ground, visits: Visits) -> None:
    visit = visits.add(ground, TODAY)
    plan(ground, 0)
    jobs.send_due(NOW)
    visits.happenings[visit.object_id] = replace(visit, masked=True)
    jobs.follow(NOW)
    assert [each.masked for each in sent_by_plans()] == [True]


# -- reminders, and the end ----------------------------------------------------------------------------------------


def test_whoever_has_not_answered_is_reminded_once_a_day_planned(
    app: Flask, ground: Ground, visits: Visits, work_jobs: Callable[[], None]
) -> None:
    visits.add(ground, TODAY)
    plan(ground, 0, answer_days=6, remind_after=(1, 2))
    jobs.send_due(NOW)
    ticks = [jobs.remind(NOW + timedelta(hours=hours)) for hours in (1, 23, 24, 25, 48, 49, 120)]
    assert ticks == [0, 0, 1, 0, 1, 0, 0]


def test_workers_that_slept_send_one_reminder_for_all(app: Flask, ground: Ground, visits: Visits) -> None:
    visits.add(ground, TODAY)
    plan(ground, 0, answer_days=9, remind_after=(1, 2, 3))
    jobs.send_due(NOW)
    assert [jobs.remind(NOW + timedelta(days=5, minutes=n)) for n in range(2)] == [1, 0]


def test_nobody_is_reminded_of_what_they_answered(app: Flask, ground: Ground, work_jobs: Callable[[], None]) -> None:
    with prepared():
        factory.answered(db.session.get_one(SentQuestionnaire, ground.sent.id), {"pain": (1,)})
    assert jobs.remind(db.now() + timedelta(days=3)) == 0
    with prepared():
        from portal import jobs as queue

        queue.enqueue("questionnaires.tell", sent_id=str(ground.sent.id))
    work_jobs()
    assert rows(Notification) == [], "answered between the decision and the sending: no mail"


def test_what_nobody_answers_is_closed(app: Flask, ground: Ground) -> None:
    over = ground.sent.until_at
    assert jobs.expire(over) == 0, "whoever is at the last page has a little time"
    assert jobs.expire(over + calendar.GRACE) == 1
    assert next(each.state for each in rows(SentQuestionnaire)) == "expired"
    told = sorted(rows(SentQuestionnaireChange), key=lambda change: change.at)
    assert [each.what for each in told] == ["sent", "expired"]


@given(
    st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(-90, 400), st.integers(1, 90),
)  # fmt: skip
def test_the_days_looked_at_are_those_that_may_still_be_answered(day: date, offset: int, answer_days: int) -> None:
    sent_on = calendar.send_on(day, offset)
    for wait in (-1, 0, answer_days - 1, answer_days):
        first, last = calendar.days_to_look_at(sent_on + timedelta(days=wait), offset, answer_days)
        assert (first <= day <= last) is (0 <= wait < answer_days)


# -- by hand -------------------------------------------------------------------------------------------------------


def test_one_of_a_kind_at_a_time(app: Flask, ground: Ground) -> None:
    from portal.establishments import Unit

    nurse = people.as_agent(ground.nurse, ground.hospital.establishment.id, "care")
    with db.transaction(nurse) as current:
        asked = current.get_one(Questionnaire, ground.asked.id)
        unit = current.get_one(Unit, ground.hospital.unit.id)
        with pytest.raises(AlreadyWaiting):
            send(ground.patient.id, unit, asked, Window())
    with prepared():
        definitions.retire(db.session.get_one(Questionnaire, ground.asked.id))
    with db.transaction(nurse) as current, pytest.raises(NothingPublished):
        send(ground.patient.id, current.get_one(Unit, ground.hospital.unit.id),
             current.get_one(Questionnaire, ground.asked.id), Window())  # fmt: skip


# -- forgetting ----------------------------------------------------------------------------------------------------


def test_old_answers_are_deleted_and_that_they_were_asked_is_kept(app: Flask, ground: Ground) -> None:
    with prepared():
        factory.answered(db.session.get_one(SentQuestionnaire, ground.sent.id), {"pain": (9,)})
        waiting = factory.sent(ground.patient, ground.hospital.unit, ground.asked).id
    later = db.now() + timedelta(days=1)
    with prepared():
        assert to_forget(later) == 1
        assert forget(db.now() - timedelta(days=1)) == []
        assert forget(later, ground.elsewhere.establishment.id) == []
        assert forget(later) == [ground.sent.id]
        assert forget(later) == []
    assert rows(QuestionnaireAnswers) == []
    assert rows(AlertNote) == []
    assert {each.id: each.state for each in rows(SentQuestionnaire)} == {
        ground.sent.id: "forgotten",
        waiting: "waiting",
    }
