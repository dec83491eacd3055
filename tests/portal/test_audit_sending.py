"""The sealed audit leaves in order and once, catches up after a failure, and names nobody."""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, update

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


def many(count: int, padding: int = 2000) -> None:
    """A long part of the journal, written by several transactions."""
    for each in range(3):
        with prepared():
            for number in range(count // 3):
                audit.record("document.opened", number=number, transaction=each, padding="x" * padding)
    all_sealed()


def sequences(twin: SiemTwin) -> list[int | None]:
    """The numbers of the events that the collector has, None for a head."""
    return [json.loads(each[each.index("{") :]).get("seq") for each in twin.messages]


@pytest.mark.parametrize(("events", "size"), [(7, 1 << 20), (1000, 5000), (1, 1 << 20)])
def test_a_long_part_leaves_in_pieces_each_event_once(
    collector: SiemTwin, monkeypatch: pytest.MonkeyPatch, events: int, size: int
) -> None:
    run()
    monkeypatch.setattr(sending, "MOST_EVENTS", events)
    monkeypatch.setattr(sending, "MOST_BYTES", size)
    many(30)
    run()
    seen = sequences(collector)
    assert (len(seen), seen[:-1], seen[-1]) == (31, sorted(set(seen[:-1]), key=own_number), None)
    (state,) = rows(AuditSending)
    assert (state.events, state.part_xid, state.part_id, state.failure) == (30, 0, 0, "")


def test_a_turn_ends_in_time_and_the_next_one_goes_on_where_it_was(
    collector: SiemTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setattr(sending, "MOST_EVENTS", 10)
    monkeypatch.setattr(sending, "_LONGEST", timedelta(0))
    many(30)
    counts = []
    for _turn in range(5):
        run()
        counts.append(len(collector.messages))
    assert counts == [10, 20, 31, 31, 31]
    assert len(set(sequences(collector))) == 31, "nothing twice"


def test_a_piece_that_is_cut_is_sent_again_and_those_before_it_are_not(
    collector: SiemTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    monkeypatch.setattr(sending, "MOST_EVENTS", 10)
    monkeypatch.setattr(sending, "_LONGEST", timedelta(0))
    many(30, padding=60_000)  # more than what the line holds by itself
    run()
    collector.faults.cut_after = 1
    run()
    assert rows(AuditSending)[0].failure == "OutcomeUnknown"
    collector.faults.cut_after = None
    run()
    run()
    seen = sequences(collector)
    assert seen.count(seen[10]) == 2, "the piece that was cut came again"
    assert all(seen.count(each) == 1 for each in seen[:10]), "the one before it did not"
    assert len(set(seen)) == 31


def test_a_worker_that_stood_still_moves_nothing_back(collector: SiemTwin) -> None:
    run()
    written("document.opened")
    slow = sending._collected.by

    class StandsStill:
        """Sends, and while it waits for the answer another worker takes its place and goes on."""

        name = slow.name

        def send(self, entries: Iterable[siem.Entry]) -> int:
            sending._collected.by = slow
            with prepared():
                db.session.execute(update(AuditSending).values(leased_until=None))
            run()
            written("bill.opened")
            run()
            return len(list(entries))

        def check(self) -> None: ...

    sending._collected.by = StandsStill()
    run()
    before = len(collector.messages)
    run()
    assert told(collector)[-2:] == ["bill.opened", "sealed"]
    assert len(collector.messages) == before, "nothing is sent again"


def own_number(sequence: int | None) -> int:
    return sequence or 0


def test_no_name_leaves(collector: SiemTwin) -> None:
    run()
    with prepared():
        db.session.execute(
            insert(audit.AuditEvent).values(
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
