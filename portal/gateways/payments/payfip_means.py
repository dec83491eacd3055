"""PayFiP as one of the means of payment: its fields put into everybody's words, one breaker per client number."""

import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from portal.gateways.payments import payfip_fields as fields
from portal.gateways.payments.contract import IdopUnknown, KeepExchange, Mode, Outcome, ResultNotKnownYet
from portal.gateways.payments.means import (
    CURRENCY,
    Answer,
    Counter,
    Dead,
    Ending,
    Impossible,
    NotYetKnown,
    Opened,
    Order,
    Refund,
)
from portal.gateways.payments.payfip import PayfipClient
from portal.gateways.payments.payfip_codes import refusal

_ENDINGS = {
    Outcome.PAID: Ending.PAID,
    Outcome.DEBIT_ACCEPTED: Ending.DEBIT_ACCEPTED,
    Outcome.REFUSED: Ending.REFUSED,
    Outcome.DEBIT_REFUSED: Ending.REFUSED,
    Outcome.ABANDONED: Ending.ABANDONED,
}


class PayfipMeans:
    """`Means` over PayFiP's web service (guide v19, 3.5). `client_for` gives the client of one client number, whose
    failures say nothing of the others."""

    psp = "payfip"
    least_cents = fields.MIN_CENTS
    most_cents = fields.MAX_CENTS

    def __init__(self, client_for: Callable[[str], PayfipClient], page_url: Callable[[str], str]) -> None:
        self._client_for = client_for
        self._page_url = page_url
        parts = urlsplit(page_url("x"))
        self.site = f"{parts.scheme}://{parts.netloc}"
        self._clients: dict[str, PayfipClient] = {}
        self._lock = threading.Lock()

    def open(self, order: Order, *, exchange: KeepExchange | None = None) -> Opened:
        """See `Means.open`. A lost answer is harmless: nobody knows that idop, so nobody can pay it."""
        idop = self._client(order.counter).create(
            exer=order.exer,
            email=order.email,
            amount_cents=order.amount_cents,
            numcli=order.counter.account,
            subject=f"Facture {order.reference}",
            refdet=order.reference,
            mode=_mode(order.counter),
            notify_url=order.notify_url,
            return_url=order.return_url,
            exchange=exchange,
        )
        return Opened(idop, self.page_url(idop))

    def result(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> Answer:
        """See `Means.result`."""
        try:
            found = self._client(counter).result(psp_ref, exchange=exchange)
        except IdopUnknown as unknown:
            raise Dead(unknown.code, unknown.meaning) from unknown
        except ResultNotKnownYet as unknown:
            raise NotYetKnown(unknown.code, unknown.meaning) from unknown
        return Answer(
            psp_ref=found.idop,
            ending=_ENDINGS.get(found.outcome, Ending.UNHEARD_OF),
            code=found.code,
            amount_cents=found.amount_cents,
            currency=CURRENCY,
            reference=found.refdet,
            account=found.numcli,
            mode=found.mode,
            means="direct_debit" if found.outcome in (Outcome.DEBIT_ACCEPTED, Outcome.DEBIT_REFUSED) else "card",
            paid_at=found.paid_at,
            number=found.numauto or "",
        )

    def page_url(self, psp_ref: str) -> str:
        """See `Means.page_url`."""
        return self._page_url(psp_ref)

    def close(self, psp_ref: str, counter: Counter, *, exchange: KeepExchange | None = None) -> None:
        """PayFiP cancels nothing."""

    def refund(
        self,
        answer_number: str,
        amount_cents: int,
        *,
        key: str,
        counter: Counter,
        exchange: KeepExchange | None = None,
    ) -> Refund:
        """Raises `Impossible`: the public accountant gives back, by transfer."""
        raise Impossible("PayFiP gives nothing back")

    def name_of(self, counter: Counter, *, exchange: KeepExchange | None = None) -> str:
        """See `Means.name_of`."""
        return self._client(counter).client(counter.account, exchange=exchange)

    def _client(self, counter: Counter) -> PayfipClient:
        with self._lock:
            if counter.account not in self._clients:
                self._clients[counter.account] = self._client_for(counter.account)
            return self._clients[counter.account]


def _mode(counter: Counter) -> Mode:
    if counter.mode not in set(Mode):
        raise refusal("S1")
    return Mode(counter.mode)
