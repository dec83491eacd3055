"""One request, one transaction: kept whole when it succeeds, forgotten whole when it does not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Blueprint, Flask, abort, redirect
from sqlalchemy import event
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.establishments import Establishment
from tests.ground import count, rows

MakeApp = Callable[..., Flask]
written = guards.public(Blueprint("written", __name__, url_prefix="/written"))


def _write(name: str = "written") -> None:
    db.act_as(db.system("tests"))
    db.session.add(Establishment(finess=name, name=name))


@written.get("/<int:status>")
def with_status(status: int) -> tuple[str, int]:
    _write()
    return "", status


@written.get("/aborted/<int:status>")
def aborted(status: int) -> str:
    _write()
    db.session.flush()
    abort(status)


@written.get("/redirected")
def redirected() -> Response:
    _write()
    return redirect("/")


@written.get("/crashed")
def crashed() -> str:
    _write()
    raise ZeroDivisionError


@written.get("/in-two-times")
def in_two_times() -> str:
    _write("one")
    db.session.flush()
    _write("two")
    return ""


@written.get("/refused-at-the-commit")
def refused_at_the_commit() -> str:
    _write("same")
    _write("same")
    return "said to be done"


@pytest.fixture
def visitor(make_app: MakeApp) -> Any:
    return make_app(written).test_client()


@contextmanager
def commits(app: Flask) -> Iterator[list[str]]:
    seen: list[str] = []
    engine = app.extensions["parvis.engine"]
    handlers = {name: (lambda _connection, name=name: seen.append(name)) for name in ("commit", "rollback")}
    for name, handler in handlers.items():
        event.listen(engine, name, handler)
    yield seen
    for name, handler in handlers.items():
        event.remove(engine, name, handler)


class TestARequest:
    @pytest.mark.parametrize("path", ["/written/200", "/written/201", "/written/204", "/written/redirected"])
    def test_that_succeeds_is_kept(self, visitor: Any, path: str) -> None:
        visitor.get(path, check=False)
        assert count(Establishment) == 1

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422, 429, 500, 503])
    @pytest.mark.parametrize("path", ["/written/{}", "/written/aborted/{}"])
    def test_that_fails_leaves_nothing(self, visitor: Any, path: str, status: int) -> None:
        assert visitor.get(path.format(status), check=False).status_code == status
        assert count(Establishment) == 0

    def test_that_crashes_leaves_nothing(self, visitor: Any) -> None:
        assert visitor.get("/written/crashed").status_code == 500
        assert count(Establishment) == 0

    def test_commits_once_however_often_it_writes(self, visitor: Any) -> None:
        with commits(visitor.application) as seen:
            visitor.get("/written/in-two-times", check=False)
        assert seen == ["commit"]
        assert {row.name for row in rows(Establishment)} == {"one", "two"}

    def test_that_cannot_be_kept_is_not_told_to_be(self, visitor: Any) -> None:
        answer = visitor.get("/written/refused-at-the-commit")
        assert answer.status_code == 500
        assert "said to be done" not in answer.text
        assert count(Establishment) == 0

    def test_gives_its_connection_back_whatever_happens(self, visitor: Any) -> None:
        for path in ("200", "422", "crashed", "refused-at-the-commit", "aborted/404"):
            visitor.get(f"/written/{path}", check=False)
        assert visitor.application.extensions["parvis.engine"].pool.checkedout() == 0

    def test_of_a_page_that_is_not_there_costs_no_transaction(self, visitor: Any) -> None:
        with commits(visitor.application) as seen:
            visitor.get("/nothing-here")
        assert seen == []
