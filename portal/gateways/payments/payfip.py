"""PayFiP's web service: three calls, told apart in three ways to fail.

A functional fault is `Refused`: nothing was done. A technical fault, a 502, a time-out or garbage after the
request has left is `OutcomeUnknown` for `create` and `Unavailable` for the two reads, which change nothing.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import httpx

from portal.gateways import OutcomeUnknown, Unavailable
from portal.gateways.door import Deadline, Door
from portal.gateways.payments import payfip_fields as fields
from portal.gateways.payments.contract import Exchange, IdopUnknown, KeepExchange, Mode, Outcome, Result
from portal.gateways.payments.payfip_codes import refusal
from portal.gateways.payments.payfip_evidence import masked
from portal.gateways.payments.payfip_soap import FunctionalFault, TechnicalFault, Unreadable, envelope, read_answer

PARIS = ZoneInfo("Europe/Paris")
MAX_ANSWER_BYTES = 256 * 1024

CREATE = "creerPaiementSecurise"
RESULT = "recupererDetailPaiementSecurise"
CLIENT = "recupererDetailClient"

# Nothing has left the house when one of these is raised.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
_READABLE = {"montant": re.compile(r"[0-9]{1,12}"), "idOp": re.compile(r"[A-Za-z0-9-]{8,64}")}
_Lost = type[Unavailable] | type[OutcomeUnknown]


@dataclass(slots=True)
class _Answer:
    """What came back so far; kept even when the exchange then fails."""

    status: int | None = None
    body: bytearray = field(default_factory=bytearray)


class PayfipClient:
    """`Payments` over PayFiP's SOAP endpoint. Opens one connection per call, safe to share between threads."""

    def __init__(
        self, endpoint_url: str, payment_url: str, *, timeout_seconds: float = 15.0, door: Door | None = None
    ) -> None:
        self.door = door or Door("payments.payfip", timeout_seconds=timeout_seconds)
        self._endpoint_url = endpoint_url
        self._payment_url = payment_url
        # A kept connection may die just as the next request is written, which would read as "outcome unknown":
        # calls are rare, so each opens its own. Proxies of the environment never stand before the loopback.
        self._http = httpx.Client(
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=urlsplit(endpoint_url).hostname not in ("127.0.0.1", "localhost", "::1"),
        )

    def create(
        self,
        *,
        exer: str,
        email: str,
        amount_cents: int,
        numcli: str,
        subject: str,
        refdet: str,
        mode: Mode,
        notify_url: str,
        return_url: str,
        exchange: KeepExchange | None = None,
    ) -> str:
        """See `Payments.create`."""
        sequence = {
            "exer": fields.exer(exer),
            "mel": fields.email(email),
            "montant": fields.amount(amount_cents),
            "numcli": fields.numcli(numcli),
            "objet": fields.subject(subject),
            "refdet": fields.refdet(refdet),
            "saisie": fields.mode(mode),
            "urlnotif": fields.url(notify_url, "N1"),
            "urlredirect": fields.url(return_url, "D1"),
        }
        answer = self._ask(CREATE, sequence, OutcomeUnknown, ("idOp",), exchange)
        return answer["idOp"]

    def result(self, idop: str, *, exchange: KeepExchange | None = None) -> Result:
        """See `Payments.result`."""
        required = ("idOp", "montant", "numcli", "refdet", "resultrans", "saisie")
        return _result(self._ask(RESULT, {"idOp": fields.idop(idop)}, Unavailable, required, exchange))

    def client(self, numcli: str, *, exchange: KeepExchange | None = None) -> str:
        """See `Payments.client`."""
        answer = self._ask(CLIENT, {"numCli": fields.numcli(numcli)}, Unavailable, ("libelleN1",), exchange)
        labels = (answer.get(f"libelleN{level}", "") for level in (1, 2, 3))
        return " / ".join(label for label in labels if label)

    def payment_page_url(self, idop: str) -> str:
        """See `Payments.payment_page_url`."""
        return f"{self._payment_url}?idop={quote(idop, safe='')}"

    def check(self) -> None:
        """Ask for an operation that cannot exist: the refusal P1 proves that the service works and costs nothing."""
        try:
            self.result("00000000-0000-0000-0000-000000000000")
        except IdopUnknown:
            return

    def close(self) -> None:
        self._http.close()

    def _ask(
        self,
        operation: str,
        sequence: Mapping[str, str],
        lost: _Lost,
        required: tuple[str, ...],
        keep: KeepExchange | None,
    ) -> dict[str, str]:
        """One call, kept as evidence whatever becomes of it. `lost` is what an unintelligible ending means."""
        request = envelope(operation, sequence)
        with self.door.passage(operation) as deadline:
            answer, started, ending = _Answer(), time.monotonic(), "done"
            try:
                self._post(request, answer, deadline, lost)
                return _understood(operation, answer, required, lost)
            except BaseException as error:
                ending = type(error).__name__
                raise
            finally:
                if keep is not None:
                    milliseconds = round(1000 * (time.monotonic() - started))
                    body = masked(bytes(answer.body))
                    keep(Exchange(operation, masked(request), body, answer.status, milliseconds, ending))

    def _post(self, request: bytes, answer: _Answer, deadline: Deadline, lost: _Lost) -> None:
        # identity: a compressed answer could unfold far beyond the cap in one piece.
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""', "Accept-Encoding": "identity"}
        timeout = httpx.Timeout(deadline.remaining())
        try:
            with self._http.stream(
                "POST", self._endpoint_url, content=request, headers=headers, timeout=timeout
            ) as response:
                answer.status = response.status_code
                for piece in response.iter_raw():
                    answer.body += piece[: MAX_ANSWER_BYTES + 1 - len(answer.body)]
                    if len(answer.body) > MAX_ANSWER_BYTES:
                        raise lost("PayFiP's answer is far too long")
                    deadline.remaining()
        except _NOT_SENT:
            raise Unavailable("PayFiP cannot be reached") from None
        except (httpx.HTTPError, TimeoutError):
            raise lost("PayFiP did not answer in time, or was cut") from None


