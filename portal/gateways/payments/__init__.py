"""The payment doors: PayFiP (DGFiP) and those after it, and twins that anyone can start on their own machine."""

from typing import Protocol
from urllib.parse import urlsplit

from portal.gateways import UnsupportedUrl
from portal.gateways.door import Door
from portal.gateways.payments import means
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
from portal.gateways.payments.means import Family
from portal.gateways.payments.payfip import PayfipClient
from portal.gateways.payments.payfip_means import PayfipMeans
from portal.gateways.payments.stripe_checkout import StripeMeans
from portal.gateways.payments.stripe_line import StripeLine

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
    "family_of",
    "means",
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


class Addresses(Protocol):
    """What the environment says of the payment doors."""

    payfip_endpoint_url: str
    payfip_payment_url: str
    stripe_api_base: str


def family_of(addresses: Addresses, *, timeout_seconds: float = 15.0) -> Family:
    """Every means of payment this portal knows, by name; opens no connection yet. Raises `UnsupportedUrl`."""
    first = connect(addresses.payfip_endpoint_url, payment_url=addresses.payfip_payment_url)

    def of_client(numcli: str) -> PayfipClient:
        door = Door(f"payments.payfip.{numcli}", timeout_seconds=timeout_seconds)
        return PayfipClient(addresses.payfip_endpoint_url, addresses.payfip_payment_url, door=door)

    stripe = StripeMeans(StripeLine(addresses.stripe_api_base, timeout_seconds=timeout_seconds))
    return means.family([PayfipMeans(of_client, first.payment_page_url), stripe])
