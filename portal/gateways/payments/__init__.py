"""The payment door: PayFiP (DGFiP), and a twin of it that anyone can start on their own machine."""

from urllib.parse import urlsplit

from portal.gateways import UnsupportedUrl
from portal.gateways.payments.contract import (
    Exchange,
    IdopUnknown,
    KeepExchange,
    Mode,
    Outcome,
    Payments,
    Result,
    ResultNotKnownYet,
)
from portal.gateways.payments.payfip import PayfipClient

__all__ = [
    "PAYFIP_ENDPOINT_URL",
    "PAYFIP_PAYMENT_URL",
    "Exchange",
    "IdopUnknown",
    "KeepExchange",
    "Mode",
    "Outcome",
    "Payments",
    "Result",
    "ResultNotKnownYet",
    "connect",
]

PAYFIP_ENDPOINT_URL = "https://www.payfip.gouv.fr/tpa/services/securite"
PAYFIP_PAYMENT_URL = "https://www.payfip.gouv.fr/tpa/paiementws.web"

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def connect(
    endpoint_url: str = PAYFIP_ENDPOINT_URL, *, payment_url: str = PAYFIP_PAYMENT_URL, timeout_seconds: float = 15.0
) -> Payments:
    """The payment door behind these URLs; opens no connection yet.

    https only, except on the loopback where the twin lives. Raises `UnsupportedUrl`.
    """
    for url in (endpoint_url, payment_url):
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise UnsupportedUrl("PayFiP is reached by https; http only on 127.0.0.1, for its twin")
    return PayfipClient(endpoint_url, payment_url, timeout_seconds=timeout_seconds)
