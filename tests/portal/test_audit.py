"""The audit: what is committed is sealed once, what is sealed cannot change unnoticed, and nobody rewrites it."""

from contextlib import suppress
from random import Random
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from portal import audit, db
from portal.audit import Verification
from portal.db import Actor
from tests.conftest import Database
from tests.ground import prepared
from tests.writers import GivesUp, all_sealed, write_while

COVER = text(
    "select e.id, (select count(*) from audit_batch b where e.xid >= b.from_xid and e.xid < b.to_xid)"
    " from audit_event e order by e.id"
)


def verify() -> Verification:
    with db.transaction(db.system("tests")):
        return audit.verify()


def written(*actions: str) -> None:
    """One committed transaction for each action."""
    for action in actions:
        with prepared():
            audit.record(action, object_kind="letter", object_id=uuid4(), note="é")


class TestSealing:
    def test_concurrent_writers_with_late_commits_and_rollbacks_are_sealed_once_each(self, app: Flask) -> None:
        def write(chance: Random) -> None:
            audit.record(chance.choice(("document.opened", "bill.opened")), patient_id=uuid4(), number=chance.random())

        write_while(audit.seal, write)
        all_sealed()

        with db.transaction(db.system("tests")) as current:
            covered = [tuple(row) for row in current.execute(COVER)]
            batches = current.scalar(text("select count(*) from audit_batch"))
        assert len(covered) > 20
        assert {times for _id, times in covered} == {1}
        assert verify() == Verification(batches, len(covered), 0, None)
        assert batches > 3, "the sealer passed while they wrote"

    def test_a_late_commit_is_sealed_late(self, app: Flask) -> None:
        import threading

        def hurry() -> None:
            written("bill.opened")
            with prepared():
                audit.seal()

        with prepared():
            audit.record("document.opened")
            other = threading.Thread(target=hurry)
            other.start()
            other.join()
        all_sealed()
        assert verify().events == 2
        assert verify().holds

    def test_what_is_not_sealed_yet_is_said(self, app: Flask) -> None:
        written("document.opened")
        all_sealed()
        written("document.opened", "document.opened")
        assert (verify().events, verify().unsealed) == (1, 2)

    def test_sealing_again_adds_no_batch(self, app: Flask) -> None:
        written("document.opened")
        all_sealed()
        before = verify()
        all_sealed()
        assert verify() == before


TAMPERING: dict[str, str] = {
    "another actor": "update audit_event set actor = 'staff:somebody-else' where action = 'second.thing'",
    "another moment": "update audit_event set at = at - interval '1 hour' where action = 'second.thing'",
    "another patient": "update audit_event set patient_id = gen_random_uuid() where action = 'second.thing'",
    "other details": "update audit_event set details = '{\"note\": \"e\"}' where action = 'second.thing'",
    "a row less": "delete from audit_event where action = 'second.thing'",
    "the last row less": "delete from audit_event where action = 'last.thing'",
    "a row more": "insert into audit_event (xid, actor, actor_name, action, object_kind)"
    " select xid, actor, actor_name, 'more.things', '' from audit_event where action = 'second.thing'",
    "a row moved to another batch": "update audit_event set xid = (select xid from audit_event where action ="
    " 'last.thing') where action = 'second.thing'",
    "a row moved out of the chain": "update audit_event set xid = pg_current_xact_id() where action = 'second.thing'",
    "two batches merged": "delete from audit_batch where id = (select min(id) from audit_batch)",
    "a batch less": "delete from audit_batch where id = (select min(id) + 1 from audit_batch)",
    "another digest": "update audit_batch set digest = sha256('nothing') where id = (select min(id) from audit_batch)",
    "a smaller count": "update audit_batch set events = events - 1 where id = (select min(id) from audit_batch)",
}


class TestTampering:
    """By somebody above the application's role: an operator of the database."""

    @pytest.mark.parametrize("how", TAMPERING)
    def test_it_is_noticed(self, app: Flask, database: Database, how: str) -> None:
        for action in ("first.thing", "second.thing", "third.thing", "last.thing"):
            written(action)
            all_sealed()
        assert verify().holds
        with psycopg.connect(database.superuser_url) as above:
            assert above.execute(TAMPERING[how]).rowcount == 1
        assert not verify().holds

    def test_the_first_batch_that_does_not_hold_is_named(self, app: Flask, database: Database) -> None:
        for action in ("first.thing", "second.thing", "third.thing"):
            written(action)
            all_sealed()
        with db.transaction(db.system("tests")) as current:
            second = current.scalar(text("select min(id) + 1 from audit_batch"))
        with psycopg.connect(database.superuser_url) as above:
            above.execute(TAMPERING["a row less"])
        assert verify().broken_batch == second


class TestAppendOnly:
    @pytest.mark.parametrize("table", ["audit_event", "audit_batch", "kpi_event"])
    @pytest.mark.parametrize("statement", ["update {} set id = default", "delete from {}", "truncate {}"])
    def test_the_application_cannot_rewrite_a_ledger(self, app: Flask, table: str, statement: str) -> None:
        written("document.opened")
        with (
            pytest.raises(ProgrammingError) as refusal,
            db.transaction(db.system("tests")) as current,
        ):
            current.execute(text(statement.format(table)))
        assert isinstance(refusal.value.orig, InsufficientPrivilege)

    @pytest.mark.parametrize("actor", [Actor("staff", "Agent", uuid4()), db.system("some.job")], ids=["agent", "job"])
    def test_nobody_writes_in_the_name_of_another(self, app: Flask, actor: Actor) -> None:
        lie = text("insert into audit_event (actor, actor_name, action) values ('patient:another', '', 'bill.opened')")
        with pytest.raises(ProgrammingError) as refusal, db.transaction(actor) as current:
            current.execute(lie)
        assert isinstance(refusal.value.orig, InsufficientPrivilege)

    def test_what_was_given_up_leaves_no_line(self, app: Flask) -> None:
        with suppress(GivesUp), prepared():
            audit.record("document.opened")
            raise GivesUp
        assert verify().events + verify().unsealed == 0
