"""What PayFiP refuses of an order, with the code it gives.

Written apart from the portal's own checks on purpose: a mistake in one is seen by the other.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Fault(Exception):
    """A functional refusal, as the web service and the page tell it."""

    def __init__(self, code: str, label: str) -> None:
        super().__init__(code)
        self.code = code
        self.label = label


def check_order(asked: Mapping[str, str], unknown_clients: set[str]) -> None:
    """Raises `Fault` with the code PayFiP gives to the first wrong field."""
    mel = asked.get("mel", "")
    if not mel:
        raise Fault("A1", "Adresse mel absente")
    if not 6 <= len(mel) <= 80 or not _ADDRESS.fullmatch(mel):
        raise Fault("A2", "Adresse mel incorrecte")
    _check_amount(asked.get("montant", ""))
    check_client(asked.get("numcli", ""), unknown_clients)
    if not re.fullmatch(r"[A-Za-z0-9]{6,30}", asked.get("refdet", "")):
        raise Fault("R3", "Format de la référence de la dette incorrect")
    if not re.fullmatch(r"[A-Za-z0-9 ]{0,100}", asked.get("objet", "")):
        raise Fault("O1", "Format de l'objet incorrect")
    if asked.get("saisie") not in {"T", "X", "W"}:
        raise Fault("S1", "Type de saisie incorrect")
    _check_url(asked.get("urlnotif", ""), "N1")
    _check_url(asked.get("urlredirect", ""), "D1")


def _check_amount(amount: str) -> None:
    if not re.fullmatch(r"[0-9]+", amount):
        raise Fault("M1", "Format du montant incorrect")
    if int(amount) < 100:
        raise Fault("M3", "Montant inférieur à 1 euro")
    if int(amount) > 9_999_999:
        raise Fault("M5", "Montant supérieur au maximum")


def check_client(numcli: str, unknown_clients: set[str]) -> None:
    """Raises `Fault` T1 or T2."""
    if not re.fullmatch(r"[0-9]{6}", numcli):
        raise Fault("T1", "Numéro de client incorrect")
    if numcli in unknown_clients:
        raise Fault("T2", "Numéro de client inconnu")


def _check_url(url: str, code: str) -> None:
    """The real one takes any host; a twin that calls or redirects elsewhere would be a weapon."""
    parts = urlsplit(url)
    if len(url) >= 250 or parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK:
        raise Fault(code, "URL incorrecte (le simulateur n'accepte que 127.0.0.1)")
