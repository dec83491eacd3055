"""What the twin can be told to do wrong."""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Trouble(StrEnum):
    """What happens to a call of the API. SLOW, CUT_AFTER, TRUNCATED and ERROR_AFTER do what was asked."""

    SLOW = "slow"  # does it, answers late
    CUT_BEFORE = "cut_before"  # hangs up without doing it
    CUT_AFTER = "cut_after"  # does it, hangs up
    ERROR_BEFORE = "error_before"  # 500 without doing it, saved under the key
    ERROR_AFTER = "error_after"  # does it, answers 500, saved under the key
    TOO_MANY = "too_many"  # 429
    BAD_GATEWAY = "bad_gateway"  # 502 from a proxy on the way
    HTML = "html"  # 200 with a page
    GARBAGE = "garbage"  # 200 with bytes that mean nothing
    EMPTY = "empty"  # 200 with nothing
    TRUNCATED = "truncated"  # the beginning of a true answer
    HUGE = "huge"  # an answer that does not end


@dataclass
class Faults:
    """Set any of these at any time; `clear()` returns to good health.

    `only` limits `trouble` to paths that begin so (`POST /v1/refunds`), `times` to that many calls.
    """

    trouble: Trouble | None = None
    only: str = ""
    times: int | None = None
    slow_seconds: float = 20.0
    tampered: dict[str, Any] = field(default_factory=dict)  # fields of a retrieved session that lie
    paid_while_closing: bool = False  # the payer pays at the very moment when the session is expired
    refunds_pend: bool = False  # a refund is `pending` until `Bank.end_refund`
    webhook_copies: int = 1  # 0: never told; n: n at once
    webhook_seconds: float = 0.0  # this late
    webhook_held: bool = False  # kept until `Webhooks.release()`
    webhook_secret: str = ""  # signed with this one instead: a forgery
    webhook_age_seconds: int = 0  # signed that long ago
    webhook_body_changed: bool = False  # the body is not the one that was signed

    def strikes(self, call: str) -> Trouble | None:
        """The trouble that falls on this call, if any; counts it."""
        if self.trouble is None or not call.startswith(self.only) or self.times == 0:
            return None
        if self.times is not None:
            self.times -= 1
        return self.trouble

    def clear(self) -> None:
        healthy = Faults()
        for setting in fields(Faults):
            setattr(self, setting.name, getattr(healthy, setting.name))
