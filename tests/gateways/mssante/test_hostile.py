"""Whatever an operator answers, the portal learns one of its facts, soon, and holds little in memory."""

import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.gateways import DoorError, Unavailable
from portal.gateways.mssante import Box, Place, Submission, connect, operators
from tests.gateways.mssante.conftest import OURS, SECRET, THEIRS, mail

# What parsers look for, in any order: tags are imaplib's guess to make, and so are ours.
_IMAP = st.sampled_from(
    [b"* OK ready", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN", b"* CAPABILITY {3}\r\nabc", b"+ ", b"* BYE", b"TAG OK done",
     b"TAG NO", b"TAG BAD what", b"* 3 EXISTS", b"* OK [UIDVALIDITY 1] x", b"* OK [", b"* OK [UIDNEXT 9999999999999] x",
     b"* SEARCH 1 2 x", b"* 1 FETCH (UID 1 RFC822.SIZE 5)", b"", b"* 1 FETCH (UID 1 BODY[] {5}\r\nabcde)", b"* SEARCH",
     b"* 1 FETCH (UID 1 BODY[] {99999999999}", b"* 1 FETCH {-1}", b"* OK [UIDVALIDITY -1] x", b"* OK [UIDVALIDITY] x",
     b"* ", b"\xff\xfe"]
)  # fmt: skip
_SMTP = st.sampled_from(
    [b"220 hi", b"250 ok", b"250-SIZE 99999999999999999999999", b"250-AUTH PLAIN LOGIN", b"250 AUTH PLAIN", b"334 \xff",
     b"334 x", b"235 in", b"354 go", b"550 no", b"421 bye", b"999 what", b"25", b"250", b"", b"250 STARTTLS", b"-1 x",
     b"\xff\xfe", b"250-"]
)  # fmt: skip


@contextmanager
def answering(pieces: list[bytes], *, listens: bool = True) -> Iterator[int]:
    """A server that says these lines, waiting to be told something where a client would speak, then hangs up.

    TAG is the tag that it was told.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer, args=(server, pieces, listens), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _answer(server: socket.socket, pieces: list[bytes], listens: bool) -> None:
    with suppress(OSError):
        line, _address = server.accept()
        with line:
            line.settimeout(0.2)
            told = b""
            for piece in pieces:
                line.sendall(piece.replace(b"TAG", told.partition(b" ")[0]) + b"\r\n")
                if listens:
                    told = line.recv(65536)


def submit(port: int) -> None:
    url = f"smtp+imap://127.0.0.1:{port}?imap=127.0.0.1:1&auth=password"
    operator = connect(url, production=False, timeout_seconds=1)
    operator.submit(Box(OURS, SECRET), Submission([THEIRS], mail()))


def read(port: int) -> None:
    url = f"smtp+imap://127.0.0.1:1?imap=127.0.0.1:{port}&auth=password"
    operator = connect(url, production=False, timeout_seconds=1, most_bytes=1000)
    with operator.read(Box(OURS, SECRET), Place()) as reading:
        for found in reading.waiting(10):
            reading.mark([found.uid])


def _learns_a_fact(use: Callable[[int], None], pieces: list[bytes]) -> None:
    operators._doors.clear()
    with answering(pieces) as port, suppress(DoorError):
        use(port)


_IMAP_AS_USUAL = [
    b"* OK ready", b"* CAPABILITY IMAP4rev1\r\nTAG OK x", b"TAG OK in",
    b"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 4] x\r\nTAG OK x", b"* SEARCH 1 2\r\nTAG OK x",
    b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\nTAG OK x", b"* 1 FETCH (UID 1 BODY[] {5}\r\nabcde)\r\nTAG OK x",
    b"TAG OK marked",
]  # fmt: skip
_SMTP_AS_USUAL = [b"220 hi", b"250-hi\r\n250 AUTH PLAIN", b"235 in", b"250 ok", b"250 ok", b"354 go", b"250 taken"]
_usual = st.integers(0, 7)


@settings(max_examples=80, deadline=None)
@given(_usual, st.lists(st.tuples(_IMAP, st.sampled_from([b"", b"\r\nTAG OK x"])), max_size=6))
@example(4, [(b"* SEARCH 1 2 x", b"\r\nTAG OK x")])
@example(4, [(b"* SEARCH " + b"1" * 5000, b"\r\nTAG OK x")])
@example(5, [(b"* 1 FETCH (UID " + b"1" * 5000 + b" RFC822.SIZE 5)", b"\r\nTAG OK x")])
def test_whatever_imap_answers(usual: int, pieces: list[tuple[bytes, bytes]]) -> None:
    _learns_a_fact(read, [*_IMAP_AS_USUAL[:usual], *(piece + end for piece, end in pieces)])


@settings(max_examples=80, deadline=None)
@given(_usual, st.lists(_SMTP, max_size=6))
def test_whatever_smtp_answers(usual: int, pieces: list[bytes]) -> None:
    _learns_a_fact(submit, [*_SMTP_AS_USUAL[:usual], *pieces])


def test_what_is_usual_is_understood() -> None:
    """Or the two tests above would look at nothing."""
    with answering(_SMTP_AS_USUAL) as port:
        submit(port)
    with answering([*_IMAP_AS_USUAL, b"TAG OK x", b"* SEARCH 2\r\nTAG OK x"]) as port, pytest.raises(Unavailable):
        read(port)  # up to the second mail, which is there and which it does not give


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_noise(noise: bytes) -> None:
    _learns_a_fact(read, [noise])
    _learns_a_fact(submit, [noise])


@pytest.mark.parametrize(
    ("use", "line"), [(submit, b"250-" + b"x" * 500), (read, b"* " + b"x" * 500)], ids=["smtp", "imap"]
)
def test_an_answer_without_an_end_fills_no_memory(use: Callable[[int], None], line: bytes) -> None:
    lines = b"\r\n".join([line] * 1000)
    with answering([b"220 hi" if use is submit else b"* OK hi", *[lines] * 100], listens=False) as port:
        tracemalloc.start()
        with pytest.raises(Unavailable):
            use(port)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 16 * 2**20
