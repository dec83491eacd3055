"""The twin as a server of the loopback: in a thread for tests, in its own process for the demonstration."""

import argparse
import signal
import threading
from collections.abc import Sequence
from types import TracebackType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from portal.gateways.payments.payfip_twin.control import CONTROL_PATH, add_control
from portal.gateways.payments.payfip_twin.faults import Faults
from portal.gateways.payments.payfip_twin.notifier import Notifier
from portal.gateways.payments.payfip_twin.till import Till
from portal.gateways.payments.payfip_twin.web import PAGE_PATH, SOAP_PATH, create_app


class _Silent(WSGIRequestHandler):
    """No access log: the query string holds the idop."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class RunningTwin:
    """A twin that listens. Leaving the context stops it and everything it had under way."""

    def __init__(self, port: int, till: Till | None = None, *, controlled: bool = False) -> None:
        self.till = till or Till()
        self.notifier = Notifier(self.till.faults, self.till.dice)
        self._stopped = threading.Event()
        app = create_app(self.till, self.notifier, self._stopped)
        if controlled:
            add_control(app, self.till, self.notifier)
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Silent)
        self._thread: threading.Thread | None = None

    @property
    def faults(self) -> Faults:
        return self.till.faults

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def endpoint_url(self) -> str:
        return self.base_url + SOAP_PATH

    @property
    def payment_url(self) -> str:
        return self.base_url + PAGE_PATH

    @property
    def control_url(self) -> str:
        """Answers 404 unless the twin is `controlled`."""
        return self.base_url + CONTROL_PATH

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
        self.notifier.stop()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None

    def __enter__(self) -> "RunningTwin":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_in_thread(port: int = 0, till: Till | None = None, *, controlled: bool = False) -> RunningTwin:
    """A twin listening on 127.0.0.1 (a free port unless told); `with start_in_thread() as twin: …` stops it."""
    return RunningTwin(port, till, controlled=controlled).start()


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m portal.gateways.payments.payfip_twin --port N`; prints its address once it listens."""
    parser = argparse.ArgumentParser(prog="payfip_twin", description="A PayFiP for demonstrations, on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; a free one by default")
    parser.add_argument("--control", action="store_true", help="obey /control/…: for campaigns of tests only")
    chosen = parser.parse_args(arguments)
    twin = RunningTwin(chosen.port, controlled=chosen.control)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"PayFiP twin on {twin.base_url}", flush=True)  # noqa: T201 - its parent reads this line
    twin.serve()
