"""uploads.aborted: browsers that hang up half-way."""

import socket
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tests.drills import readers, world
from tests.drills.history import OK, History
from tests.drills.people import Crowd, picture
from tests.drills.place import Place, place
from tests.drills.report import Outcome
from tests.drills.world import Person

_BIG = (900, 600)
_HABITS = {"read": 8, "book": 4, "send": 3}
_PATIENCE_S = 300.0
_WARM_S = 60.0
"""Loading templates and filling caches is growth too, and ends."""
_MOST_GROWTH = 48 * 1024 * 1024


def aborted(seed: int, rounds: int) -> Outcome:
    """Uploads cut at each tenth leave nothing, neither in the storage nor in memory; pages go on."""
    draw, outcome, history = Random(seed), Outcome(), History()
    with place() as here:
        with here.app.app_context():
            crowd = world.fill(5, 6, 2)
        here.start()
        with Crowd(here, crowd, history, seed, _HABITS, patience_s=_PATIENCE_S):
            time.sleep(_WARM_S)
            begins = _memory(here)
            for turn in range(rounds):
                share = (turn % 10 + 1) / 10
                _hang_up(here, crowd.people[0], draw, share)
                outcome.broken[f"cut at {share:.0%}"] = outcome.broken.get(f"cut at {share:.0%}", 0) + 1
        time.sleep(2)
        outcome.check("reading pages stay up", _badly(history))
        incoming = Path(here.environment["PORTAL_STORAGE_URL"].removeprefix("file:")) / ".incoming"
        outcome.check("nothing half-written is left", [path.name for path in incoming.glob("*")])
        grown = _memory(here) - begins
        outcome.check("memory is bounded", f"+{grown / 2**20:.0f} MB" if grown > _MOST_GROWTH else "")
        readers.settle(here)
        outcome.read(here, history)
        outcome.figures["memory_growth_mb"] = round(grown / 2**20)
    return outcome


def _badly(history: History) -> list[str]:
    return [f"{each.facts['path']}: {each.status or 'no answer'}" for each in history.all("read") if each.outcome != OK]


def _memory(here: Place) -> int:
    """Of the web processes, in bytes."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in here.web.children()]
    return sum(pages) * 4096


def _hang_up(here: Place, person: Person, draw: Random, share: float) -> None:
    """Send that share of a big document, then close."""
    draft = person.drafts[0]
    boundary = "drill"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode()
    body = head + picture(draw, _BIG) + f"\r\n--{boundary}--\r\n".encode()
    path = f"/pre-admission/{draft.id}/pieces/{draft.pieces[0]}"
    with suppress(OSError), _connected(here) as line:
        line.sendall(_headers(here, person, path, len(body), boundary) + body[: int(len(body) * share) - 1])
        time.sleep(0.05)


def _connected(here: Place) -> socket.socket:
    address = urlsplit(here.url)
    return socket.create_connection((address.hostname or "", address.port or 0), 10)


def _headers(here: Place, person: Person, path: str, length: int, boundary: str) -> bytes:
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    host = urlsplit(here.url).netloc
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nContent-Length: {length}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n"
    ).encode()


DRILLS = {"uploads.aborted": (aborted, 100)}
