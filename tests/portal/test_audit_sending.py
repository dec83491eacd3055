"""The sealed audit leaves in order and once, catches up after a failure, and names nobody."""

import json
from collections.abc import Iterator

import pytest
from flask import Flask

from portal import audit, db, jobs
from portal.audit import AuditSending, sending
from portal.gateways import siem
from portal.gateways.siem.none import NoCollector
from portal.gateways.siem.twin import SiemTwin
from tests.ground import prepared, rows
from tests.writers import all_sealed


@pytest.fixture
def collector(app: Flask) -> Iterator[SiemTwin]:
    with SiemTwin() as twin:
        sending._collected.by = siem.connect(twin.url)
        yield twin
        sending._collected.by = NoCollector()


def written(*actions: str) -> None:
    for action in actions:
        with prepared():
            audit.record(action, note="é")
    all_sealed()


def run() -> None:
    """The job, as its worker does it."""
    token = jobs._running.set(jobs._Running(1, "audit.send"))
    try:
        sending.send_now()
    finally:
        jobs._running.reset(token)


def told(twin: SiemTwin) -> list[str]:
    """The actions and heads that the collector has, in its order."""
    return [json.loads(message[message.index("{") :]).get("action", "sealed") for message in twin.messages]


def test_what_was_sealed_before_the_collector_was_set_stays_here(collector: SiemTwin) -> None:
    written("bill.opened")
    run()
    assert collector.messages == []
    written("document.opened", "bill.opened")
    run()
    assert [each for each in told(collector) if each != "sealed"] == ["document.opened", "bill.opened"]


def test_each_batch_leaves_once_and_its_head_follows_it(collector: SiemTwin) -> None:
    run()
    for _turn in range(3):
        written("document.opened")
        run()
        run()
    assert told(collector) == ["document.opened", "sealed"] * 3
    heads = [json.loads(each[each.index("{") :])["digest"] for each in collector.messages if '"digest"' in each]
    with db.transaction(db.system("tests")):
        assert heads == [batch.digest.hex() for batch in reversed(sending_heads())]


def sending_heads() -> list[audit.AuditBatch]:
    from portal.audit import verifying

    return list(verifying.heads())


def test_a_collector_that_is_away_is_caught_up_with(collector: SiemTwin) -> None:
    run()
    written("document.opened")
    sending._collected.by = _renamed(siem.connect("syslog+tcp://127.0.0.1:9", timeout_seconds=0.3), collector)
    run()
    (state,) = rows(AuditSending)
    assert (state.failure, state.leased_until) == ("Unavailable", None)
    with db.transaction(db.system("tests")):
        assert sending.lag().batches == 1
    sending._collected.by = siem.connect(collector.url)
    written("bill.opened")
    run()
    assert told(collector) == ["document.opened", "sealed", "bill.opened", "sealed"]
    (state,) = rows(AuditSending)
    assert (state.failure, state.events) == ("", 2)


def test_a_batch_cut_on_its_way_is_sent_again_whole_with_the_same_numbers(collector: SiemTwin) -> None:
    run()
    with prepared():
        for number in range(300):
            audit.record("document.opened", number=number, padding="x" * 2000)
    all_sealed()
    collector.faults.cut_after = 1
    run()
    assert rows(AuditSending)[0].failure == "OutcomeUnknown"
    collector.faults.cut_after = None
    run()
    seen = [json.loads(each[each.index("{") :]).get("seq") for each in collector.messages]
    assert seen[0] == seen[1], "the first one came twice, and says so by its number"
    assert len(set(seen[1:])) == 301


def test_no_name_leaves(collector: SiemTwin) -> None:
    run()
    with prepared():
        db.session.execute(
            audit.AuditEvent.__table__.insert().values(
                actor="system:tests", actor_name="Clara Clerc", action="bill.opened", object_kind=""
            )
        )
    all_sealed()
    run()
    assert collector.messages
    assert not any("Clerc" in each for each in collector.messages)


def test_two_workers_do_not_send_at_the_same_time(collector: SiemTwin) -> None:
    run()
    written("document.opened")
    token = jobs._running.set(jobs._Running(1, "audit.send"))
    assert sending._leased()
    jobs._running.reset(token)
    run()
    assert collector.messages == []


def _renamed(door: siem.Collector, twin: SiemTwin) -> siem.Collector:
    door.name = twin.url
    return door
