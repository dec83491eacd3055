"""Every transaction says who acts, and nothing of it is left to the next one."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import ObjectDeletedError

from auth.models import Account, Patient
from portal import audit, db
from portal.audit import AuditBatch
from portal.db import ANONYMOUS, RIGHTS, Actor
from portal.establishments import Establishment
from tests.factories import people
from tests.ground import count, prepared

pytestmark = pytest.mark.usefixtures("app")

HERE, THERE = uuid4(), uuid4()
AGENT = Actor("staff", "Odile", uuid4(), rights={"billing": frozenset({HERE, THERE}), "audit": frozenset({HERE})})
PROXY = Actor("patient", "Camille", uuid4(), patients=frozenset({uuid4(), uuid4()}))
DOCTOR = Actor("professional", "Idriss", uuid4(), professional_id=uuid4())
ACTORS = {"anonymous": ANONYMOUS, "patient": PROXY, "professional": DOCTOR, "agent": AGENT,
          "system": db.system("a.job"), "machine": Actor("machine", "his")}  # fmt: skip


def declared() -> dict[str, str]:
    """The keys as the database holds them now."""
    keys = ANONYMOUS.keys()
    return {key: db.session.scalar(text(f"select current_setting('{key}', true)")) or "" for key in keys}


@pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS)
class TestATransaction:
    def test_tells_the_database_who_acts(self, actor: Actor) -> None:
        with db.transaction(actor):
            assert declared() == actor.keys()
            assert db.current_actor() == actor

    def test_tells_it_again_after_a_commit_or_a_rollback(self, actor: Actor) -> None:
        with db.transaction(actor) as current:
            declared()
            current.commit()
            assert declared() == actor.keys()
            current.rollback()
            assert declared() == actor.keys()

    def test_leaves_nothing_to_the_next_one_on_the_same_connection(self, app: Flask, actor: Actor) -> None:
        for _ in range(12):  # more than the pool holds
            with db.transaction(actor):
                keys = declared()
            with app.extensions["parvis.engine"].connect() as connection:
                left = [connection.scalar(text(f"select current_setting('{key}', true)")) for key in keys]
            assert set(left) <= {"", None}

    def test_leaves_nothing_after_an_error(self, app: Flask, actor: Actor) -> None:
        with pytest.raises(ZeroDivisionError), db.transaction(actor):  # noqa: PT012
            declared()
            raise ZeroDivisionError
        with db.transaction(ANONYMOUS):
            assert declared() == ANONYMOUS.keys()

    def test_keeps_its_actor_when_a_savepoint_fails(self, actor: Actor) -> None:
        with db.transaction(actor) as current:
            with pytest.raises(ZeroDivisionError), current.begin_nested():
                raise ZeroDivisionError
            assert declared() == actor.keys()


class TestTheActor:
    def test_is_named_in_the_audit_by_kind_and_account_never_by_name(self) -> None:
        assert AGENT.label == f"staff:{AGENT.account_id}"
        assert (db.system("a.job").label, ANONYMOUS.label) == ("system:a.job", "anonymous")

    def test_may_what_they_may_where_they_may(self) -> None:
        assert AGENT.may("billing")
        assert AGENT.may("audit", HERE)
        assert not AGENT.may("audit", THERE)
        assert not AGENT.may("administration")
        assert AGENT.establishments == {HERE, THERE}

    def test_keys_hold_each_right_apart(self) -> None:
        keys = AGENT.keys()
        assert set(keys["parvis.at_billing"].split(",")) == {str(HERE), str(THERE)}
        assert keys["parvis.at_audit"] == str(HERE)
        assert {keys[f"parvis.at_{right}"] for right in RIGHTS if right not in ("billing", "audit")} == {""}

    def test_that_is_not_the_system_never_has_its_key(self) -> None:
        assert {kind for kind, actor in ACTORS.items() if actor.keys()["parvis.system"]} == {"system"}

    def test_named_like_a_system_job_is_not_one(self) -> None:
        assert Actor("patient", "auth.sign_in", uuid4()).keys()["parvis.system"] == ""


class TestOutsideAUnitOfWork:
    def test_there_is_no_session(self) -> None:
        with pytest.raises(LookupError):
            db.session.execute(text("select 1"))
        with pytest.raises(LookupError):
            db.current_actor()

    def test_nor_after_a_transaction(self) -> None:
        with db.transaction(db.system("tests")):
            pass
        with pytest.raises(LookupError):
            db.session.execute(text("select 1"))

    def test_nor_after_a_request_in_the_thread_that_served_it(self, app: Flask) -> None:
        """A server keeps its threads: what runs between two requests must not act as the last visitor."""
        FlaskClient(app).get("/")  # our own test client runs each request in a context of its own
        with pytest.raises(LookupError):
            db.session.execute(text("select 1"))

    def test_nor_in_a_thread_started_inside_one(self) -> None:
        caught: list[type[BaseException]] = []

        def work() -> None:
            try:
                db.session.execute(text("select 1"))
            except LookupError as error:
                caught.append(type(error))

        with db.transaction(db.system("tests")):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert caught == [LookupError]


class TestAForgottenWhere:
    def test_shows_nothing_instead_of_everything(self) -> None:
        with prepared():
            people.patient_with_account()
        with db.transaction(ANONYMOUS) as current:
            assert current.scalars(select(Patient)).all() == []

    def test_shows_each_their_own_when_many_ask_at_once(self) -> None:
        with prepared():
            pairs = [people.patient_with_account() for _ in range(8)]
        actors = [people.as_patient(account, patient) for account, patient in pairs] * 6

        def look(actor: Actor) -> set[UUID]:
            with db.transaction(actor) as current:
                return set(current.scalars(select(Patient.id)))

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(look, actors)) == [set(actor.patients) for actor in actors]


class TestOneUnitOfWork:
    def test_commits_at_its_end(self) -> None:
        with db.transaction(db.system("tests")):
            people.patient()
        assert count(Patient) == 1

    def test_keeps_nothing_when_it_fails(self) -> None:
        with pytest.raises(ZeroDivisionError), db.transaction(db.system("tests")):  # noqa: PT012
            people.patient()
            raise ZeroDivisionError
        assert count(Patient) == 0

    def test_that_cannot_commit_says_so_and_frees_its_connection(self, app: Flask) -> None:
        with prepared():
            db.session.add(Establishment(finess="990000017", name="one"))
        with pytest.raises(IntegrityError), db.transaction(db.system("tests")) as current:
            current.add(Establishment(finess="990000017", name="two"))
        assert app.extensions["parvis.engine"].pool.checkedout() == 0

    def test_inside_another_is_independent_of_it(self) -> None:
        """What is committed on its own (an upload, a refused sign-in) stays when the request fails."""
        with pytest.raises(ZeroDivisionError), db.transaction(db.system("outer")):  # noqa: PT012
            people.patient("OUTER")
            with db.transaction(db.system("inner")):
                people.patient("INNER")
                assert db.current_actor().name == "inner"
            assert db.current_actor().name == "outer"
            raise ZeroDivisionError
        with db.transaction(db.system("tests")) as current:
            assert current.scalars(select(Patient.birth_name)).all() == ["INNER"]

    def test_costs_no_transaction_until_its_first_statement(self, app: Flask) -> None:
        with db.transaction(ANONYMOUS):
            assert app.extensions["parvis.engine"].pool.checkedout() == 0


class TestChangingTheActor:
    @pytest.fixture
    def patient(self) -> tuple[Account, Patient]:
        with prepared():
            return people.patient_with_account()

    def test_declares_the_new_one(self, patient: tuple[Account, Patient]) -> None:
        new = people.as_patient(*patient)
        with db.transaction(db.system("tests")):
            db.act_as(new)
            assert declared() == new.keys()
            assert db.current_actor() == new

    def test_writes_first_what_the_former_one_had_to_write(self) -> None:
        with db.transaction(db.system("tests")) as current:
            current.add(Establishment(finess="990000017", name="written as the system"))
            db.act_as(ANONYMOUS)
        assert count(Establishment) == 1

    def test_forgets_what_the_former_one_had_read(self, patient: tuple[Account, Patient]) -> None:
        with db.transaction(db.system("tests")) as current:
            read = current.get_one(Patient, patient[1].id)
            db.act_as(ANONYMOUS)
            with pytest.raises(ObjectDeletedError):
                _ = read.birth_name
            assert current.get(Patient, patient[1].id) is None

    def test_does_not_outlive_its_transaction(self, patient: tuple[Account, Patient]) -> None:
        with db.transaction(db.system("tests")):
            db.act_as(people.as_patient(*patient))
        with db.transaction(db.system("tests")):
            assert declared() == db.system("tests").keys()

    def test_is_refused_inside_a_savepoint_whose_end_would_undo_it(self) -> None:
        with (
            pytest.raises(RuntimeError),
            db.transaction(db.system("tests")) as current,
            current.begin_nested(),
        ):
            db.act_as(ANONYMOUS)


class TestWhatIsWrittenAtTheEnd:
    """A line of audit waits for the next question or for the commit; a savepoint that fails takes back its own only."""

    def test_outlives_a_savepoint_that_wrote_it_and_failed(self) -> None:
        with db.transaction(db.system("tests")) as current:
            audit.record("before.savepoint")
            with pytest.raises(ZeroDivisionError), current.begin_nested():  # noqa: PT012
                audit.record("inside.savepoint")
                current.scalar(text("select 1"))
                raise ZeroDivisionError
            audit.record("after.savepoint")
        assert lines() == ["before.savepoint", "after.savepoint"]

    def test_outlives_a_row_that_is_refused_inside_a_savepoint(self) -> None:
        with db.transaction(db.system("tests")) as current:
            audit.record("before.savepoint")
            with pytest.raises(DBAPIError), current.begin_nested():  # noqa: PT012
                audit.record("inside.savepoint")
                current.add(AuditBatch(from_xid="not a number", events=1, digest=b""))
                current.flush()
            audit.record("after.savepoint")
        assert lines() == ["before.savepoint", "after.savepoint"]

    def test_outlives_savepoints_in_savepoints(self) -> None:
        with db.transaction(db.system("tests")) as current:
            audit.record("before.savepoint")
            with current.begin_nested():
                audit.record("outer.savepoint")
                with pytest.raises(ZeroDivisionError), current.begin_nested():  # noqa: PT012
                    audit.record("inner.savepoint")
                    current.scalar(text("select 1"))
                    raise ZeroDivisionError
        assert lines() == ["before.savepoint", "outer.savepoint"]

    def test_is_numbered_in_the_order_of_the_gestures(self) -> None:
        names = [f"gesture-{number:02}.savepoint" for number in range(15)]
        with db.transaction(db.system("tests")):
            for name in names:
                audit.record(name)
        assert lines() == names

    def test_goes_with_the_whole_transaction(self) -> None:
        with pytest.raises(ZeroDivisionError), db.transaction(db.system("tests")):  # noqa: PT012
            audit.record("before.savepoint")
            raise ZeroDivisionError
        assert lines() == []


def lines() -> list[str]:
    """What the audit holds of these tests, in order."""
    with db.transaction(db.system("tests")) as current:
        query = text("select action from audit_event where action like '%.savepoint' order by id")
        return list(current.scalars(query))


@pytest.mark.parametrize(("url", "expected"), [
    ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
    ("postgres://h/d?host=/a b", "postgresql+psycopg://h/d?host=/a b"),
    ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
    ("postgresql://u:p,q@h/d", "postgresql+psycopg://u:p,q@h/d"),
    ("postgresql://u:p%40@h:1,[::1]:2/d?target_session_attrs=read-write",
     "postgresql+psycopg://u:p%40@/d?host=h%2C%3A%3A1&port=1%2C2&target_session_attrs=read-write"),
])  # fmt: skip
def test_urls_are_those_of_libpq(url: str, expected: str) -> None:
    assert db.sqlalchemy_url(url) == expected


def test_a_failed_statement_does_not_tell_what_was_in_it() -> None:
    """Errors go to the log, and the log holds no personal data."""
    facts: Mapping[str, str] = {"a": "PAT-TROIS"}
    with pytest.raises(Exception) as failed, db.transaction(db.system("tests")) as current:
        current.execute(text("select cast(:a as integer)"), facts)
    assert "[parameters" not in str(failed.value)
