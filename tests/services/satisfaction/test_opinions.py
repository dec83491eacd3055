"""One question, rarely; an answer without a name; a comment that nobody reads before it is screened."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from auth import acts
from auth.models import Account
from portal import db, establishments, kpi, retention
from portal.audit import AuditEvent
from portal.db import ANONYMOUS, Actor, Base, session
from portal.kpi import KpiEvent, keys
from services.satisfaction import actions, asking, choices, queries
from services.satisfaction.actions import AlreadyDecided, AlreadySaid, NotAsked, NotTheirWords
from services.satisfaction.models import Opinion, OpinionComment, OpinionTurn
from tests.english import in_english as in_english
from tests.factories import people, shelf
from tests.ground import audited, prepared, rows, today
from tests.services.satisfaction.conftest import Ground
from tests.statements import executed

pytestmark = pytest.mark.usefixtures("in_english")
SignIn = Callable[[Account], FlaskClient]
TABLES: tuple[type[Base], ...] = (OpinionTurn, Opinion, OpinionComment)


def does(ground: Ground, service: str = "appointments", *, actor: Actor | None = None) -> None:
    """Something is done in a service of the north."""
    with db.transaction(actor or people.as_patient(ground.account, ground.patient)):
        acts.count(service, ground.north.establishment.id, ground.patient.id)


def is_shown(ground: Ground, *, actor: Actor | None = None) -> UUID | None:
    with db.transaction(actor or people.as_patient(ground.account, ground.patient)):
        found = actions.show()
        return found.turn_id if found else None


def says(ground: Ground, score: int = 5, comment: str = "", service: str = "appointments") -> None:
    """Somebody whom nobody knows says what they think."""
    with prepared():
        account, patient = people.patient_with_account(birth_name=f"INCONNUE{uuid4().hex[:6]}")
    actor = people.as_patient(account, patient)
    does(ground, service, actor=actor)
    turn_id = is_shown(ground, actor=actor)
    assert turn_id
    with db.transaction(actor):
        actions.answer(turn_id, score, comment)


def later(ground: Ground, days: int) -> None:
    """So many days go by for those who were asked."""
    with prepared():
        session.execute(update(OpinionTurn).values(invited_at=OpinionTurn.invited_at - timedelta(days=days)))


def counted(event: str) -> list[tuple[str, int, str]]:
    return [(each.dimension, each.quantity, each.pseudonym) for each in rows(KpiEvent) if each.event == event]


def the_comment(ground: Ground) -> OpinionComment:
    found = queries.comments([ground.north.establishment.id], waiting=True)
    return found[0]


def as_officer(ground: Ground) -> Actor:
    return people.as_agent(ground.officer, ground.north.establishment.id, "administration")


class TestWhoIsAsked:
    def test_after_what_they_did_and_once(self, ground: Ground) -> None:
        assert is_shown(ground) is None
        does(ground)
        first = is_shown(ground)
        assert first
        assert is_shown(ground) == first
        assert counted("opinion_asked") == [("appointments", 0, "")]

    def test_about_the_last_thing_as_long_as_nothing_was_shown(self, ground: Ground) -> None:
        does(ground, "documents")
        does(ground, "billing")
        is_shown(ground)
        does(ground, "messages")
        assert [each.service for each in rows(OpinionTurn)] == ["billing"]

    @pytest.mark.parametrize(("days", "again"), [(29, False), (31, True)])
    def test_at_most_every_thirty_days(self, ground: Ground, days: int, again: bool) -> None:
        does(ground)
        first = is_shown(ground)
        later(ground, days)
        does(ground, "billing")
        found = is_shown(ground)
        assert (found is not None and found != first) is again

    def test_not_again_when_february_lies_between(self, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
        for month in (1, 2, 3):
            keys.of_month(date(2027, month, 1))
        for day, asked in ((datetime(2027, 2, 15, 12, tzinfo=UTC), 1), (datetime(2027, 3, 1, 12, tzinfo=UTC), 1)):
            monkeypatch.setattr(db, "now", lambda day=day: day)
            does(ground)
            is_shown(ground)
            assert len(rows(OpinionTurn)) == asked

    def test_once_by_two_windows_at_the_same_moment(self, ground: Ground) -> None:
        done, seen = threading.Event(), threading.Event()

        def other_window() -> None:
            with db.transaction(people.as_patient(ground.account, ground.patient)) as current:
                acts.count("billing", ground.north.establishment.id, ground.patient.id)
                current.scalar(select(func.count()).select_from(Opinion))  # what waits is written before a question
                done.set()
                seen.wait(5)

        window = threading.Thread(target=other_window)
        window.start()
        assert done.wait(5)
        does(ground)
        seen.set()
        window.join(5)
        assert [each.service for each in rows(OpinionTurn)] == ["billing"]

    def test_no_longer_than_half_a_day_afterwards(self, ground: Ground) -> None:
        does(ground)
        later(ground, 1)
        assert is_shown(ground) is None

    def test_nobody_at_a_hospital_that_asks_nothing(self, ground: Ground) -> None:
        with prepared():
            establishments.change_setting(ground.north.establishment.id, choices.ASKED, "no")
        does(ground)
        assert is_shown(ground) is None

    def test_neither_agents_nor_visitors(self, ground: Ground) -> None:
        for actor in (as_officer(ground), ANONYMOUS):
            does(ground, actor=actor)
            assert is_shown(ground, actor=actor) is None

    def test_practitioners_too(self, ground: Ground) -> None:
        gp = people.as_professional(ground.gp)
        does(ground, "referrals", actor=gp)
        assert is_shown(ground, actor=gp)
        assert is_shown(ground) is None

    def test_a_transaction_that_only_reads_notes_nothing(self, ground: Ground) -> None:
        does(ground)
        with db.transaction(people.as_patient(ground.account, ground.patient)) as current:
            current.connection().exec_driver_sql("set transaction read only")
            found = asking.show(marking=True)
            assert found
            assert not found.is_first

    @pytest.mark.parametrize(
        ("key", "value"),
        [(choices.ASKED, "maybe"), *((choices.SCREENING_DAYS, value) for value in ("0", "31", "²"))],
    )
    def test_settings_that_would_not_be_obeyed_are_refused(self, ground: Ground, key: str, value: str) -> None:
        with prepared(), pytest.raises(choices.BadSetting):
            establishments.change_setting(ground.north.establishment.id, key, value)


class TestAnswer:
    def test_is_kept_without_whoever_gave_it(self, ground: Ground) -> None:
        does(ground)
        turn_id = is_shown(ground)
        assert turn_id
        before = audited()
        with db.transaction(people.as_patient(ground.account, ground.patient)):
            actions.answer(turn_id, 4, "Simple, merci")
        (opinion,) = rows(Opinion)
        assert (opinion.score, opinion.service, opinion.audience, opinion.words) == (4, "appointments", "patient", "")
        assert opinion.given_on == today()
        held = " ".join(str(vars(each)) for model in TABLES for each in rows(model))
        assert str(ground.account.id) not in held
        assert str(ground.patient.id) not in held
        assert audited() == before
        assert counted("opinion_given") == [("appointments", 4, "")]
        assert counted("opinion_satisfied") == [("appointments", 4, "")]

    def test_no_moment_leads_from_whoever_was_asked_to_what_they_said(self, ground: Ground) -> None:
        began_at = datetime.combine(today(), time(), ground.north.establishment.tz)
        does(ground)
        turn_id = is_shown(ground)
        assert turn_id
        with db.transaction(people.as_patient(ground.account, ground.patient)):
            actions.answer(turn_id, 2, "Trop long")
        events = [each.at for each in rows(KpiEvent) if each.event == "opinion_given"]
        assert [rows(OpinionTurn)[0].answered_at, rows(OpinionComment)[0].received_at, *events] == [began_at] * 3

    def test_nothing_that_is_counted_tells_whose_turn_it_was(self, ground: Ground) -> None:
        does(ground)
        (turn,) = rows(OpinionTurn)
        pseudonyms = {each.pseudonym for each in rows(KpiEvent)} - {""}
        assert pseudonyms
        assert turn.digest not in pseudonyms

    def test_once(self, ground: Ground) -> None:
        does(ground)
        turn_id = is_shown(ground)
        assert turn_id
        with db.transaction(people.as_patient(ground.account, ground.patient)):
            actions.answer(turn_id, 1)
            with pytest.raises(AlreadySaid):
                actions.answer(turn_id, 5)
        assert [each.score for each in rows(Opinion)] == [1]
        assert counted("opinion_satisfied") == []
        assert is_shown(ground) is None

    def test_not_in_somebody_elses_turn_nor_too_late(self, ground: Ground) -> None:
        does(ground)
        turn_id = is_shown(ground)
        assert turn_id
        with db.transaction(people.as_professional(ground.gp)), pytest.raises(NotAsked):
            actions.answer(turn_id, 1)
        later(ground, 8)
        with db.transaction(people.as_patient(ground.account, ground.patient)), pytest.raises(NotAsked):
            actions.answer(turn_id, 1)

    def test_a_comment_is_sealed_and_has_a_day(self, ground: Ground, app: Flask) -> None:
        with prepared():
            establishments.change_setting(ground.north.establishment.id, choices.SCREENING_DAYS, "3")
        says(ground, 2, "Impossible d’annuler, mon diabète ne permet pas d’attendre")
        (comment,) = rows(OpinionComment)
        assert comment.due_on == today() + timedelta(days=3)
        assert comment.flags == ["health"]
        with prepared():
            raw = session.connection().exec_driver_sql("select text from opinion_comment").scalar()
        assert str(raw).startswith("sealed:")


class TestScreening:
    def test_the_agents_of_the_service_read_what_was_let_through(self, ground: Ground) -> None:
        says(ground, 2, "Mon cancer attend, mais le site est lent")
        with db.transaction(as_officer(ground)):
            actions.publish(the_comment(ground), "[…] le site est lent")
        with db.transaction(people.as_agent(ground.clerk, ground.north.establishment.id, "appointments")) as current:
            reach = queries.reach({"appointments": frozenset({ground.north.establishment.id})})
            assert [each.words for each in queries.published(reach)] == ["[…] le site est lent"]
            assert current.scalars(select(OpinionComment)).all() == []
        assert audited()[-1] == "opinion_comment.published"
        assert [each.text for each in rows(OpinionComment)] == [""]

    def test_nobody_writes_in_their_stead(self, ground: Ground) -> None:
        says(ground, 2, "Le site est lent")
        with db.transaction(as_officer(ground)), pytest.raises(NotTheirWords):
            actions.publish(the_comment(ground), "Le site est rapide")

    def test_what_is_removed_is_erased_at_once(self, ground: Ground) -> None:
        says(ground, 2, "Mon cancer")
        with db.transaction(as_officer(ground)):
            actions.remove(the_comment(ground), "health")
        (comment,) = rows(OpinionComment)
        assert (comment.text, comment.decision, comment.decided_by_name) == ("", "removed", comment.decided_by_name)
        with db.transaction(as_officer(ground)), pytest.raises(AlreadyDecided):
            actions.publish(session.get_one(OpinionComment, comment.opinion_id), "Mon cancer")

    def test_what_was_typed_goes_after_two_months_read_or_not(self, ground: Ground) -> None:
        says(ground, 2, "Le site est lent")
        with prepared():
            session.execute(update(OpinionComment).values(received_at=db.now() - timedelta(days=61)))
            session.execute(update(OpinionTurn).values(invited_at=db.now() - timedelta(days=32)))
            for code in ("opinion_comment", "opinion_turn"):
                rule = retention.rule(code)
                before = db.now() - timedelta(days=rule.days)
                (due,) = rule.due(ground.north.establishment.id, before, 10)
                assert rule.purge(due.id, before)
                assert not rule.purge(due.id, before)
        assert [rows(model) != [] for model in TABLES] == [False, True, False]


class TestWhoSeesWhat:
    @pytest.mark.parametrize("who", ["anonymous", "patient", "gp", "clerk", "southern"])
    def test_others_see_nothing(self, ground: Ground, who: str) -> None:
        says(ground, 2, "Le site est lent")
        actor = {
            "anonymous": ANONYMOUS,
            "patient": people.as_patient(ground.account, ground.patient),
            "gp": people.as_professional(ground.gp),
            "clerk": people.as_agent(ground.clerk, ground.north.establishment.id, "appointments"),
            "southern": people.as_agent(ground.southern, ground.south.establishment.id, "administration"),
        }[who]
        with db.transaction(actor) as current:
            assert [current.scalar(select(func.count()).select_from(model)) for model in TABLES] == [0, 0, 0]

    def test_those_who_screen_see_no_turn(self, ground: Ground) -> None:
        says(ground, 2, "Le site est lent")
        with db.transaction(as_officer(ground)) as current:
            assert [current.scalar(select(func.count()).select_from(model)) for model in TABLES] == [0, 1, 1]


class TestPages:
    def test_from_a_letter_to_thanks(self, ground: Ground, browser: FlaskClient) -> None:
        with prepared():
            letter = shelf.published(ground.north.establishment, ground.patient)
        page = browser.get(f"/documents/{letter.id}").text
        (path,) = re.findall(r'href="(/avis/[^"]+)"', page)
        page = browser.get(path).text
        assert "Are you satisfied with it?" in page
        once = re.findall(r'name="once"[^>]*value="([^"]+)"', page)[0]
        refused = browser.post(path, data={"once": once, "comment": "Bien"})
        assert refused.status_code == 422
        assert "Bien" in refused.text
        answer = browser.post(path, data={"once": once, "score": "5", "comment": "Bien"}, follow_redirects=True)
        assert "Thank you, your answer is kept" in answer.text
        assert "/documents/demandes/nouvelle/reclamation" in answer.text
        assert browser.get(path).status_code == 303
        assert "/avis/" not in browser.get(f"/documents/{letter.id}").text
        assert [each.score for each in rows(Opinion)] == [5]

    def test_somebody_elses_question_is_not_found(self, ground: Ground, sign_in: SignIn, app: Flask) -> None:
        does(ground)
        turn_id = is_shown(ground)
        with prepared():
            gp = session.get_one(Account, ground.gp.account_id)
        assert sign_in(gp).get(f"/avis/{turn_id}").status_code == 404
        assert app.test_client().get(f"/avis/{turn_id}").status_code == 303

    def test_the_card_costs_one_statement(self, ground: Ground, app: Flask) -> None:
        does(ground)
        with db.transaction(people.as_patient(ground.account, ground.patient)) as current:
            current.connection()
            with executed(app) as seen:
                assert actions.show()
        assert len([each for each in seen if "opinion" in each]) == 1


class TestFigures:
    def test_by_hand(self, ground: Ground, work_jobs: Callable[[], None]) -> None:
        for score in (5, 4, 1):
            says(ground, score)
        says(ground, 2, service="billing")
        does(ground)
        is_shown(ground)
        with prepared():
            kpi.roll_up()
        period = kpi.Period(today(), today(), ground.north.establishment.id)
        with prepared():
            found = {code: kpi.definition(code).compute(period) for code in ("S1", "S1a", "S1b", "S1c", "S1e", "S1d")}
        assert {code: (each.numerator, each.denominator) for code, each in found.items()} == {
            "S1": (12, 4), "S1a": (2, 4), "S1b": (4, 5), "S1c": (2, 3), "S1e": (0, 1), "S1d": (0, 0),
        }  # fmt: skip
        assert found["S1"].value == 3
        assert not [each for each in rows(AuditEvent) if each.action.startswith("opinion")]