def _understood(operation: str, answer: _Answer, required: tuple[str, ...], lost: _Lost) -> dict[str, str]:
    """The fields of an answer, or the fact it tells. Faults come with status 500 (SOAP 1.1 section 6.2)."""
    try:
        answered = read_answer(operation, bytes(answer.body))
    except FunctionalFault as fault:
        raise refusal(fault.code) from None
    except TechnicalFault:
        raise lost("PayFiP reports a technical fault") from None
    except Unreadable:
        raise lost("PayFiP's answer is not readable") from None
    if answer.status != 200 or not all(answered.get(name) for name in required):
        raise lost("PayFiP's answer is not complete")
    if any(not _READABLE[name].fullmatch(answered[name]) for name in required if name in _READABLE):
        raise lost("PayFiP's answer holds a field that is not readable")
    return answered


def _result(answer: Mapping[str, str]) -> Result:
    code = answer["resultrans"]
    return Result(
        idop=answer["idOp"],
        outcome=Outcome(code) if code in set(Outcome) else Outcome.UNKNOWN_VALUE,
        code=code,
        amount_cents=int(answer["montant"]),
        refdet=answer["refdet"],
        numcli=answer["numcli"],
        mode=answer["saisie"],
        exer=answer.get("exer", ""),
        numauto=answer.get("numauto") or None,
        paid_at=_moment(answer.get("dattrans", ""), answer.get("heurtrans", "")),
    )


def _moment(day: str, hour: str) -> datetime | None:
    """DDMMYYYY and HHMM in Paris, as UTC; the first of the two when the clocks go back.

    None when unreadable: a payment is not lost for want of its hour.
    """
    if not (len(day) == 8 and len(hour) == 4 and (day + hour).isascii() and (day + hour).isdigit()):
        return None
    try:
        return datetime.strptime(day + hour, "%d%m%Y%H%M").replace(tzinfo=PARIS).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
