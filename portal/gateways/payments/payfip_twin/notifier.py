"""PayFiP tells the creditor that something happened: unsigned, without an amount, and not always."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import NAMESPACE_URL, uuid5

import httpx

from portal.gateways.payments.payfip_twin.dice import Dice
from portal.gateways.payments.payfip_twin.faults import Faults
from portal.gateways.payments.payfip_twin.orders import LOOPBACK
from portal.gateways.payments.payfip_twin.till import Operation

REPEATED = 12
_LATE_SECONDS = 0.5


@dataclass(frozen=True)
class _Message:
    """One notification to send: to whom, of what, and how."""

    url: str
    idop: str
    key: str = "idop"
    method: str = "POST"
    seconds: float = 0.0


class Notifier:
    """Sends notifications in the background, as the twin's `Faults` and its dice say."""

    def __init__(self, faults: Faults, dice: Dice) -> None:
        self._faults = faults
        self._dice = dice
        self._held: list[Operation] = []
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def tell(self, operation: Operation) -> None:
        """Notify of a decision, now, later, several times or never."""
        if self._faults.notification_held:
            self._held.append(operation)
            return
        self._start([self._message(operation)] * self._copies(operation))
        if self._falls("forged", operation):
            self.forge(operation.asked["urlnotif"], str(uuid5(NAMESPACE_URL, operation.asked["refdet"])))

    def forge(self, url: str, idop: str) -> None:
        """What anybody can send: a notification of an operation that is unknown, somebody else's, or not paid."""
        self._start([_Message(url, idop)])

    def release(self) -> None:
        """Send what was held."""
        held, self._held = self._held, []
        self._faults.notification_held = False
        for operation in held:
            self.tell(operation)

    def wait(self, timeout_seconds: float = 5.0) -> None:
        """Until every notification under way has been sent, or given up."""
        for thread in list(self._threads):
            thread.join(timeout_seconds)
        self._threads = [thread for thread in self._threads if thread.is_alive()]

    def stop(self) -> None:
        self._stopped.set()
        self.wait()

    def _copies(self, operation: Operation) -> int:
        if self._falls("lost", operation):
            return 0
        return REPEATED if self._falls("repeated", operation) else self._faults.notification_copies

    def _message(self, operation: Operation) -> _Message:
        faults = self._faults
        return _Message(
            operation.asked["urlnotif"],
            operation.idop,
            "idOp" if self._falls("other_case", operation) else faults.notification_key,
            "GET" if self._falls("by_get", operation) else faults.notification_method,
            _LATE_SECONDS if self._falls("late", operation) else faults.notification_seconds,
        )

    def _falls(self, what: str, operation: Operation) -> bool:
        return self._dice.falls(what, operation.asked["refdet"])

    def _start(self, messages: list[_Message]) -> None:
        started = [threading.Thread(target=self._send, args=(message,), daemon=True) for message in messages]
        self._threads += started
        for thread in started:
            thread.start()

    def _send(self, message: _Message) -> None:
        if message.seconds and self._stopped.wait(message.seconds):
            return
        if urlsplit(message.url).hostname not in LOOPBACK:
            return
        told = {message.key: message.idop}
        with suppress(httpx.HTTPError):  # whether the real one tries again is not public: it may not
            if message.method == "GET":
                httpx.get(with_query(message.url, told), timeout=5.0, trust_env=False)
            else:
                httpx.post(message.url, data=told, timeout=5.0, trust_env=False)


def with_query(url: str, added: dict[str, str]) -> str:
    """The URL with its query string kept and `added` after it."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *added.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
