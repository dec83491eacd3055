"""News become few messages: one for each account, channel and window, none lost, none in two."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from auth.models import Account
from auth.news import actions, gathering
from auth.news.actions import Clock
from auth.news.kinds import AT_ONCE, DAILY, MAIL, NEVER
from auth.news.models import News, NewsChoice, NewsMessage
from portal import db
from portal.db import Actor
from portal.gateways.mail.twin import MailTwin
from portal.notifications import Mail, tell
from tests.auth.news.conftest import Gather, Ground, at
from tests.factories import people
from tests.factories.news import news
from tests.ground import count, prepared, rows

CLOCK = Clock(20, 7, 12, weekends=False, time_zone="Europe/Paris")


def chosen(ground: Ground, kind: str, rhythm: str, channel: str = MAIL) -> None:
    with prepared():
        db.session.add(NewsChoice(account_id=ground.doctor, kind=kind, channel=channel, rhythm=rhythm))


def written(ground: Ground, *hours: int, kind: str = "messages", **facts: object) -> None:
    with prepared():
        for hour in hours:
            moment = at(hour // 100, hour % 100)
            news(ground.doctor, kind, "/pro/echanges/1", created_at=moment, look_at=moment, **facts)


def test_an_hour_of_news_is_one_message(ground: Ground, gather: Gather, send: Gather, mails: MailTwin) -> None:
    written(ground, 1005, 1020, 1059)
    assert gather(at(10, 59)) == 0
    assert gather(at(11)) == 1
    assert gather(at(11, 1)) == 0
    assert send(at(11, 1)) == 1
    (mail,) = mails.sent
    assert mail.to == "leroy@exemple.test"
    (told,) = rows(NewsMessage)
    assert (told.lines, told.state) == (3, "sent")
    assert {line.mail_id for line in rows(News)} == {told.id}


def test_several_kinds_of_one_window_are_one_message(ground: Ground, gather: Gather) -> None:
    written(ground, 1005)
    written(ground, 1010, kind="referrals")
    assert gather(at(11)) == 1
    (told,) = rows(NewsMessage)
    assert told.kinds == ["messages", "referrals"]


def test_each_kind_waits_as_long_as_was_chosen(ground: Ground, gather: Gather) -> None:
    chosen(ground, "messages", AT_ONCE)
    chosen(ground, "referrals", DAILY)
    written(ground, 1005)
    written(ground, 1005, kind="referrals")
    assert gather(at(10, 5)) == 1
    assert gather(at(11)) == 0
    assert gather(at(12)) == 1


def test_at_once_still_groups_within_ten_minutes(ground: Ground, gather: Gather) -> None:
    chosen(ground, "messages", AT_ONCE)
    written(ground, 1000)
    assert gather(at(10)) == 1
    written(ground, 1002, 1004)
    assert gather(at(10, 5)) == 0
    assert gather(at(10, 10)) == 1


def test_what_was_read_meanwhile_is_not_told(ground: Ground, gather: Gather) -> None:
    written(ground, 1005)
    with prepared():
        actions.read_page(ground.doctor, "/pro/echanges/1")
    assert gather(at(11)) == 0
    assert count(NewsMessage) == 0


def test_what_is_read_between_the_making_and_the_sending_is_withheld(
    ground: Ground, gather: Gather, send: Gather, mails: MailTwin
) -> None:
    written(ground, 1005)
    gather(at(11))
    with prepared():
        actions.read_page(ground.doctor, "/pro/echanges/1")
    assert send(at(11, 1)) == 0
    (withheld,) = rows(NewsMessage)
    assert (withheld.state, withheld.because, mails.sent) == ("withheld", "read", [])


def test_what_is_urgent_is_told_at_night_and_alone(
    ground: Ground, gather: Gather, send: Gather, mails: MailTwin
) -> None:
    written(ground, 2200)
    written(ground, 2330, kind="callbacks", urgent=True)
    assert gather(at(23, 30)) == 1
    assert send(at(23, 31)) == 1
    assert "urgent" in mails.sent[0].subject.lower()
    assert gather(at(7, day=3)) == 1


def test_what_is_urgent_reaches_an_agent_whom_the_morning_s_summary_tells_the_rest(
    ground: Ground, gather: Gather, send: Gather, mails: MailTwin
) -> None:
    with prepared():
        for urgent in (False, True):
            news(ground.agent, "referrals", created_at=at(23), look_at=at(23), urgent=urgent)
    assert gather(at(23)) == 1
    assert send(at(23)) == 1
    assert [told.lines for told in rows(NewsMessage)] == [1]


def test_a_message_that_its_door_held_up_until_the_night_waits_for_the_morning(
    ground: Ground, gather: Gather, send: Gather, mails: MailTwin
) -> None:
    written(ground, 1830)
    gather(at(19))
    assert send(at(21)) == 0
    assert send(at(7, day=3)) == 1


def test_nobody_is_told_of_what_they_silenced_and_it_stays_on_the_page(ground: Ground, gather: Gather) -> None:
    chosen(ground, "communities", NEVER)
    written(ground, 1005, kind="communities")
    assert gather(at(12, day=4)) == 0
    (line,) = rows(News)
    assert (line.waiting, line.read_at) == (False, None)


def test_whoever_has_no_address_is_told_on_the_portal_alone(ground: Ground, gather: Gather) -> None:
    with prepared():
        db.session.get_one(Account, ground.doctor).email = ""
    written(ground, 1005)
    assert gather(at(11)) == 0


def test_a_closed_account_is_told_nothing(ground: Ground, gather: Gather) -> None:
    written(ground, 1005)
    with prepared():
        db.session.get_one(Account, ground.doctor).closed_at = db.now()
    assert gather(at(11)) == 0
    assert not any(line.waiting for line in rows(News))


def test_news_of_one_person_are_not_anothers(ground: Ground, gather: Gather, send: Gather, mails: MailTwin) -> None:
    written(ground, 1005)
    with prepared():
        news(ground.other, created_at=at(10, 5), look_at=at(10, 5))
    assert gather(at(11)) == 2
    send(at(11))
    assert sorted(mail.to for mail in mails.sent) == ["blanc@exemple.test", "leroy@exemple.test"]


def test_two_workers_make_one_message(app: Flask, ground: Ground) -> None:
    written(ground, 1005, 1010, 1015)
    barrier = Barrier(2)

    def work() -> int:
        with app.app_context(), prepared():
            barrier.wait()
            return gathering.gather(ground.doctor, at(11))

    with ThreadPoolExecutor(2) as workers:
        made = [done.result() for done in [workers.submit(work), workers.submit(work)]]
    assert sorted(made) == [0, 1]
    assert count(NewsMessage) == 1


def test_what_is_rolled_back_tells_nothing_and_a_run_that_dies_loses_nothing(ground: Ground, gather: Gather) -> None:
    with pytest.raises(RuntimeError):
        _dying(lambda: actions.write(ground.doctor, "messages", "/pro"))
    assert count(News) == 0
    written(ground, 1005)
    with pytest.raises(RuntimeError):
        _dying(lambda: gathering.gather(ground.doctor, at(11)))
    assert gather(at(11)) == 1


def test_a_choice_changed_meanwhile_counts(ground: Ground, gather: Gather) -> None:
    written(ground, 1005)
    gather(at(10, 30))  # looked at: due at eleven
    me = Actor("professional", "Dr", ground.doctor)
    rhythms = {(kind, MAIL): AT_ONCE for kind in ("messages", "referrals", "callbacks", "appointments", "communities")}
    with db.transaction(me):
        actions.choose(rhythms, CLOCK)
    with prepared():
        db.session.execute(News.__table__.update().values(look_at=at(10, 31)))
    assert gather(at(10, 31)) == 1


def test_a_room_tells_as_before_and_its_mail_becomes_a_line(ground: Ground) -> None:
    mail = Mail("Un patient nommé MARTIN", ("Cardiologie",), "/pro/echanges/7", kind="messages")
    with db.transaction(people.as_agent(_agent(ground), ground.hospital.establishment.id, "documents")):
        tell(mail, recipient="leroy@exemple.test", account_id=ground.doctor)
    (line,) = rows(News)
    assert (line.account_id, line.kind, line.path, line.urgent) == (ground.doctor, "messages", "/pro/echanges/7", False)


def test_the_agents_of_a_unit_hear_of_it_when_they_hold_the_right(ground: Ground) -> None:
    with prepared():
        assert actions.tell_unit(ground.hospital.unit.id, "documents", kind="messages", path="/admin") == 1
        assert actions.tell_unit(ground.hospital.unit.id, "billing", kind="messages", path="/admin") == 0
    (line,) = rows(News)
    assert line.account_id == ground.agent


def test_a_kind_that_does_not_exist_is_a_mistake(ground: Ground) -> None:
    with prepared(), pytest.raises(KeyError):
        actions.write(ground.doctor, "gossip", "/pro")


def test_the_page_that_shows_it_marks_it_read(ground: Ground, sign_in: Callable[[object], FlaskClient]) -> None:
    with prepared():
        news(ground.doctor, path="/pro/delegations")
        news(ground.other, path="/pro/delegations")
    assert sign_in(ground.doctor).get("/pro/delegations").status_code == 200
    assert {line.account_id for line in rows(News) if line.read_at} == {ground.doctor}


def test_many_accounts_are_asked_of_in_one_statement(ground: Ground, statements: Callable[[], object]) -> None:
    written(ground, 1005, 1010)
    with prepared(), statements() as seen:  # type: ignore[attr-defined]  # a context manager
        gathering.accounts(at(11))
    assert len([each for each in seen if "from news" in each.lower()]) == 1


def test_a_line_is_never_in_two_messages(ground: Ground, gather: Gather) -> None:
    for minute in (5, 15, 25):
        written(ground, 1000 + minute)
        gather(at(10, minute))
    for hour in (11, 12, 13):
        gather(at(hour))
    with prepared():
        told = db.session.scalar(select(func.sum(NewsMessage.lines)))
    assert told == count(News) == 3


def _agent(ground: Ground) -> Account:
    with prepared():
        return db.session.get_one(Account, ground.agent)


def _dying(work: Callable[[], object]) -> None:
    with prepared():
        work()
        raise RuntimeError
