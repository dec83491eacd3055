"""What a door to a hospital system promises, asked of MLLP against a system that works and of a folder."""

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from portal.gateways import OutcomeUnknown, Refused, Unavailable, UnsupportedUrl
from portal.gateways.his import HospitalSystem, NotAccepted, connect
from portal.gateways.his.framing import Blocks, framed
from portal.gateways.his.listener import MllpListener
from portal.gateways.his.twin import HisTrouble, HisTwin
from tests.gateways.drip import dripping


def message(control_id: str = "42", trigger: str = "S12") -> bytes:
    return (
        f"MSH|^~\\&|PARVIS|990000017|HIS|CHU|20261122101500||SIU^{trigger}^SIU_S12|{control_id}|P|2.5\r"
        "SCH|P1^PARVIS||||||||||^^^20261201090000\rAIP|1||10000000009\r"
    ).encode()


@pytest.fixture
def twin() -> Iterator[HisTwin]:
    with HisTwin() as made:
        yield made


@pytest.fixture(params=["mllp", "folder"])
def system(request: pytest.FixtureRequest, tmp_path: Path, twin: HisTwin) -> HospitalSystem:
    return connect(twin.url if request.param == "mllp" else f"folder:{tmp_path}")


def impatient(twin: HisTwin) -> HospitalSystem:
    return connect(twin.url, timeout_seconds=0.3)


def test_it_answers_to_a_check_and_takes_a_message(system: HospitalSystem) -> None:
    system.check()
    assert system.send(message(), "42").accepted
    assert system.send(message(), "42").accepted, "the same again is no trouble"


def test_a_message_counts_once_however_often_it_is_sent(twin: HisTwin) -> None:
    door = connect(twin.url)
    for _time in range(3):
        door.send(message(), "42")
    assert len(twin.agenda.received) == 1


@pytest.mark.parametrize(("trouble", "code"), [(HisTrouble.REFUSES, "AE"), (HisTrouble.REJECTS, "AR")])
def test_a_refusal_is_told_with_the_systems_own_words_kept_out_of_logs(
    twin: HisTwin, trouble: HisTrouble, code: str
) -> None:
    twin.faults.trouble = trouble
    with pytest.raises(NotAccepted) as refused:
        connect(twin.url).send(message(), "42")
    assert (refused.value.code, refused.value.meaning, refused.value.told) == (code, "204", "Praticien inconnu")
    assert "Praticien" not in str(refused.value)
    assert isinstance(refused.value, Refused)


@pytest.mark.parametrize("trouble", [HisTrouble.SILENT, HisTrouble.FORGETS, HisTrouble.GARBAGE, HisTrouble.DEAF])
def test_without_an_answer_nobody_knows(twin: HisTwin, trouble: HisTrouble) -> None:
    twin.faults.trouble = trouble
    with pytest.raises(OutcomeUnknown):
        impatient(twin).send(message(), "42")


def test_a_late_answer_is_not_taken_for_that_of_the_next_message(twin: HisTwin) -> None:
    twin.faults.trouble, twin.faults.once, twin.faults.late_seconds = HisTrouble.LATE, True, 0.4
    door = impatient(twin)
    with pytest.raises(OutcomeUnknown):
        door.send(message("1"), "1")
    assert door.send(message("2", "S13"), "2").control_id == "2"


@pytest.mark.parametrize("trouble", [HisTrouble.ANOTHER, HisTrouble.TWICE])
def test_answers_to_others_and_repeated_ones_are_passed_over(twin: HisTwin, trouble: HisTrouble) -> None:
    twin.faults.trouble = trouble
    assert connect(twin.url).send(message(), "42").accepted


def test_a_system_that_is_away_took_nothing(twin: HisTwin) -> None:
    url = twin.url
    twin.go_away()
    door = connect(url)
    for call in (door.check, lambda: door.send(message(), "42")):
        with pytest.raises(Unavailable):
            call()


def test_no_system_takes_nothing_and_is_no_trouble() -> None:
    door = connect("none:")
    door.check()
    assert list(door.dropped()) == []
    with pytest.raises(Unavailable):
        door.send(message(), "42")


