"""page.home (nobody signed in) and page.appointments (a patient): requests per second and CPU per request, against a
bare Flask page of the same size under the same server."""

import http.client
import os
import secrets
import time
from pathlib import Path
from urllib.parse import urlsplit

from auth import sessions
from auth.models import WebSession
from portal import db
from tests.bench.harness import Ground, application, ground, interleaved, report, served
from tests.factories import demonstration, rooms

NAMES = ("page.home", "page.appointments")
_REQUESTS = 300
_AGENT = "Mozilla/5.0 (bench)"


def run() -> None:
    with ground() as place:
        token = _fill(place)
        with served("wsgi:app", place) as portal:
            _compare("page.home", place, portal, "/", {})
            cookie = f"{sessions.cookie_name(secure=False)}={token}"
            _compare("page.appointments", place, portal, "/rendez-vous", {"Cookie": cookie})


def _fill(place: Ground) -> str:
    """The demonstration's content, and one signed-in patient."""
    token = secrets.token_urlsafe(32)
    app = application(place.settings)
    with app.app_context(), db.transaction(db.system("bench")) as current:
        world = demonstration.build()
        rooms.demonstrate(world)
        account_id = demonstration.account_of(world.patients["dominique"])
        current.add(
            WebSession(
                digest=sessions.digest(token),
                account_id=account_id,
                provider="franceconnect",
                acr="eidas1",
                amr="mfa",
                expires_at=db.now() + sessions.LIMITS["patient"].absolute,
            )
        )
    return token


def _compare(name: str, place: Ground, portal: str, path: str, headers: dict[str, str]) -> None:
    cookies, size = _first(portal, path, headers)
    with served("tests.bench.bare:app", place, BARE_BYTES=str(size)) as bare:
        ours, limit = interleaved(lambda: _rate(portal, path, cookies), lambda: _rate(bare, "/", {}))
        our_cpu, bare_cpu = _cpu(portal, path, cookies), _cpu(bare, "/", {})
    report(
        name,
        ours,
        "requests/s",
        limit,
        note=f"{size} bytes; CPU {our_cpu * 1e3:.2f} ms a request against "
        f"{bare_cpu * 1e3:.2f} ms bare ({our_cpu / bare_cpu:.2f} times)",
    )


def _first(base: str, path: str, headers: dict[str, str]) -> tuple[dict[str, str], int]:
    """The page once, as a browser that then keeps its cookies (a visit is counted once)."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc)
    connection.request("GET", path, headers={"User-Agent": _AGENT, **headers})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}")
    given = [value.split(";")[0] for key, value in response.getheaders() if key.lower() == "set-cookie"]
    return {"User-Agent": _AGENT, "Cookie": "; ".join(filter(None, [headers.get("Cookie", ""), *given]))}, len(body)


def _rate(base: str, path: str, headers: dict[str, str]) -> float:
    connection = http.client.HTTPConnection(urlsplit(base).netloc)
    began = time.perf_counter()
    for _ in range(_REQUESTS):
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
    return _REQUESTS / (time.perf_counter() - began)


def _cpu(base: str, path: str, headers: dict[str, str]) -> float:
    """Seconds of CPU of the server's processes per request."""
    before = _used(base)
    _rate(base, path, headers)
    return (_used(base) - before) / _REQUESTS


def _used(base: str) -> float:
    port = str(urlsplit(base).port)
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"127.0.0.1:{port}" in (folder / "cmdline").read_text():
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")
