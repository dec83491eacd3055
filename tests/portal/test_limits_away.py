"""Valkey or Redis, which counts how often visitors try, dies, says nothing or lies: pages stay up, limits hold.

Needs their client (`requirements/redis.lock`), which is optional as they are, and for some a server of theirs.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_limiter import Limiter
from pydantic import SecretStr

from portal.web import limits
from tests.drills.line import Line, Trouble
from tests.drills.place import free_port

pytest.importorskip("redis", reason="requirements/redis.lock is not installed")
SERVER = shutil.which("valkey-server") or shutil.which("redis-server")
Ask = Callable[[], int]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """To a server of theirs."""
    if not SERVER:
        pytest.skip("neither valkey-server nor redis-server is here")
    port = free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    child = subprocess.Popen([SERVER, *words], stdout=subprocess.DEVNULL)
    with closing(Line(("127.0.0.1", port))) as made:
        yield made
    child.kill()
    child.wait()


def visiting(port: int, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Open a page that lets three visits a minute through; its status."""
    monkeypatch.setattr(limits, "limiter", Limiter(limits.visitor, default_limits=[]))
    app, address = Flask(__name__), f"redis://127.0.0.1:{port}/0"
    app.config |= {
        "SETTINGS": SimpleNamespace(redis_url=SecretStr(address), env="production"), "RATELIMIT_STORAGE_URI": address,
    }  # fmt: skip
    limits.register(app)
    app.add_url_rule("/", view_func=limits.limiter.limit("3 per minute")(lambda: "here"))
    browser = app.test_client()
    return lambda: browser.get("/").status_code


def test_while_it_counts_limits_hold_for_all_processes_together(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    until_there(line)
    one, other = visiting(line.port, monkeypatch), visiting(line.port, monkeypatch)
    assert [one(), other(), one(), other(), one()] == [200, 200, 200, 429, 429]


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.SILENT, Trouble.ELSEWHERE], ids=str)
def test_while_it_is_away_each_process_counts_for_itself_and_comes_back_alone(
    line: Line, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_there(line)
    ask = visiting(line.port, monkeypatch)
    assert ask() == 200
    line.fail(trouble)
    began = time.monotonic()
    assert [ask() for _visit in range(5)] == [200, 200, 200, 429, 429]
    assert time.monotonic() - began < 10, "a page waited for it"
    line.heal()
    before, until = counted(line), time.monotonic() + 40
    while counted(line) == before and time.monotonic() < until:
        ask()
        time.sleep(0.1)
    assert counted(line) > before, "it is not asked again"


def counted(line: Line) -> int:
    """The visits that the server knows of."""
    import redis

    with closing(redis.Redis(port=line.port, socket_timeout=2)) as client:
        return sum(int(client.get(key) or 0) for key in client.keys("LIMITS*"))


def until_there(line: Line) -> None:
    """A server takes a moment to start."""
    import redis

    until = time.monotonic() + 20
    with closing(redis.Redis(port=line.port, socket_timeout=2)) as client:
        while time.monotonic() < until:
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.05)
    raise TimeoutError("the server does not start")