@pytest.mark.parametrize(
    "url",
    ["mllp://", "mllp://host", "mllp://:1", "mllp://host:0", "mllp://host:99999", "mllp://host:x", "mllp://u:p@h:1",
     "mllp://host:1/path", "folder:relative", "fhir+https://his/fhir", "http://his", "tcp://h:1", "twin:"],
)  # fmt: skip
def test_what_cannot_be_opened_is_told_at_configuration_without_the_address(url: str) -> None:
    with pytest.raises(UnsupportedUrl) as refused:
        connect(url)
    assert "u:p@" not in str(refused.value)


# -- the folder ------------------------------------------------------------------------------------------------------


def test_a_folder_holds_whole_messages_only(tmp_path: Path) -> None:
    connect(f"folder:{tmp_path}").send(message(), "42")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["42.hl7"]
    assert (tmp_path / "out" / "42.hl7").read_bytes() == message()


@pytest.mark.parametrize("name", ["../../etc/x", "a/b", "", ".hidden", "x" * 61])
def test_a_control_id_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused):
        connect(f"folder:{tmp_path}").send(message(), name)
    assert not (tmp_path / "out").exists()


def test_what_is_dropped_is_read_in_order_and_put_away_with_its_answer(tmp_path: Path) -> None:
    door, place = connect(f"folder:{tmp_path}"), tmp_path / "in"
    assert list(door.dropped()) == []
    for name in ("2.hl7", "1.hl7", ".3.hl7.part"):
        (place / name).write_bytes(name.encode())
    (place / "link.hl7").symlink_to("/etc/hostname")
    assert [each.name for each in door.dropped()] == ["1.hl7", "2.hl7"]
    door.settle("1.hl7", b"AA", accepted=True)
    door.settle("2.hl7", b"AE", accepted=False)
    door.settle("2.hl7", b"AE", accepted=False)
    assert list(door.dropped()) == []
    assert (tmp_path / "done" / "1.hl7.ack").read_bytes() == b"AA"
    assert (tmp_path / "refused" / "2.hl7").read_bytes() == b"2.hl7"


def test_a_folder_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        connect(f"folder:{tmp_path / 'file'}").check()


# -- the listener ----------------------------------------------------------------------------------------------------


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def listener(heard: list[bytes]) -> Iterator[MllpListener]:
    def receive(body: bytes) -> bytes:
        heard.append(body)
        return b"answer to " + body

    with MllpListener(("127.0.0.1", 0), receive, idle_seconds=0.5) as made:
        yield made


def called(listener: MllpListener) -> socket.socket:
    return socket.create_connection(("127.0.0.1", listener.port), timeout=5)


def test_messages_of_one_line_are_answered_one_by_one_however_they_are_cut(listener: MllpListener) -> None:
    with called(listener) as line:
        sent = framed(b"one") + b"\n" + framed(b"two")
        for start in range(0, len(sent), 3):
            line.sendall(sent[start : start + 3])
        blocks = Blocks(line)
        assert [blocks.next(), blocks.next()] == [b"answer to one", b"answer to two"]


@pytest.mark.parametrize("sent", [b"no block at all", b"\x0bhalf", b"no beginning\x1c\r", b"\x0b" + b"x" * 2_000_000])
def test_what_is_no_block_is_hung_up_on_and_others_go_on(
    listener: MllpListener, heard: list[bytes], sent: bytes
) -> None:
    with called(listener) as line:
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1) == b""
        except OSError:
            pass  # hung up on before everything was sent
    assert heard == []
    with called(listener) as line:
        line.sendall(framed(b"one"))
        assert Blocks(line).next() == b"answer to one"


def test_a_silent_line_is_hung_up_on(listener: MllpListener) -> None:
    with called(listener) as line:
        assert line.recv(1) == b""


def test_callers_from_elsewhere_are_not_heard() -> None:
    answered = threading.Event()

    def receive(_body: bytes) -> bytes:
        answered.set()
        return b""

    with MllpListener(("127.0.0.1", 0), receive, (ip_network("192.0.2.0/24"),)) as elsewhere, called(elsewhere) as line:
        line.settimeout(5)
        try:
            line.sendall(framed(b"one"))
            assert line.recv(1) == b""
        except ConnectionError:
            pass
    assert not answered.is_set()


def test_an_answer_that_drips_is_not_waited_for() -> None:
    """One byte now and then keeps a read time-out quiet for ever: the limit is on the whole call."""
    with dripping(b"\x0b") as port, pytest.raises(OutcomeUnknown):
        connect(f"mllp://127.0.0.1:{port}", timeout_seconds=0.3).send(message(), "42")
