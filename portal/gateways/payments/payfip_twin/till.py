"""What PayFiP remembers: operations, who may open them, what became of them."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from portal.gateways.payments.payfip_twin.dice import Dice
from portal.gateways.payments.payfip_twin.faults import Faults
from portal.gateways.payments.payfip_twin.orders import Fault, check_client, check_order

PARIS = ZoneInfo("Europe/Paris")
OPENING_TIME = timedelta(minutes=15)
CREDITOR = "CENTRE HOSPITALIER DE DEMONSTRATION"
MOVES_MONEY = {"P", "V"}
LIES = (
    ("montant", "100"),
    ("montant", "9999999"),
    ("refdet", "SOMEBODYELSE"),
    ("numcli", "111111"),
    ("saisie", "X"),
    ("idOp", "11111111-2222-3333-4444-555555555555"),
)
"""What an answer may say wrongly when `Faults.odds["tampered"]` falls: no field that a careful portal cannot check."""


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
    hidden_reads: int = 0
    bounced_at: datetime | None = None

    @property
    def paid_cents(self) -> int:
        """What the payer has really paid: a card, or a debit that the bank has not given back."""
        return int(self.asked["montant"]) if self.code in MOVES_MONEY and self.bounced_at is None else 0


@dataclass
class Till:
    """The twin's memory; safe to share between threads. `clock` gives the time, UTC."""

    faults: Faults = field(default_factory=Faults)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    unknown_clients: set[str] = field(default_factory=lambda: {"000000", "999999"})

    def __post_init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        self.asked_about: Counter[str] = Counter()  # idop → questions, whether we know it or not
        self.dice = Dice(self.faults)
        self._lock = threading.RLock()

    def mishap(self, operation: str, fields: Mapping[str, str]) -> str:
        """What falls on this call of the web service: a `Trouble`, a functional code, or "" for nothing."""
        with self._lock:
            if "idOp" in fields:
                self.asked_about[fields["idOp"]] += 1
            return self.faults.told_for(operation) or self.dice.trouble(operation, self._whom(fields))

    def _whom(self, fields: Mapping[str, str]) -> str:
        """The debt that a call is about: its name is the same in every run, an idop's is not."""
        known = self.operations.get(fields.get("idOp", ""))
        return known.asked["refdet"] if known else fields.get("refdet", "")

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
            operation.code, operation.decided_at, operation.bounced_at = code, self.clock(), None
            operation.reads = 0
            operation.hidden_reads = int(self.dice.falls("hidden", operation.asked["refdet"]))
            operation.numauto = f"{uuid4().int % 10**12:012d}-tip" if code in MOVES_MONEY else ""
            return operation

    def detail(self, idop: str) -> dict[str, str]:
        """The result, in the order of PayFiP's schema. Raises `Fault` P1 or P5."""
        with self._lock:
            operation = self.known(idop)
            operation.reads += 1
            if not operation.code or operation.reads <= max(operation.hidden_reads, self.faults.hidden_reads):
                raise Fault("P5", "Résultat de la transaction non connu")
            answer = {**_answer(operation), **self.faults.tampered, **self._lie(operation)}
            return {name: value for name, value in answer.items() if name not in self.faults.dropped}

    def _lie(self, operation: Operation) -> dict[str, str]:
        whom = operation.asked["refdet"]
        return dict([self.dice.one_of(LIES, "lie", whom)]) if self.dice.falls("tampered", whom) else {}

    def client(self, numcli: str) -> dict[str, str]:
        """The creditor behind a client number. Raises `Fault` T1 or T2."""
        check_client(numcli, self.unknown_clients)
        return {"libelleN1": CREDITOR, "libelleN2": "REGIE DES CONSULTATIONS", "numcli": numcli}

    def purge(self) -> None:
        """The night: operations that nobody opened are forgotten."""
        with self._lock:
            self.operations = {idop: known for idop, known in self.operations.items() if known.opened_at}

    def expire(self, idop: str) -> Operation:
        """A quarter of an hour passes: whoever has not opened the page will not any more. Raises `Fault` P1."""
        with self._lock:
            operation = self.known(idop)
            operation.created_at -= OPENING_TIME + timedelta(seconds=1)
            return operation

    def bounce(self, idop: str) -> Operation:
        """The bank gives an accepted debit back: the web service goes on saying V. Raises `Fault` P1, or V0 (not a
        debit, a code of ours)."""
        with self._lock:
            operation = self.known(idop)
            if operation.code != "V":
                raise Fault("V0", "Aucun prélèvement accepté à rejeter")
            operation.bounced_at = self.clock()
            return operation

    def truth(self) -> list[dict[str, str | int | bool]]:
        """Every operation and what was really paid of it, whatever the answers and the notifications said."""
        with self._lock:
            return [
                {
                    "idop": one.idop,
                    "refdet": one.asked["refdet"],
                    "numcli": one.asked["numcli"],
                    "code": one.code,
                    "paid_cents": one.paid_cents,
                    "opened": one.opened_at is not None,
                    "bounced": one.bounced_at is not None,
                }
                for one in self.operations.values()
            ]

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
