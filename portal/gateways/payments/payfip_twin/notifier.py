"""PayFiP tells the creditor that something happened: unsigned, without an amount, and not always."""

import threading
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from portal.gateways.payments.payfip_twin.faults import Faults
from portal.gateways.payments.payfip_twin.till import LOOPBACK, Operation


class Notifier:
    """Sends notifications in the background, as the twin's `Faults` say."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: list[Operation] = []
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def tell(self, operation: Operation) -> None:
        """Notify of a decision, now, later, several times or never."""
        if self._faults.notification_held:
            self._held.append(operation)
            return
        copies = range(self._faults.notification_copies)
        self._threads += [threading.Thread(target=self._send, args=(operation,), daemon=True) for _ in copies]
        for thread in self._threads[len(self._threads) - len(copies) :]:
            thread.start()

    def release(self) -> None:
        """Send what was held."""
        held, self._held = self._held, []
        self._faults.notification_held = False
        for operation in held:
            self.tell(operation)

    def wait(self, timeout_seconds: float = 5.0) -> None:
        """Until every notification under way has been sent, or given up."""
        for thread in self._threads:
            thread.join(timeout_seconds)

    def stop(self) -> None:
        self._stopped.set()
        self.wait()

    def _send(self, operation: Operation) -> None:
        if self._faults.notification_seconds and self._stopped.wait(self._faults.notification_seconds):
            return
        url, idop = operation.asked["urlnotif"], {self._faults.notification_key: operation.idop}
        if urlsplit(url).hostname not in LOOPBACK:
            return
        with suppress(httpx.HTTPError):  # whether the real one tries again is not public: it may not
            if self._faults.notification_method == "GET":
                httpx.get(with_query(url, idop), timeout=5.0, trust_env=False)
            else:
                httpx.post(url, data=idop, timeout=5.0, trust_env=False)


def with_query(url: str, added: dict[str, str]) -> str:
    """The URL with its query string kept and `added` after it."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *added.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
