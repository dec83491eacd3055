"""What a scanner promises: asked of the twin, and of clamd's protocol against a server that speaks it."""

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways import Refused, Unavailable, UnsupportedUrl
from portal.gateways.antivirus import Scanner, connect
from portal.gateways.antivirus.clamd import ClamdScanner
from portal.gateways.antivirus.clamd_twin import ClamdTrouble, ClamdTwin
from portal.gateways.antivirus.twin import EICAR, SIGNATURE, ScannerTwin, holds_eicar


@pytest.fixture(params=["twin", "clamd"])
def scanner(request: pytest.FixtureRequest) -> Iterator[Scanner]:
    if request.param == "twin":
        yield connect("twin:")
        return
    with ClamdTwin() as server:
        yield connect(server.url)


@pytest.fixture
def server() -> Iterator[ClamdTwin]:
    with ClamdTwin() as server:
        yield server


def impatient(server: ClamdTwin) -> ClamdScanner:
    return ClamdScanner(("127.0.0.1", server.server_address[1]), timeout_seconds=0.2)


def test_it_answers_to_a_check(scanner: Scanner) -> None:
    scanner.check()


@pytest.mark.parametrize("chunks", [[], [b""], [b"a letter"], [b"a", b"", b"b"], [b"x" * 1_000_000]])
def test_an_ordinary_file_is_clean(scanner: Scanner, chunks: list[bytes]) -> None:
    verdict = scanner.scan(chunks)
    assert (verdict.clean, verdict.infected, verdict.signature, verdict.scanned) == (True, False, "", True)


@pytest.mark.parametrize(
    "chunks",
    [[EICAR], [EICAR[:30], EICAR[30:]], [EICAR[:1], b"", EICAR[1:]], [b"%PDF-1.7 ", EICAR, b" %%EOF"]],
)
def test_the_test_file_is_found_however_it_is_cut(scanner: Scanner, chunks: list[bytes]) -> None:
    verdict = scanner.scan(iter(chunks))
    assert (verdict.infected, verdict.signature) == (True, SIGNATURE)


def test_a_file_that_cannot_be_read_has_no_verdict(scanner: Scanner) -> None:
    def broken() -> Iterable[bytes]:
        yield b"beginning"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        scanner.scan(broken())
    assert scanner.scan([b"next"]).clean


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(1, 300))
def test_the_test_string_is_seen_at_any_place_and_size_of_chunk(before: bytes, after: bytes, size: int) -> None:
    content = before + EICAR + after
    assert holds_eicar(content[start : start + size] for start in range(0, len(content), size))


def test_the_twins_source_is_not_itself_a_test_file() -> None:
    sources = Path(__file__).parents[2].glob("portal/gateways/antivirus/*.py")
    assert not any(EICAR in source.read_bytes() for source in sources)


@pytest.mark.parametrize("trouble", list(ClamdTrouble))
def test_without_a_verdict_a_file_is_never_clean(server: ClamdTwin, trouble: ClamdTrouble) -> None:
    server.faults.trouble = trouble
    with pytest.raises(Unavailable):
        impatient(server).scan([b"a letter"])
    with pytest.raises(Unavailable):
        impatient(server).check()


def test_a_file_over_the_scanners_own_limit_is_refused(server: ClamdTwin) -> None:
    server.faults.max_stream_bytes = 100_000
    with pytest.raises(Refused) as refused:
        connect(server.url).scan([b"x" * 40_000] * 50)
    assert refused.value.code == "size"


def test_a_scanner_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free = listening.getsockname()[1]
    for url in (f"clamd://127.0.0.1:{free}", f"clamd://{tmp_path}/clamd.sock"):
        with pytest.raises(Unavailable):
            connect(url).scan([b"x"])


def test_a_local_socket_is_reached_as_well(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        scanner = connect(f"clamd://{path}")
        with pytest.raises(Unavailable):
            # It listens and never answers: reaching it is what is asked here.
            ClamdScanner(path, timeout_seconds=0.1).check()
        assert isinstance(scanner, ClamdScanner)
        assert listening.accept()[0].close() is None


def test_no_scanner_says_that_nobody_looked() -> None:
    scanner = connect("none:")
    scanner.check()
    verdict = scanner.scan([EICAR])
    assert (verdict.clean, verdict.scanned) == (True, False)


def test_the_twin_can_be_down() -> None:
    twin = ScannerTwin()
    twin.faults.down = True
    with pytest.raises(Unavailable):
        twin.scan([b"x"])
    with pytest.raises(Unavailable):
        twin.check()


@pytest.mark.parametrize("url", ["", "icap://x", "clamd:", "clamd://", "clamd://host:port"])
def test_a_url_nobody_can_open_is_told_at_once(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        connect(url)
