"""What processes tell each other of their doors."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import db
from portal.gateways import Paused, Unavailable, board
from portal.gateways.board import Board, DoorLine, DoorPause
from portal.gateways.breaker import BreakerState
from portal.gateways.door import EDGES_MS, Door, DoorState, even_paused, percentile_ms
from tests.factories import hospitals
from tests.ground import prepared, rows

MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)


def seen(name: str = "his.mllp", *, done: int = 0, at: datetime | None = None, breaker: str = "closed") -> DoorState:
    recent = (done, *[0] * len(EDGES_MS))
    return DoorState(name, BreakerState(breaker), at, None, "", done, 0, 0, 4.0 if done else 0.0, recent)


class TestWhatSeveralProcessesSaw:
    def test_is_one_line_a_door(self) -> None:
        found = board.by_name([
            seen(done=3, at=MORNING), seen(done=1, at=MORNING + timedelta(hours=1), breaker="open"), seen("mail.smtp"),
        ])  # fmt: skip
        assert list(found) == ["his.mllp", "mail.smtp"]
        both = found["his.mllp"]
        assert (both.done, both.mean_ms, both.recent[0]) == (4, 4.0, 4)
        assert both.last_success_at == MORNING + timedelta(hours=1)
        assert both.breaker is BreakerState.OPEN, "out of order for one of them is worth a look"

    @pytest.mark.parametrize(
        ("name", "finess"),
        [("his.mllp 990000017", "990000017"), ("his.mllp 2A0000017", "2A0000017"), ("mail.smtp", ""),
         ("mssante.imap localhost", ""), ("payments.payfip.990000017", ""), ("990000017", "990000017")],
    )  # fmt: skip
    def test_belongs_to_the_hospital_that_its_name_ends_with(self, name: str, finess: str) -> None:
        assert board.finess_of(name) == finess


class TestHowLongPassagesTake:
    def test_nothing_is_said_of_none(self) -> None:
        assert percentile_ms([0] * 13, 0.95) is None
        assert percentile_ms([], 0.95) is None

    @given(st.lists(st.integers(0, 20), min_size=13, max_size=13).filter(any), st.floats(0.01, 1.0))
    def test_the_share_lies_in_its_class(self, recent: list[int], share: float) -> None:
        found = percentile_ms(recent, share)
        under = sum(n for n, edge in zip(recent, [*EDGES_MS, EDGES_MS[-1]], strict=True) if found and edge <= found)
        assert found is not None
        assert 0 <= found <= EDGES_MS[-1]
        assert under <= share * sum(recent) or found == EDGES_MS[-1] or found in EDGES_MS


@pytest.fixture
def this_process() -> Iterator[Board]:
    """The board of this process, told when to look and when to write."""
    yield board.open_board("test", threaded=False)
    board.close_board()


@pytest.mark.usefixtures("app")
class TestADoorThatPeopleClosed:
    def close(self, name: str, until: datetime | None = None) -> None:
        with prepared():
            db.session.add(DoorPause(door=name, reason="the laboratory moves", paused_by="Dina", until=until))

    def test_lets_nothing_through_and_says_not_why(self, this_process: Board) -> None:
        door = Door("test.closed")
        self.close("test.closed")
        with pytest.raises(Paused) as told, door.passage("send"):
            pytest.fail("a closed door let a call pass")
        assert "laboratory" not in str(told.value), "people's words do not go to logs"
        assert told.value.door == "test.closed"
        assert door.state().failed == 0, "nobody failed"

    def test_is_tried_all_the_same_when_asked(self, this_process: Board) -> None:
        self.close("test.closed")
        with even_paused(), Door("test.closed").passage("check"):
            pass

    def test_opens_by_itself_at_the_end_that_was_given(self, this_process: Board) -> None:
        self.close("test.closed", db.now() - timedelta(seconds=1))
        with Door("test.closed").passage("send"):
            pass

    def test_opens_when_somebody_says_so(self, this_process: Board) -> None:
        self.close("test.closed")
        this_process.look()
        assert [each.door for each in board.closed()] == ["test.closed"]
        with prepared():
            db.session.query(DoorPause).update({DoorPause.resumed_at: db.now()})
        this_process.look()
        with Door("test.closed").passage("send"):
            pass

    def test_closes_no_other(self, this_process: Board) -> None:
        self.close("test.closed")
        with Door("test.open").passage("send"):
            pass


@pytest.mark.usefixtures("app")
class TestWhatAProcessWrites:
    def test_is_how_its_doors_are(self, this_process: Board) -> None:
        with prepared():
            north = hospitals.hospital("990000017", "Hôpital du Nord").establishment
        door = Door("his.test 990000017")
        with door.passage("send"):
            pass
        with pytest.raises(Unavailable), door.passage("send"):
            raise Unavailable("connection refused")
        this_process.write()
        this_process.write()
        (line,) = [each for each in rows(DoorLine) if each.door == "his.test 990000017"]
        assert (line.establishment_id, line.done, line.failed) == (north.id, 1, 1)
        assert line.last_failure == "Unavailable: connection refused"
        assert line.process == this_process.process
        assert sum(line.recent) == 2

    def test_is_forgotten_when_it_was_long_ago(self, this_process: Board) -> None:
        this_process.write()
        with prepared():
            long_ago = db.now() - board.KEPT * 2
            db.session.query(DoorLine).update({DoorLine.process: "web gone:1", DoorLine.seen_at: long_ago})
        this_process.write()
        assert {line.process for line in rows(DoorLine)} <= {this_process.process}

    def test_a_database_that_is_away_stops_nobody(self, this_process: Board, monkeypatch: pytest.MonkeyPatch) -> None:
        from sqlalchemy.exc import OperationalError

        def away(_actor: db.Actor) -> None:
            raise OperationalError("select", {}, Exception())

        monkeypatch.setattr(db, "transaction", away)
        with Door("test.on").passage("send"):
            pass
        this_process.write()


@pytest.mark.usefixtures("app")
def test_a_process_writes_by_itself_in_a_thread_of_its_own() -> None:
    with Door("test.threaded").passage("send"):  # before anybody looks after the doors
        pass
    board.open_board("test")
    kept = Door("test.threaded")
    try:
        with kept.passage("send"):
            pass
        thread = next(each for each in threading.enumerate() if each.name == "doors")
        ends = time.monotonic() + 10
        while not rows(DoorLine) and time.monotonic() < ends:
            time.sleep(0.02)
        assert "test.threaded" in {line.door for line in rows(DoorLine)}
    finally:
        board.close_board()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.usefixtures("app")
def test_another_hospital_sees_neither_doors_nor_pauses_nor_tries(this_process: Board) -> None:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord").establishment
        south = hospitals.hospital("990000025", "Hôpital du Sud").establishment
        for place, name in ((north.id, "his.test 990000017"), (None, "mail.test")):
            db.session.add(DoorPause(door=name, establishment_id=place, reason="moves", paused_by="Dina"))
            db.session.add(board.DoorTest(door=name, establishment_id=place, asked_by="Dina"))
    door = Door("his.test 990000017")
    with even_paused(), door.passage("send"):
        pass
    this_process.write()
    elsewhere = db.Actor("staff", rights={"administration": frozenset({south.id})})
    clerk = db.Actor("staff", rights={"billing": frozenset({south.id})})
    with db.transaction(elsewhere):
        assert {pause.door for pause in db.session.query(DoorPause)} == {"mail.test"}
        assert {test.door for test in db.session.query(board.DoorTest)} == {"mail.test"}
        assert "his.test 990000017" not in {line.door for line in db.session.query(DoorLine)}
    with db.transaction(clerk):
        assert {pause.door for pause in db.session.query(DoorPause)} == {"mail.test"}, "agents are told"
        assert not db.session.query(DoorLine).count()
    with db.transaction(db.ANONYMOUS):
        assert not db.session.query(DoorPause).count()
