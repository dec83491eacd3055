"""Closing a connector for a while, opening it, trying it, doing again what it stopped."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from admin import actions_connectors, queries_connectors
from auth.models import Account
from portal import db, jobs
from portal.gateways import board
from portal.gateways.board import Board, DoorPause, DoorTest
from portal.gateways.door import Door
from portal.jobs import JobTrouble
from tests.admin.conftest import Group
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
MAIL, NORTH_HIS = "mail.test", "his.test 990000017"


@pytest.fixture(autouse=True)
def doors(group: Group) -> list[Door]:
    return [Door(MAIL), Door(NORTH_HIS), Door("his.test 990000025"), Door("storage.test")]


@pytest.fixture
def this_process() -> Iterator[Board]:
    yield board.open_board("test", threaded=False)
    board.close_board()


def close(browser: FlaskClient, name: str, **answers: str) -> int:
    typed = {"reason": "The laboratory moves", "hours": "4", "once": str(uuid4())} | answers
    return browser.post(f"/admin/connecteurs/{name}/fermer", data=typed).status_code


class TestWhoMayClose:
    def test_an_administrator_closes_the_door_of_their_hospital(self, group: Group, sign_in: SignIn) -> None:
        assert close(sign_in(group.administrator), NORTH_HIS) == 303
        (pause,) = rows(DoorPause)
        assert (pause.door, pause.establishment_id, pause.paused_by) == (
            NORTH_HIS,
            group.north.id,
            "Adam Administrateur",
        )
        assert audited()[-1] == "door.closed"

    def test_the_door_of_another_hospital_is_not_there(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert browser.get("/admin/connecteurs/his.test 990000025").status_code == 404
        assert close(browser, "his.test 990000025") == 404

    def test_what_serves_every_hospital_is_left_to_those_who_have_all(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.administrator)
        assert "left to those who administer all" in browser.get(f"/admin/connecteurs/{MAIL}?lang=en").text
        assert close(browser, MAIL) == 403
        assert close(sign_in(group.director), MAIL) == 303

    def test_nobody_closes_the_storage(self, group: Group, sign_in: SignIn) -> None:
        assert close(sign_in(group.director), "storage.test") == 404

    def test_nobody_else_comes_in(self, group: Group, sign_in: SignIn) -> None:
        assert close(sign_in(group.clerk), MAIL) == 403


class TestAClosedDoor:
    def test_needs_a_reason(self, group: Group, sign_in: SignIn) -> None:
        answer = sign_in(group.director).post(
            f"/admin/connecteurs/{MAIL}/fermer?lang=en", data={"reason": "", "hours": "4", "once": str(uuid4())}
        )
        assert answer.status_code == 422
        assert "Say why, for those who will wait." in answer.text

    def test_says_so_on_its_page_and_on_the_list(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.director)
        close(browser, MAIL)
        assert "The laboratory moves" in browser.get(f"/admin/connecteurs/{MAIL}?lang=en").text
        assert "Closed by hand" in browser.get("/admin/connecteurs?lang=en").text

    def test_is_closed_once(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.director)
        close(browser, MAIL)
        close(browser, MAIL)
        assert len(rows(DoorPause)) == 1

    def test_is_told_to_the_agents_concerned(self, group: Group, sign_in: SignIn, this_process: Board) -> None:
        close(sign_in(group.administrator), NORTH_HIS)
        this_process.look()
        clerk = sign_in(group.clerk).get("/admin/pre-admission?lang=en", follow_redirects=True).text
        assert "closed for now. The laboratory moves" in clerk
        auditor = sign_in(group.auditor).get("/admin/journal?lang=en").text
        assert "closed for now" not in auditor

    def test_opens_again_and_calls_back_what_waited(self, group: Group, sign_in: SignIn) -> None:
        browser = sign_in(group.director)
        close(browser, MAIL)
        with prepared():
            job_id = db.session.scalar(text(
                "insert into procrastinate_jobs (queue_name, task_name, status, scheduled_at) values"
                " ('default', 'notifications.send', 'todo', now() + interval '1 hour') returning id"))  # fmt: skip
            db.session.add(JobTrouble(job_id=job_id, door=MAIL, error="Paused", reason="closed"))
        assert browser.post(f"/admin/connecteurs/{MAIL}/rouvrir").status_code == 303
        with prepared():
            assert db.session.scalar(text("select scheduled_at <= now() from procrastinate_jobs")) is True
        (pause,) = rows(DoorPause)
        assert pause.resumed_by == "Dina Directrice"
        assert browser.post(f"/admin/connecteurs/{MAIL}/rouvrir").status_code == 303, "twice is no error"
        assert audited()[-1] == "door.opened"

    def test_that_opened_by_itself_may_be_closed_again(self, group: Group) -> None:
        director = db.Actor("staff", "Dina", rights={"administration": frozenset({group.north.id, group.south.id})})
        with db.transaction(director):
            actions_connectors.close(MAIL, "moves", db.now())
        with db.transaction(director):
            assert MAIL not in board.pauses()
            actions_connectors.close(MAIL, "moves again")
            assert board.pauses()[MAIL].reason == "moves again"


class TestTrying:
    def test_a_worker_says_whether_it_works(self, group: Group, sign_in: SignIn, work_jobs: Callable[[], None]) -> None:
        browser = sign_in(group.director)
        name = next(each.name for each in _connectors(group) if each.family == "antivirus")
        assert browser.post(f"/admin/connecteurs/{name}/essayer").status_code == 303
        assert "Being tried" in browser.get(f"/admin/connecteurs/{name}?lang=en").text
        work_jobs()
        (test,) = rows(DoorTest)
        assert (test.trouble, test.ended_at is not None) == ("", True)
        assert "Worked" in browser.get(f"/admin/connecteurs/{name}?lang=en").text

    def test_a_door_that_nobody_knows_how_to_try_says_so(
        self, group: Group, sign_in: SignIn, work_jobs: Callable[[], None]
    ) -> None:
        sign_in(group.director).post(f"/admin/connecteurs/{NORTH_HIS}/essayer")
        work_jobs()
        assert rows(DoorTest)[0].trouble == "this door cannot be tried by itself"


def _connectors(group: Group) -> list[queries_connectors.Connector]:
    with db.transaction(db.system("tests")):
        return list(queries_connectors.connectors([group.north.finess]))


class TestAJobThatADoorStopped:
    def test_says_which_and_waits_while_it_is_closed(
        self, group: Group, this_process: Board, work_jobs: Callable[[], None]
    ) -> None:
        with prepared():
            db.session.add(DoorPause(door="tests.jobs", reason="moves", paused_by="Dina"))
            jobs.enqueue("tests.pass_a_door", door="tests.jobs")
        this_process.look()
        work_jobs()
        trouble = next(each for each in rows(JobTrouble) if each.door == "tests.jobs")
        assert trouble.error == "Paused"
        with prepared():
            waits = "select status::text, scheduled_at > now() + interval '50 minutes' from procrastinate_jobs"
            assert tuple(db.session.execute(text(f"{waits} where id = :id"), {"id": trouble.job_id}).one()) == (
                "todo", True)  # fmt: skip
            assert queries_connectors._stopped()["tests.jobs"] == (1, 0)

    def test_is_done_again_from_the_page_of_the_connector(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            job_id = db.session.scalar(text(
                "insert into procrastinate_jobs (queue_name, task_name, status)"
                " values ('default', 'notifications.send', 'failed') returning id"))  # fmt: skip
            db.session.add(JobTrouble(job_id=job_id, door=MAIL, error="Unavailable", reason="down"))
        browser = sign_in(group.director)
        assert "Do again what it stopped" in browser.get(f"/admin/connecteurs/{MAIL}?lang=en").text
        browser.post(f"/admin/connecteurs/{MAIL}/reprendre")
        with prepared():
            assert db.session.scalar(text("select status::text from procrastinate_jobs")) == "todo"


@jobs.task("tests.pass_a_door")
def pass_a_door(door: str) -> None:
    """Goes through a door of that name."""
    with Door(door).passage("send"):
        pass


def test_a_page_takes_few_statements(group: Group, sign_in: SignIn, app: Flask) -> None:
    browser = sign_in(group.director)
    with executed(app) as statements:
        assert browser.get(f"/admin/connecteurs/{MAIL}").status_code == 200
    assert len(statements) <= 12
