"""What PayFiP remembers: operations, who may open them, what became of them."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4
from zoneinfo import ZoneInfo

from portal.gateways.payments.payfip_twin.faults import Faults

PARIS = ZoneInfo("Europe/Paris")
OPENING_TIME = timedelta(minutes=15)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CREDITOR = "CENTRE HOSPITALIER DE DEMONSTRATION"
MOVES_MONEY = {"P", "V"}

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Fault(Exception):
    """A functional refusal, as the web service and the page tell it."""

    def __init__(self, code: str, label: str) -> None:
        super().__init__(code)
        self.code = code
        self.label = label


@dataclass
class Operation:
    """One idop. `asked` holds the fields of its creation; `code` its resultrans, empty until the payer decides."""

    idop: str
    asked: dict[str, str]
    created_at: datetime
    opened_at: datetime | None = None
    code: str = ""
    decided_at: datetime | None = None
    numauto: str = ""
    reads: int = 0


@dataclass
class Till:
    """The twin's memory; safe to share between threads. `clock` gives the time, UTC."""

    faults: Faults = field(default_factory=Faults)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    unknown_clients: set[str] = field(default_factory=lambda: {"000000", "999999"})

    def __post_init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        self._lock = threading.RLock()

    def create(self, asked: Mapping[str, str]) -> Operation:
        """A new operation. Raises `Fault` for a field that PayFiP refuses."""
        check_order(asked, self.unknown_clients)
        operation = Operation(str(uuid4()), dict(asked), self.clock())
        with self._lock:
            self.operations[operation.idop] = operation
        return operation

    def open_page(self, idop: str) -> Operation:
        """The payer's browser arrives. Raises `Fault` P1, P3 (opened once already) or P4 (over 15 minutes old)."""
        with self._lock:
            operation = self.known(idop)
            if operation.opened_at is not None:
                raise Fault("P3", "Cette opération a déjà été utilisée")
            if self.clock() - operation.created_at > OPENING_TIME:
                raise Fault("P4", "Cette opération a expiré")
            operation.opened_at = self.clock()
            return operation

    def choose(self, idop: str, code: str) -> Operation:
        """What the payer decides on the page: once, and only after opening it. Raises `Fault` P1 or P3."""
        with self._lock:
            operation = self.known(idop)
            if operation.opened_at is None or operation.code:
                raise Fault("P3", "Cette opération a déjà été utilisée")
            return self.decide(idop, code)

    def decide(self, idop: str, code: str) -> Operation:
        """Make any result true at any time, even after another one: money may arrive after an abandon."""
        with self._lock:
            operation = self.known(idop)
            operation.code, operation.decided_at, operation.reads = code, self.clock(), 0
            operation.numauto = f"{uuid4().int % 10**12:012d}-tip" if code in MOVES_MONEY else ""
            return operation

    def detail(self, idop: str) -> dict[str, str]:
        """The result, in the order of PayFiP's schema. Raises `Fault` P1 or P5."""
        with self._lock:
            operation = self.known(idop)
            operation.reads += 1
            if not operation.code or operation.reads <= self.faults.hidden_reads:
                raise Fault("P5", "Résultat de la transaction non connu")
            answer = {**_answer(operation), **self.faults.tampered}
            return {name: value for name, value in answer.items() if name not in self.faults.dropped}

    def client(self, numcli: str) -> dict[str, str]:
        """The creditor behind a client number. Raises `Fault` T1 or T2."""
        _check_client(numcli, self.unknown_clients)
        return {"libelleN1": CREDITOR, "libelleN2": "REGIE DES CONSULTATIONS", "numcli": numcli}

    def purge(self) -> None:
        """The night: operations that nobody opened are forgotten."""
        with self._lock:
            self.operations = {idop: known for idop, known in self.operations.items() if known.opened_at}

    def known(self, idop: str) -> Operation:
        """Raises `Fault` P1."""
        operation = self.operations.get(idop)
        if operation is None:
            raise Fault("P1", "IdOp incorrect")
        return operation


def _answer(operation: Operation) -> dict[str, str]:
    asked, moment = operation.asked, (operation.decided_at or operation.created_at).astimezone(PARIS)
    answer = {
        "dattrans": moment.strftime("%d%m%Y"),
        "exer": asked["exer"][:2],  # as in recorded answers
        "heurtrans": moment.strftime("%H%M"),
        "idOp": operation.idop,
        "mel": asked["mel"],
        "montant": asked["montant"],
        "numauto": operation.numauto,
        "numcli": asked["numcli"],
        "objet": asked.get("objet", ""),
        "refdet": asked["refdet"],
        "resultrans": operation.code,
        "saisie": asked["saisie"],
    }
    return {name: value for name, value in answer.items() if value}


def check_order(asked: Mapping[str, str], unknown_clients: set[str]) -> None:
    """Raises `Fault` with the code PayFiP gives to the first wrong field.

    Written apart from the portal's own checks on purpose: a mistake in one is seen by the other.
    """
    mel = asked.get("mel", "")
    if not mel:
        raise Fault("A1", "Adresse mel absente")
    if not 6 <= len(mel) <= 80 or not _ADDRESS.fullmatch(mel):
        raise Fault("A2", "Adresse mel incorrecte")
    _check_amount(asked.get("montant", ""))
    _check_client(asked.get("numcli", ""), unknown_clients)
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


def _check_client(numcli: str, unknown_clients: set[str]) -> None:
    if not re.fullmatch(r"[0-9]{6}", numcli):
        raise Fault("T1", "Numéro de client incorrect")
    if numcli in unknown_clients:
        raise Fault("T2", "Numéro de client inconnu")


def _check_url(url: str, code: str) -> None:
    """The real one takes any host; a twin that calls or redirects elsewhere would be a weapon."""
    parts = urlsplit(url)
    if len(url) >= 250 or parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK:
        raise Fault(code, "URL incorrecte (le simulateur n'accepte que 127.0.0.1)")
