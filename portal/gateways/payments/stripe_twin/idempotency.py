"""Idempotency keys: the first answer under a key is the answer for ever, even when it was an error of Stripe's own.

docs.stripe.com/api/idempotent_requests: saved once execution began, with what was asked; validation is not execution.
"""

import threading
from dataclasses import dataclass, field

from portal.gateways.payments.stripe_twin.orders import Refusal

Answered = tuple[int, str]


@dataclass
class MemoryOfKeys:
    """Answers by (account, key); safe to share between threads."""

    _answers: dict[tuple[str, str], tuple[str, Answered]] = field(default_factory=dict)
    _busy: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, account: str, key: str, asked: str) -> Answered | None:
        """The answer already given under this key. Raises `Refusal`: other words, or a call under way."""
        with self._lock:
            if (account, key) in self._busy:
                raise Refusal(
                    "idempotency_key_in_use", "There is currently another in-progress request", status=409,
                    kind="idempotency_error",
                )  # fmt: skip
            known = self._answers.get((account, key))
            if known is None:
                self._busy.add((account, key))
                return None
            if known[0] != asked:
                raise Refusal("", "Keys for idempotent requests can only be used with the same parameters they were "
                              "first used with.", kind="idempotency_error")  # fmt: skip
            return known[1]

    def after(self, account: str, key: str, asked: str, answered: Answered | None) -> None:
        """Keep the answer; None when nothing was executed."""
        with self._lock:
            self._busy.discard((account, key))
            if answered is not None:
                self._answers[(account, key)] = (asked, answered)

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
