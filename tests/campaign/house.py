"""The processes of a campaign: two portals, workers whose clocks are the poller, PayFiP. Any may be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
_READY_S = 240.0
TWIN = "portal.gateways.payments.payfip_twin"


class Process:
    """A process that can be killed as a failing machine kills it, and started again."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *arguments]
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL, children included: nothing is finished, nothing is said."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def _end(self, how: signal.Signals) -> None:
        if self._child is None or self._child.poll() is not None:
            return
        os.killpg(self._child.pid, how)
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


@dataclass(frozen=True)
class Bank:
    """The payment site, in a process of its own, as its control endpoint shows it."""

    base_url: str

    @property
    def endpoint_url(self) -> str:
        return f"{self.base_url}/tpa/services/securite"

    @property
    def payment_url(self) -> str:
        return f"{self.base_url}/tpa/paiementws.web"

    def order(self, name: str, **words: Any) -> None:
        """Raises httpx.HTTPStatusError for what it refuses."""
        httpx.post(f"{self.base_url}/control/{name}", json=words, trust_env=False, timeout=60).raise_for_status()

    def truth(self) -> dict[str, Any]:
        """`operations` (each with `paid_cents`) and `asked_about` (idop → questions)."""
        told: dict[str, Any] = httpx.get(f"{self.base_url}/control/truth", trust_env=False, timeout=60).json()
        return told


@dataclass(frozen=True)
class House:
    """Everything that runs. `portals`: base URLs of the web processes, in the order of `webs`."""

    bank: Bank
    portals: list[str]
    webs: list[Process]
    workers: list[Process]

    def wait_for(self, portal: str) -> None:
        """Until this web process answers. Raises RuntimeError with its log."""
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{portal}/status/live", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError("\n".join(web.log()[-2000:] for web in self.webs))


@contextmanager
def bank(folder: Path) -> Iterator[Bank]:
    """The payment site alone: the portals' settings name it."""
    port = _free_port()
    twin = Process("payfip", folder, os.environ, TWIN, "--port", str(port), "--control")
    twin.start()
    found = Bank(f"http://127.0.0.1:{port}")
    try:
        _answering(f"{found.base_url}/control/truth")
        yield found
    finally:
        twin.stop()


@contextmanager
def house(
    folder: Path, environment: Mapping[str, str], paid_at: Bank, *, webs: int = 2, workers: int = 2
) -> Iterator[House]:
    """Web processes, each at an address of its own, and workers; all of them stopped at the end."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    shared = {
        **plain,
        **environment,
        "PORTAL_ENV": "test",  # no limits on how often one address may try: all payers live here
        "PORTAL_WEB_PROCESSES": "1",
        "PORTAL_TRUSTED_PROXIES": "1",
        "PORTAL_PAYFIP_ENDPOINT_URL": paid_at.endpoint_url,
        "PORTAL_PAYFIP_PAYMENT_URL": paid_at.payment_url,
    }
    portals = [f"http://127.0.0.1:{_free_port()}" for _ in range(webs)]
    with ExitStack() as parts:
        serving = [
            Process(f"web{n}", folder, {**shared, "PORTAL_BASE_URL": url}, "portal", "web", "--bind", url[7:])
            for n, url in enumerate(portals)
        ]
        working = [
            Process(f"worker{n}", folder, {**shared, "PORTAL_BASE_URL": portals[0]}, "portal", "work")
            for n in range(workers)
        ]
        for process in (*serving, *working):
            parts.callback(process.stop)
            process.start()
        found = House(paid_at, portals, serving, working)
        for portal in portals:
            found.wait_for(portal)
        yield found


def _answering(url: str) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False, timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
