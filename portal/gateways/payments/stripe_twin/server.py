"""The twin as a server of the loopback: in a thread for tests, in its own process for the demonstration."""

import argparse
import os
import signal
import threading
from collections.abc import Sequence
from types import TracebackType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from portal.gateways.payments.stripe_twin.bank import Bank
from portal.gateways.payments.stripe_twin.control import add_control
from portal.gateways.payments.stripe_twin.faults import Faults
from portal.gateways.payments.stripe_twin.web import create_app
from portal.gateways.payments.stripe_twin.webhooks import Webhooks


class _Silent(WSGIRequestHandler):
    """No access log: the path holds the session, with which anyone may pay."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class RunningTwin:
    """A twin that listens. Leaving the context stops it and everything it had under way."""

    def __init__(self, port: int, bank: Bank | None = None, *, controlled: bool = False) -> None:
        self.bank = bank or Bank()
        self.webhooks = Webhooks(self.bank.faults)
        self.bank.tell = self.webhooks.tell
        self._stopped = threading.Event()
        app, self._api = create_app(self.bank, self._stopped)
        if controlled:
            add_control(app, self.bank, self.webhooks)
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Silent)
        self.bank.base_url = self.base_url
        self._thread: threading.Thread | None = None

    @property
    def faults(self) -> Faults:
        return self.bank.faults

    @property
    def base_url(self) -> str:
        """What the portal is given as Stripe's address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def clear(self) -> None:
        """Forget every object and every key, and be in good health."""
        self.bank.clear()
        self._api.keys.clear()

    def start(self) -> "RunningTwin":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Until interrupted (Ctrl-C, SIGTERM)."""
        self._server.serve_forever(0.2)
        self._stopped.set()

    def stop(self) -> None:
        """Safe to call twice."""
        self._stopped.set()
        self.webhooks.stop()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._thread = None

    def __enter__(self) -> "RunningTwin":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_in_thread(port: int = 0, bank: Bank | None = None, *, controlled: bool = False) -> RunningTwin:
    """A twin listening on 127.0.0.1 (a free port unless told); `with start_in_thread() as twin: …` stops it."""
    return RunningTwin(port, bank, controlled=controlled).start()


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m portal.gateways.payments.stripe_twin --port N`; prints its address once it listens.

    The secrets that sign its webhooks come from the environment (`STRIPE_TWIN_SECRETS`, comma list): a command line
    is read by everybody on a machine.
    """
    parser = argparse.ArgumentParser(prog="stripe_twin", description="A Stripe for demonstrations, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one by default")
    parser.add_argument("--webhook-url", default="", help="where to tell what happened; nowhere by default")
    parser.add_argument("--control", action="store_true", help="obey /control/…: for campaigns of tests only")
    chosen = parser.parse_args(arguments)
    twin = RunningTwin(chosen.port, controlled=chosen.control)
    twin.webhooks.url = chosen.webhook_url
    twin.webhooks.secrets = tuple(filter(None, os.environ.get("STRIPE_TWIN_SECRETS", "").split(",")))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"Stripe twin on {twin.base_url}", flush=True)  # noqa: T201 - its parent reads this line
    twin.serve()
