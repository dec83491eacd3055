"""No request hides in another: where one ends is the same for our web process and for the proxies in front of it.

Each attack is sent straight to a web process, and through nginx and HAProxy with the settings that we ship, followed on
the same connection by an honest request. It is refused, or the portal sees one request with the body that it has; the
honest one is never part of it."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy import edges
from tests.deploy.edges import HOST, Edge

_PATIENCE_S = 0.3
"""With who waits for more of a body than there is: what counts is what was understood until then."""
HIDDEN = f"GET /hidden/WORD HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
LENGTH = len(HIDDEN)
"""WORD is replaced by another word of four letters."""
CHUNK = f"{LENGTH:x}\r\n{HIDDEN}\r\n"
END = "0\r\n\r\n"


HONEST = f"GET /next/WORD HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """said: what is sent. bodies: how many bytes the portal may take for its body, if it is served at all.
    is_mended: proxies may make one clear request of it; the web process itself refuses it."""

    said: str
    bodies: Sequence[int] = ()
    is_mended: bool = False


def post(*headers: str, body: str = "", line: str = "POST /one/WORD HTTP/1.1") -> str:
    return "\r\n".join([line, f"Host: {HOST}", *headers, "", body])


def unclear(*headers: str, body: str = "", line: str = "POST /one/WORD HTTP/1.1", mended: int | None = None) -> Attack:
    """Nobody may serve it, but for a proxy that makes a clear request of it, with a body of so many bytes."""
    return Attack(post(*headers, body=body, line=line), () if mended is None else (mended,), is_mended=True)


def pieces(body: str, mended: int | None = None) -> Attack:
    return unclear("Transfer-Encoding: chunked", body=body, mended=mended)


def served(*headers: str, body: str = "", line: str = "POST /one/WORD HTTP/1.1", length: int = 0) -> Attack:
    return Attack(post(*headers, body=body, line=line), (length,))


EMPTY = post("Content-Length: 0")
ATTACKS = {
    # -- two lengths ---------------------------------------------------------------------------------------------------
    "CL.TE": unclear(f"Content-Length: {LENGTH + 5}", "Transfer-Encoding: chunked", body=END + HIDDEN, mended=0),
    "TE.CL": unclear("Content-Length: 4", "Transfer-Encoding: chunked", body=CHUNK + END, mended=LENGTH),
    "TE before CL": unclear("Transfer-Encoding: chunked", "Content-Length: 4", body=CHUNK + END, mended=LENGTH),
    "two Content-Length": unclear("Content-Length: 0", f"Content-Length: {LENGTH}", body=HIDDEN),
    "a list of Content-Length": unclear(f"Content-Length: 0, {LENGTH}", body=HIDDEN),
    "twice the same": unclear(f"Content-Length: {LENGTH}", f"Content-Length: {LENGTH}", body=HIDDEN, mended=LENGTH),
    "+": unclear(f"Content-Length: +{LENGTH}", body=HIDDEN),
    "a minus": unclear("Content-Length: -1", body=HIDDEN),
    "a space inside": unclear("Content-Length: 0 1", body=HIDDEN),
    "hexadecimal": unclear(f"Content-Length: 0x{LENGTH:x}", body=HIDDEN),
    "an underscore inside": unclear("Content-Length: 1_0", body=HIDDEN),
    "other digits": unclear("Content-Length: \xb2", body=HIDDEN),
    "nothing": unclear("Content-Length: ", body=HIDDEN),
    "beyond all numbers": unclear("Content-Length: 18446744073709551617", body=HIDDEN),
    "underscores in its name": served(f"Content_Length: {LENGTH}", "Content-Length: 0"),
    # -- Transfer-Encoding, dressed up ---------------------------------------------------------------------------------
    "another encoding": unclear("Transfer-Encoding: xchunked", f"Content-Length: {LENGTH}", body=HIDDEN),
    "another encoding alone": unclear("Transfer-Encoding: xchunked", body=CHUNK + END),
    "chunked, not at the end": unclear("Transfer-Encoding: chunked, identity", body=CHUNK + END),
    "chunked twice": unclear("Transfer-Encoding: chunked, chunked", body=CHUNK + END),
    "two of them": unclear("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNK + END),
    "chunked, then another": unclear("Transfer-Encoding: chunked", "Transfer-Encoding: x", body=CHUNK + END),
    "another, then chunked": unclear("Transfer-Encoding: x", "Transfer-Encoding: chunked", body=CHUNK + END),
    "in quotes": unclear('Transfer-Encoding: "chunked"', body=CHUNK + END),
    "a space before the colon": unclear("Transfer-Encoding : chunked", "Content-Length: 4", body=CHUNK + END),
    "a tab before the colon": unclear("Transfer-Encoding\t: chunked", "Content-Length: 4", body=CHUNK + END),
    "a vertical tab": unclear("Transfer-Encoding:\x0bchunked", "Content-Length: 4", body=CHUNK + END),
    "a space before the name": unclear(" Transfer-Encoding: chunked", "Content-Length: 4", body=CHUNK + END),
    "on another line": unclear("X: y", " Transfer-Encoding: chunked", body=CHUNK + END, mended=0),
    "folded": unclear("Transfer-Encoding:", " chunked", body=CHUNK + END, mended=LENGTH),
    "after a bare line feed": unclear("X: y\nTransfer-Encoding: chunked", "Content-Length: 4", body=CHUNK + END,
                                      mended=LENGTH),
    "after a bare carriage return": unclear("X: y\rTransfer-Encoding: chunked", body=CHUNK + END),
    "after a zero byte": unclear("Transfer-Encoding: chunked\0", "Content-Length: 4", body=CHUNK + END),
    "underscores": served("Transfer_Encoding: chunked", "Content-Length: 0"),
    "capitals": served("tRANSFER-eNCODING: cHUNKED", body=CHUNK + END, length=LENGTH),
    "of HTTP/1.0": unclear("Transfer-Encoding: chunked", body=CHUNK + END, line="POST /one/WORD HTTP/1.0"),
    "of HTTP/1.0, kept alive": unclear("Transfer-Encoding: chunked", "Connection: keep-alive", "Content-Length: 4",
                                       body=CHUNK + END, line="POST /one/WORD HTTP/1.0"),
    # -- pieces --------------------------------------------------------------------------------------------------------
    "an extension": served("Transfer-Encoding: chunked", body=f"{LENGTH:x};a=b\r\n{HIDDEN}\r\n{END}", length=LENGTH),
    "an extension with a line feed": pieces(f"5;a\nAAAAA\r\n{CHUNK}{END}", LENGTH + 5),
    "an extension with a carriage return": pieces(f"5;a\rb\r\nAAAAA\r\n{END}", 5),
    "lines that end without a carriage return": pieces("5\nAAAAA\n0\n\n", 5),
    "a size that is negative": pieces(f"-5\r\nAAAAA\r\n{END}"),
    "a size with a plus": pieces(f"+5\r\nAAAAA\r\n{END}"),
    "a size with 0x": pieces(f"0x5\r\nAAAAA\r\n{END}"),
    "a size with an underscore": pieces(f"0_5\r\nAAAAA\r\n{END}"),
    "a size with a space before": pieces(f" 5\r\nAAAAA\r\n{END}"),
    "a size that is none": pieces(f"\r\n{HIDDEN}\r\n{END}"),
    "a size beyond all numbers": pieces(f"10000000000000005\r\nAAAAA\r\n{END}"),
    "a size of many zeros": served("Transfer-Encoding: chunked", body=f"{'0' * 60}5\r\nAAAAA\r\n{END}", length=5),
    "more than its size": pieces(f"5\r\nAAAAAAA\r\n{END}"),
    "less than its size": pieces(f"7\r\nAAAAA\r\n{END}"),
    "a length in the trailer": pieces(f"5\r\nAAAAA\r\n0\r\nContent-Length: {LENGTH}\r\n\r\n", 5),
    "a body in the trailer": pieces(f"5\r\nAAAAA\r\n0\r\n{HIDDEN}\r\n\r\n", 5),
    # -- the rest of a request -----------------------------------------------------------------------------------------
    "a body of GET": served(f"Content-Length: {LENGTH}", body=HIDDEN, line="GET /one/WORD HTTP/1.1", length=LENGTH),
    "a body of HEAD": served(f"Content-Length: {LENGTH}", body=HIDDEN, line="HEAD /one/WORD HTTP/1.1", length=LENGTH),
    "empty lines first": Attack(f"\r\n\r\n{EMPTY}", (0,), is_mended=True),
    "a line feed first": Attack(f"\n{EMPTY}", (0,), is_mended=True),
    "a bare carriage return first": Attack(f"\r{EMPTY}", (0,), is_mended=True),
    "bare line feeds": Attack(EMPTY.replace("\r\n", "\n"), (0,), is_mended=True),
    "two Host": unclear("Host: autre.exemple.test", "Content-Length: 0"),
    "a Host with a space": Attack(EMPTY.replace("Host:", "Host :"), is_mended=True),
    "another Host in the address": served("Content-Length: 0", line="POST http://autre.exemple.test/one/WORD HTTP/1.1"),
    "our Host in the address": Attack(
        EMPTY.replace("POST ", f"POST http://{HOST}").replace(f"Host: {HOST}", "Host: autre.exemple.test"), (0,)
    ),
    "a version of two digits": unclear("Content-Length: 0", line="POST /one/WORD HTTP/1.10", mended=0),
    "another version": unclear("Content-Length: 0", line="POST /one/WORD HTTP/3.1", mended=0),
    "no version": Attack("POST /one/WORD\r\n\r\n", is_mended=True),
    "spaces in the address": unclear("Content-Length: 0", line="POST /one/WORD HTTP/1.1 HTTP/1.1"),
    "tabs in the first line": unclear("Content-Length: 0", line="POST\t/one/WORD\tHTTP/1.1", mended=0),
    "a header without a name": unclear(": y", "Content-Length: 0"),
    "a header without a colon": unclear("Transfer-Encoding", "Content-Length: 0"),
    "Expect": served("Expect: 100-continue", f"Content-Length: {LENGTH}", body=HIDDEN, length=LENGTH),
    "Expect something else": unclear("Expect: a-miracle", f"Content-Length: {LENGTH}", body=HIDDEN, mended=LENGTH),
    "a length that Connection names": served("Connection: Content-Length", f"Content-Length: {LENGTH}", body=HIDDEN,
                                             length=LENGTH),
    "Upgrade": served("Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {LENGTH}", body=HIDDEN, length=LENGTH),
}  # fmt: skip


EVERYWHERE = ["capitals", "an extension", "a body of GET", "Expect", "underscores"]


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, Edge]]:
    """The web process, and what of nginx and HAProxy is here."""
    with ExitStack() as stack:
        web = stack.enter_context(edges.web_process())
        found = {"web": web}
        for name, started in (("nginx", edges.nginx), ("haproxy", edges.haproxy)):
            if shutil.which(name):
                sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="e"))
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edge")))
                found[name] = stack.enter_context(started(folder, sockets, web)).site
        yield found


@pytest.mark.parametrize("edge", ["web", "nginx", "haproxy"])
class TestARequest:
    @pytest.mark.parametrize("name", ATTACKS)
    def test_is_one_request_or_none(self, name: str, edge: str, places: dict[str, Edge]) -> None:
        if edge not in places:
            pytest.skip(f"{edge} is not here")
        attack, word = ATTACKS[name], f"{edge[0]}{list(ATTACKS).index(name):03}"
        places[edge].says((attack.said + HONEST).replace("WORD", word), _PATIENCE_S)
        heard = places["web"].body_of(f"/heard/{word}").splitlines()
        if heard:
            method, _host, *rest = heard[0].split(" ")
            assert attack.said.lstrip().startswith(method)
            assert rest in [[f"/one/{word}", str(each)] for each in attack.bodies]
        assert heard[1:] in ([], [f"GET {HOST} /next/{word} 0"])
        assert places[edge].body_of(f"/other/{word}") == f"GET {HOST} /other/{word} 0"

    @pytest.mark.parametrize("name", EVERYWHERE)
    def test_that_is_honest_is_served_with_the_one_after_it(
        self, name: str, edge: str, places: dict[str, Edge]
    ) -> None:
        if edge not in places:
            pytest.skip(f"{edge} is not here")
        word = f"{edge[0]}{900 + EVERYWHERE.index(name)}"
        places[edge].says((ATTACKS[name].said + HONEST).replace("WORD", word))
        heard = places["web"].body_of(f"/heard/{word}").splitlines()
        assert [each.split(" ")[2] for each in heard] == [f"/one/{word}", f"/next/{word}"]


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.is_mended])
def test_whatever_is_unclear_is_refused_by_the_web_process_itself(name: str, places: dict[str, Edge]) -> None:
    """Some proxies make one clear request of it; behind another one, nobody would have."""
    word = f"u{list(ATTACKS).index(name):03}"
    answers = places["web"].says((ATTACKS[name].said + HONEST).replace("WORD", word), _PATIENCE_S)
    assert places["web"].body_of(f"/heard/{word}") == ""
    assert answers == b"" or re.match(rb"HTTP/1.1 (400|417|501) ", answers)
