"""The line to Stripe: its own library writes the requests and reads the answers, our doors carry them.

Three ways to fail are told apart, as for PayFiP: `Refused` (nothing was done), `Unavailable` (nothing was sent, or a
read that can be made again), and for writes `OutcomeUnknown`. Nothing is retried here: whoever asked holds the key
that makes a second call the same call, and decides.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe

from portal.gateways import OutcomeUnknown, Refused, Unavailable, UnsupportedUrl
from portal.gateways.door import Deadline, Door
from portal.gateways.payments.contract import Exchange, KeepExchange
from portal.gateways.payments.means import Counter
from portal.gateways.payments.stripe_evidence import masked_answer, masked_request
from portal.gateways.payments.stripe_fields import Unreadable

API_VERSION = "2026-10-28.endive"
"""The one this code was written for; the webhook endpoint at Stripe must be set to the same."""

API_BASE = "https://api.stripe.com"
_CHECKOUT = "https://checkout.stripe.com"
MAX_ANSWER_BYTES = 1024 * 1024

Lost = type[Unavailable] | type[OutcomeUnknown]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Nothing has left the house when one of these is raised.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
_SENT_ON = {"authorization", "idempotency-key", "stripe-version", "content-type"}
_TOO_MANY, _CONFLICT = 429, 409
_CODE = re.compile(r"[a-z0-9_]{1,60}")
_SAID_NO = {400: "invalid", 401: "api_key", 402: "card", 403: "permission", 404: "resource_missing"}

MEANINGS = {
    "api_key": "Stripe does not know this key",
    "api_key_expired": "this key was replaced by another",
    "amount_too_small": "the amount is under what Stripe takes",
    "amount_too_large": "the amount is over what Stripe takes",
    "charge_already_refunded": "the whole payment was given back already",
    "charge_disputed": "the payer's bank disputes this payment",
    "email_invalid": "the payer's e-mail address is wrong",
    "permission": "this key may not do that",
    "resource_missing": "the account behind this key does not hold it",
}
UNLISTED = "a refusal that is not in our table: see Stripe's list of error codes"

# The library tells of every refusal in its log, in words that may quote a mail address; and its telemetry writes
# a file into the home folder.
logging.getLogger("stripe").setLevel(logging.CRITICAL)
stripe.enable_telemetry = False


class StripeLine:
    """Calls to one address of Stripe's API, one `Door` per account; safe to share between threads.

    site: the origin of the pages where payers go.
    """

    def __init__(
        self,
        api_base: str = API_BASE,
        *,
        timeout_seconds: float = 8.0,
        door_for: Callable[[str], Door] | None = None,
    ) -> None:
        parts = urlsplit(api_base)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise UnsupportedUrl("Stripe is reached by https; http only on 127.0.0.1, for its twin")
        self._api_base = api_base.rstrip("/")
        self.site = _CHECKOUT if self._api_base == API_BASE else f"{parts.scheme}://{parts.netloc}"
        self._door_for = door_for or (
            lambda account: Door(f"payments.stripe.{account}", timeout_seconds=timeout_seconds)
        )
        self._doors: dict[str, Door] = {}
        self._lock = threading.Lock()
        # A kept connection may die just as the next request is written, which would read as "outcome unknown":
        # calls are rare, so each opens its own. Proxies of the environment never stand before the loopback.
        self._http = httpx.Client(
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=parts.hostname not in _LOOPBACK,
        )

    @contextmanager
    def asking(
        self, counter: Counter, operation: str, lost: Lost, keep: KeepExchange | None
    ) -> Iterator[stripe.StripeClient]:
        """Stripe's client for one passage through the account's door; its errors come out as facts.

        lost: what an ending that nobody understands means, `Unavailable` for reads, `OutcomeUnknown` for writes.
        """
        if not counter.secret:
            raise Refused("no_key", "this account has no key")
        with self.door(counter.account).passage(operation) as deadline:
            carrier = _Carrier(self._http, self._api_base, operation, deadline, lost, keep)
            client = stripe.StripeClient(
                counter.secret,
                stripe_version=API_VERSION,
                base_addresses={"api": self._api_base},
                max_network_retries=0,
                http_client=carrier,
            )
            try:
                yield client
            except stripe.StripeError as error:
                raise _fact(error, lost) from None
            except Unreadable:
                raise lost("Stripe's answer is not readable") from None

    def door(self, account: str) -> Door:
        with self._lock:
            if account not in self._doors:
                self._doors[account] = self._door_for(account)
            return self._doors[account]

    def close(self) -> None:
        self._http.close()


class _Carrier(stripe.HTTPClient):
    """Carries what Stripe's library wrote, within the door's time, and keeps each exchange as evidence."""

    name = "parvis"

    def __init__(
        self,
        http: httpx.Client,
        base: str,
        operation: str,
        deadline: Deadline,
        lost: Lost,
        keep: KeepExchange | None,
    ) -> None:
        super().__init__()
        self._http = http
        self._base = base
        self._operation = operation
        self._deadline = deadline
        self._lost = lost
        self._keep = keep

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One exchange: (text, status, headers). Raises `Unavailable`, or what a lost answer means."""
        form, answer, started = str(post_data or ""), _Answer(), time.monotonic()
        try:
            got = self._exchange(method, url, form, headers or {}, answer)
            answer.ending = _ending(answer.status, self._lost)
            return answer.body.decode("utf-8", errors="replace"), answer.status or 0, got
        except (Unavailable, OutcomeUnknown) as error:
            answer.ending = type(error).__name__
            raise
        finally:
            if self._keep is not None:
                self._keep(
                    Exchange(
                        operation=self._operation,
                        request=masked_request(method, url.removeprefix(self._base), form),
                        answer=masked_answer(bytes(answer.body)) if answer.body else "",
                        status=answer.status,
                        duration_ms=round(1000 * (time.monotonic() - started)),
                        ending=answer.ending,
                    )
                )

    def _exchange(
        self, method: str, url: str, form: str, headers: Mapping[str, str], answer: "_Answer"
    ) -> Mapping[str, str]:
        sent = {name: value for name, value in headers.items() if name.lower() in _SENT_ON}
        # identity: a compressed answer could unfold far beyond the cap in one piece.
        sent |= {"Accept-Encoding": "identity", "User-Agent": "Parvis"}
        try:
            timeout = httpx.Timeout(self._deadline.remaining())
            body = form.encode() or None
            with self._http.stream(method, url, content=body, headers=sent, timeout=timeout) as response:
                answer.status = response.status_code
                self._read(response, answer)
                return dict(response.headers)
        except _NOT_SENT:
            raise Unavailable("Stripe cannot be reached") from None
        except (httpx.HTTPError, TimeoutError):
            raise self._lost("Stripe did not answer in time, or was cut") from None

    def _read(self, response: httpx.Response, answer: "_Answer") -> None:
        for piece in response.iter_raw():
            answer.body += piece[: MAX_ANSWER_BYTES + 1 - len(answer.body)]
            if len(answer.body) > MAX_ANSWER_BYTES:
                raise self._lost("Stripe's answer is far too long")
            self._deadline.remaining()


@dataclass(slots=True)
class _Answer:
    """What came back so far; kept even when the exchange then fails."""

    status: int | None = None
    body: bytearray = field(default_factory=bytearray)
    ending: str = "interrupted"


def _ending(status: int | None, lost: Lost) -> str:
    if status is not None and status < 300:
        return "done"
    return Refused.__name__ if status in _SAID_NO else lost.__name__


def _fact(error: stripe.StripeError, lost: Lost) -> Exception:
    """What an error of Stripe's means (docs.stripe.com/api/errors). Its words stay in the evidence: they quote fields.

    A key used before with other words (400 `idempotency_error`), or in use at this moment (409), hides a call whose
    ending we do not know.
    """
    status = error.http_status
    if isinstance(error, stripe.RateLimitError) or status == _TOO_MANY:
        return Unavailable("Stripe asks for patience")
    if isinstance(error, stripe.IdempotencyError) or status == _CONFLICT or status not in _SAID_NO:
        return lost("Stripe reports a fault of its own")
    code = error.code if isinstance(error.code, str) and _CODE.fullmatch(error.code) else _SAID_NO[status]
    return Refused(code, MEANINGS.get(code, UNLISTED))
