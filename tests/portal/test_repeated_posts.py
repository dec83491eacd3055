"""A double click, a reload, a network that retries: done once, and everybody reads the first answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Blueprint, Flask, request
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.wrappers import Response

from auth import guards
from auth.models import Account
from portal import db, jobs
from portal.establishments import Establishment
from portal.web.repeated_posts import RepeatedPost, once
from tests.factories import people
from tests.ground import count, prepared

counter = guards.public(Blueprint("counter", __name__, url_prefix="/counter"))


@counter.route("/add", methods=["GET", "POST"])
@once
def add() -> Response | tuple[str, int]:
    """Adds a hospital and leads to it; refuses when asked to."""
    if request.method == "GET":
        return Response("the form")
    if request.form.get("wrong"):
        return "correct this", 422
    number = str(uuid4())
    actor = db.current_actor()
    db.act_as(db.system("tests"))
    db.session.add(Establishment(finess=number, name=number))
    db.act_as(actor)
    return Response(status=303, headers={"Location": f"/counter/{number}"})


@pytest.fixture
def visitor(make_app: Callable[..., Flask]) -> Any:
    return make_app(counter).test_client()


def post(browser: Any, key: object, **form: str) -> Any:
    return browser.post("/counter/add", data={"once": str(key), **form}, check=False)


class TestARepeatedPost:
    def test_acts_once_and_leads_where_the_first_one_led(self, visitor: Any) -> None:
        key = uuid4()
        answers = [post(visitor, key) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.location for answer in answers}) == 1
        assert count(Establishment) == 1

    def test_at_the_same_moment_acts_once_too(self, visitor: Any) -> None:
        key, browsers = uuid4(), [visitor.application.test_client() for _ in range(8)]
        with ThreadPoolExecutor(len(browsers)) as pool:
            answers = list(pool.map(lambda browser: post(browser, key), browsers))
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.location for answer in answers}) == 1
        assert count(Establishment) == 1

    def test_after_a_refusal_is_a_first_one(self, visitor: Any) -> None:
        key = uuid4()
        assert post(visitor, key, wrong="1").status_code == 422
        assert count(RepeatedPost) == 0
        assert post(visitor, key).status_code == 303
        assert count(Establishment) == 1

    def test_with_another_key_acts_again(self, visitor: Any) -> None:
        post(visitor, uuid4())
        post(visitor, uuid4())
        assert count(Establishment) == 2

    def test_of_somebody_else_with_the_same_key_never_sees_the_first_answer(
        self, visitor: Any, app: Flask, sign_in: Callable[[Account], FlaskClient]
    ) -> None:
        with prepared():
            account, _ = people.patient_with_account()
        cookie = sign_in(account).get_cookie("parvis_session")
        assert cookie is not None
        key, first = uuid4(), None
        first = post(visitor, key).location
        visitor.set_cookie("parvis_session", cookie.value)
        assert post(visitor, key).location != first
        assert count(Establishment) == 2

    @pytest.mark.parametrize("key", ["", "nonsense", "0", "x" * 5000, "'; drop table account; --", "\x00"])
    def test_without_a_key_of_ours_is_refused(self, visitor: Any, key: str) -> None:
        assert post(visitor, key).status_code == 400
        assert count(Establishment) == 0

    def test_needs_none_to_show_its_form(self, visitor: Any) -> None:
        assert visitor.get("/counter/add").status_code == 200

    @pytest.mark.parametrize(("age", "left"), [(timedelta(hours=47), 1), (timedelta(hours=49), 0)])
    def test_is_forgotten_after_two_days(
        self, visitor: Any, work_jobs: Callable[[], None], age: timedelta, left: int
    ) -> None:
        post(visitor, uuid4())
        with db.transaction(db.ANONYMOUS):
            db.session.execute(update(RepeatedPost).values(created_at=db.now() - age))
        with prepared():
            jobs.enqueue("web.forget_posts", timestamp=0)
        work_jobs()
        assert count(RepeatedPost) == left
