"""What a door to a collector promises, asked of syslog against one that works and of a file."""

import json
import socket
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.gateways import OutcomeUnknown, Unavailable, UnsupportedUrl
from portal.gateways.mssante.twin.certificates import Authority
from portal.gateways.siem import Collector, Entry, connect, syslog
from portal.gateways.siem.syslog import SyslogCollector
from portal.gateways.siem.twin import SiemTwin

AT = datetime(2026, 11, 22, 10, 15, 0, 250_000, tzinfo=UTC)


def entries(count: int = 3, *, warning: bool = False) -> list[Entry]:
    return [Entry(AT, "document.opened", n, warning, json.dumps({"seq": n})) for n in range(1, count + 1)]


@pytest.fixture
def twin() -> Iterator[SiemTwin]:
    with SiemTwin() as made:
        yield made


@pytest.fixture(params=["syslog", "file"])
def collector(request: pytest.FixtureRequest, tmp_path: Path, twin: SiemTwin) -> Collector:
    return connect(twin.url if request.param == "syslog" else f"file:{tmp_path / 'audit.jsonl'}")


def test_it_answers_to_a_check_and_takes_everything(collector: Collector) -> None:
    collector.check()
    assert collector.send(entries()) == 3
    assert collector.send([]) == 0
    assert collector.name


def test_the_collector_has_all_of_it_in_order_once_the_call_is_back(twin: SiemTwin) -> None:
    connect(twin.url).send(entries(500))
    assert [json.loads(each[each.index("{") :])["seq"] for each in twin.messages] == list(range(1, 501))


def test_a_message_is_of_rfc_5424(twin: SiemTwin) -> None:
    connect(twin.url).send([*entries(1), *entries(1, warning=True)])
    notice, warning = twin.messages
    priority, moment, _host, app, _process, kind = notice.split(" ")[:6]
    assert (priority, moment, app, kind) == ("<109>1", "2026-11-22T10:15:00.250000Z", "parvis", "document.opened")
    assert notice.endswith('[meta sequenceId="1"] {"seq": 1}')
    assert warning.startswith("<108>1 ")


def test_sequence_ids_start_again_where_the_standard_says() -> None:
    door = SyslogCollector(("127.0.0.1", 1))
    assert b'sequenceId="1"' in door.frame(Entry(AT, "a.b", 2147483648, False, "{}"))
    assert b'sequenceId="2147483647"' in door.frame(Entry(AT, "a.b", 2147483647, False, "{}"))


def test_what_was_cut_may_have_been_taken(twin: SiemTwin) -> None:
    twin.faults.cut_after = 1
    with pytest.raises(OutcomeUnknown):
        connect(twin.url).send([Entry(AT, "a.b", n, False, json.dumps({"x": "y" * 4000})) for n in range(1, 400)])


def test_nobody_there_is_told_as_such(tmp_path: Path) -> None:
    for door in (connect("syslog+tcp://127.0.0.1:9", timeout_seconds=0.3), connect(f"file:{tmp_path}/no/where")):
        with pytest.raises(Unavailable):
            door.check()
        with pytest.raises(Unavailable):
            door.send(entries())


def test_a_server_without_tls_is_not_trusted(twin: SiemTwin) -> None:
    url = twin.url.replace("+tcp", "+tls")
    with pytest.raises(Unavailable):
        connect(url, timeout_seconds=0.5).check()


class TestUnderTls:
    @pytest.fixture
    def shown(self, tmp_path: Path) -> Iterator[tuple[SiemTwin, str]]:
        """A collector with a certificate, and the address that trusts who gave it."""
        authority = Authority()
        issued = authority.issue("Collecteur", hosts=("127.0.0.1",))
        paper, anchors = tmp_path / "paper.pem", tmp_path / "anchors.pem"
        paper.write_text(issued.key + issued.certificate)
        anchors.write_text(authority.anchors)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(paper)
        with SiemTwin(tls=context) as made:
            yield made, f"{made.url}?ca={anchors}"

    def test_all_of_it_arrives(self, shown: tuple[SiemTwin, str]) -> None:
        twin, url = shown
        connect(url).check()
        assert connect(url).send(entries(50)) == 50
        assert len(twin.messages) == 50

    @pytest.mark.parametrize("length", [10, 4000])
    def test_a_line_cut_in_the_middle_is_not_taken_for_an_end(self, shown: tuple[SiemTwin, str], length: int) -> None:
        twin, url = shown
        twin.faults.cut_after = 1
        with pytest.raises(OutcomeUnknown):
            connect(url).send([Entry(AT, "a.b", n, False, json.dumps({"x": "y" * length})) for n in range(1, 40)])


def test_the_file_is_not_for_everybody(tmp_path: Path) -> None:
    connect(f"file:{tmp_path / 'audit.jsonl'}").send(entries())
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) & 0o007 == 0
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) == 3


def test_a_line_of_the_file_that_was_cut_spoils_none_after_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"seq": 1}\n{"seq": 2, "acti')
    connect(f"file:{path}").send(entries())
    assert path.read_text().splitlines() == ['{"seq": 1}', '{"seq": 2, "acti', *(each.json for each in entries())]


def test_what_the_other_end_never_took_is_not_taken_for_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that swallows everything, or a collector that stands still, keeps the line open as well."""
    monkeypatch.setattr(syslog, "_PATIENCE_S", 0.2)
    with socket.socket() as still:
        still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
        still.bind(("127.0.0.1", 0))
        still.listen()
        door = connect(f"syslog+tcp://127.0.0.1:{still.getsockname()[1]}")
        with pytest.raises(OutcomeUnknown):
            door.send([Entry(AT, "a.b", n, False, json.dumps({"x": "y" * 4000})) for n in range(1, 15)])


def test_without_a_collector_nothing_leaves() -> None:
    door = connect("none:")
    door.check()
    assert (door.name, door.send(entries())) == ("", 0)


@pytest.mark.parametrize("url", ["", "syslog+udp://host", "syslog+tcp://", "syslog+tcp://host:x", "file:", "https://h"])
def test_another_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UnsupportedUrl) as refusal:
        connect(url)
    assert "host" not in str(refusal.value)
