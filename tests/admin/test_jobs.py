"""The queue as people look after it: late, failed, tried again, given up; the clock; the workers."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from admin import queries_jobs
from admin.queries_jobs import JobLine
from auth.models import Account
from portal import db, jobs
from portal.jobs import JobSettled, JobTrouble
from tests.admin.conftest import Group
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
SEND, SCAN = "notifications.send", "files.scan"


def job(status: str, task: str = SEND, at: str = "null", *, args: str = "{}", queueing_lock: str = "") -> int:
    """A job in the queue; at: SQL for the moment from which it is due."""
    with prepared():
        made = db.session.scalar(
            text(
                "insert into procrastinate_jobs (queue_name, task_name, status, scheduled_at, args, queueing_lock)"
                f" values ('default', :task, '{status}', {at}, cast(:args as jsonb), nullif(:lock, '')) returning id"
            ),
            {"task": task, "args": args, "lock": queueing_lock},
        )
    return int(str(made))


def state(job_id: int) -> str:
    with prepared():
        found = queries_jobs.job(job_id)
    assert found is not None
    return found.state


class TestTheOverview:
    def test_counts_each_kind_by_state(self, group: Group, sign_in: SignIn) -> None:
        for status, at in (("failed", "null"), ("failed", "null"), ("todo", "now() - interval '5 minutes'"),
                           ("todo", "now()"), ("todo", "now() + interval '1 hour'"), ("doing", "null")):  # fmt: skip
            job(status, SEND, at)
        job("succeeded")
        with prepared():
            (kind,) = queries_jobs.kinds()
        assert (kind.failed, kind.late, kind.waiting, kind.later, kind.doing) == (2, 1, 1, 1, 1)
        assert "notifications.send" in sign_in(group.administrator).get("/admin/travaux?lang=en").text

    def test_says_when_nothing_waits(self, group: Group, sign_in: SignIn) -> None:
        assert "The queue is empty" in sign_in(group.administrator).get("/admin/travaux?lang=en").text

    @pytest.mark.parametrize("path", ["", "/liste", "/liste?etat=settled", "/horloge"])
    def test_takes_few_statements(self, app: Flask, group: Group, sign_in: SignIn, path: str) -> None:
        for _time in range(5):
            job("failed")
        browser = sign_in(group.director)
        with executed(app) as statements:
            assert browser.get(f"/admin/travaux{path}").status_code == 200
        assert len(statements) <= 10

    @pytest.mark.parametrize("who", ["clerk", "auditor"])
    def test_is_for_administrators(self, group: Group, sign_in: SignIn, who: str) -> None:
        assert sign_in(getattr(group, who)).get("/admin/travaux").status_code == 403


class TestAJob:
    def test_shows_ids_and_nothing_else_of_what_it_was_asked(self, group: Group, sign_in: SignIn) -> None:
        one = UUID(int=7)
        number = job("failed", args=f'{{"file_id": "{one}", "kind": "reading", "code": "123456", "to": "a@b.fr"}}')
        shown = sign_in(group.administrator).get(f"/admin/travaux/{number}?lang=en").text
        assert str(one) in shown
        assert "reading" in shown
        assert "123456" not in shown
        assert "a@b.fr" not in shown

    def test_says_what_stopped_it_and_at_which_connector(self, group: Group, sign_in: SignIn) -> None:
        number = job("failed")
        with prepared():
            db.session.add(JobTrouble(job_id=number, door="mail.smtp", error="Unavailable", reason="refused"))
        shown = sign_in(group.administrator).get(f"/admin/travaux/{number}?lang=en").text
        assert "Unavailable: refused" in shown
        assert "/admin/connecteurs/mail.smtp" in shown

    def test_that_does_not_exist_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        assert sign_in(group.administrator).get("/admin/travaux/123456789").status_code == 404

    def test_keeps_the_class_of_an_error_and_never_its_words(self, group: Group, work_jobs: Callable[[], None]) -> None:
        with prepared():
            jobs.enqueue("tests.say_a_name", name="Madame Dupont")
        work_jobs()
        (trouble,) = [each for each in rows(JobTrouble) if each.error == "ValueError"]
        assert (trouble.reason, trouble.door) == ("", "")

    @given(st.text(max_size=40))
    def test_no_free_text_is_ever_shown(self, free: str) -> None:
        line = JobLine(1, SEND, "failed", 0, "", "", False, {"x": free}, None, None, "", "", "", "", "", None)
        ((_key, shown),) = line.shown
        assert shown == "•••" or all(each.isalnum() or each in "-_" for each in shown)


@jobs.task("tests.say_a_name")
def say_a_name(name: str) -> None:
    """Fails with words that must not be kept."""
    raise ValueError(name)


class TestTryingAgain:
    def test_puts_one_back_in_the_queue(self, group: Group, sign_in: SignIn) -> None:
        number = job("failed")
        assert sign_in(group.director).post(f"/admin/travaux/{number}/reprendre").status_code == 303
        assert state(number) == "waiting"
        assert audited()[-1] == "job.retried"

    def test_takes_all_of_a_kind_and_no_other(self, group: Group, sign_in: SignIn) -> None:
        again, other = [job("failed") for _time in range(3)], job("failed", SCAN)
        sign_in(group.director).post("/admin/travaux/reprendre", data={"tache": SEND})
        assert [state(number) for number in (*again, other)] == ["waiting"] * 3 + ["failed"]

    def test_leaves_what_was_settled(self, group: Group, sign_in: SignIn) -> None:
        number = job("failed")
        with prepared():
            db.session.add(JobSettled(job_id=number, reason="told by telephone", settled_by="Dina"))
        sign_in(group.director).post("/admin/travaux/reprendre", data={"tache": SEND})
        assert state(number) == "settled"

    @pytest.mark.parametrize("status", ["succeeded", "doing", "todo"])
    def test_refuses_what_has_not_failed(self, group: Group, sign_in: SignIn, status: str) -> None:
        number = job(status)
        answer = sign_in(group.director).post(f"/admin/travaux/{number}/reprendre?lang=en", follow_redirects=True)
        assert "has not failed" in answer.text

    def test_leaves_to_the_clock_what_it_starts(self, group: Group, sign_in: SignIn) -> None:
        number = job("failed", "audit.seal", queueing_lock="audit.seal")
        job("todo", "audit.seal", queueing_lock="audit.seal")
        sign_in(group.director).post(f"/admin/travaux/{number}/reprendre")
        sign_in(group.director).post("/admin/travaux/reprendre", data={"tache": "audit.seal"})
        assert state(number) == "failed"

    def test_is_left_to_those_who_administer_every_hospital(self, group: Group, sign_in: SignIn) -> None:
        number = job("failed")
        browser = sign_in(group.administrator)
        for path, typed in ((f"{number}/reprendre", {}), ("reprendre", {"tache": SEND}),
                            (f"{number}/abandonner", {"reason": "no", "once": str(uuid4())})):  # fmt: skip
            assert browser.post(f"/admin/travaux/{path}", data=typed).status_code == 403
        assert state(number) == "failed"

    def test_a_kind_that_does_not_exist_is_not_found(self, group: Group, sign_in: SignIn) -> None:
        assert sign_in(group.director).post("/admin/travaux/reprendre", data={"tache": "x"}).status_code == 404


class TestGivingUp:
    @pytest.mark.parametrize("status", ["failed", "todo"])
    def test_takes_it_out_of_the_failures_and_keeps_why(self, group: Group, sign_in: SignIn, status: str) -> None:
        number, browser = job(status, at="now() + interval '1 hour'"), sign_in(group.director)
        browser.post(f"/admin/travaux/{number}/abandonner", data={"reason": "Told by telephone", "once": str(uuid4())})
        assert state(number) == "settled"
        assert "Told by telephone" in browser.get("/admin/travaux/liste?etat=settled&lang=en").text
        assert f"/admin/travaux/{number}" not in browser.get("/admin/travaux/liste?etat=failed").text
        assert audited()[-1] == "job.given_up"

    def test_needs_a_reason(self, group: Group, sign_in: SignIn) -> None:
        number = job("failed")
        answer = sign_in(group.director).post(
            f"/admin/travaux/{number}/abandonner?lang=en", data={"reason": " ", "once": str(uuid4())}
        )
        assert answer.status_code == 422
        assert "Say why, for whoever looks for it later." in answer.text

    def test_never_stops_what_runs(self, group: Group, sign_in: SignIn) -> None:
        number = job("doing")
        sign_in(group.director).post(f"/admin/travaux/{number}/abandonner", data={"reason": "No", "once": str(uuid4())})
        assert state(number) == "doing"


class TestTheList:
    def test_goes_page_by_page(self, group: Group, sign_in: SignIn) -> None:
        with prepared():
            db.session.execute(text(
                "insert into procrastinate_jobs (queue_name, task_name, status)"
                f" select 'default', '{SEND}', 'failed' from generate_series(1, {queries_jobs.PAGE + 1})"))  # fmt: skip
            first = queries_jobs.jobs_in("failed")
            rest = queries_jobs.jobs_in("failed", before=first[queries_jobs.PAGE - 1].id)
        assert (len(first), len(rest)) == (queries_jobs.PAGE + 1, 1)
        assert 'rel="next"' in sign_in(group.director).get("/admin/travaux/liste").text

    @pytest.mark.parametrize("asked", ["?etat=nothing", "?tache=%00&porte=x", "?avant=abc", "?etat=doing&avant=1"])
    def test_takes_any_address(self, group: Group, sign_in: SignIn, asked: str) -> None:
        assert sign_in(group.director).get(f"/admin/travaux/liste{asked}").status_code == 200


class TestTheClock:
    def test_says_what_was_missed_and_what_comes(self, group: Group) -> None:
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        with prepared():
            for name, at in (("audit.seal", db.now()), ("web.forget_posts", hour - timedelta(days=3))):
                db.session.execute(
                    text("insert into procrastinate_periodic_defers (task_name, defer_timestamp) values (:name, :at)"),
                    {"name": name, "at": int(at.timestamp())},
                )
            lines = {line.name: line for line in queries_jobs.clock()}
        assert not lines["audit.seal"].missed
        assert lines["audit.seal"].next_at > db.now()
        assert lines["web.forget_posts"].missed
        assert set(lines) == {tick.name for tick in jobs.ticks()}

    def test_knows_when_a_job_was_due_and_is_due_again(self) -> None:
        tick = jobs.Tick("x", "29 4 * * *")
        noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
        assert tick.due_before(noon) == datetime(2026, 11, 23, 4, 29, tzinfo=UTC)
        assert tick.due_after(noon) == datetime(2026, 11, 24, 4, 29, tzinfo=UTC)

    def test_is_shown(self, group: Group, sign_in: SignIn) -> None:
        assert "audit.seal" in sign_in(group.administrator).get("/admin/travaux/horloge?lang=en").text
