"""What the twin can be told to do wrong."""

from dataclasses import dataclass, field, fields
from enum import StrEnum


class Trouble(StrEnum):
    """What happens to a call of the web service. Only SLOW and CUT_AFTER do what was asked."""

    SLOW = "slow"  # does it, answers late
    CUT_BEFORE = "cut_before"  # hangs up without doing it
    CUT_AFTER = "cut_after"  # does it, hangs up
    BAD_GATEWAY = "bad_gateway"  # 502 from a proxy on the way
    HTML = "html"  # 200 with a page ("service en maintenance")
    GARBAGE = "garbage"  # 200 with bytes that mean nothing
    EMPTY = "empty"  # 200 with nothing
    TRUNCATED = "truncated"  # the beginning of a true answer
    HUGE = "huge"  # an answer that does not end
    DOCTYPE = "doctype"  # a true answer with an entity in a DOCTYPE
    BREAKDOWN = "TechDysfonctionnementErreur"
    OUT_OF_SERVICE = "TechIndisponibiliteErreur"
    PROTOCOL = "TechProtocolaireErreur"


@dataclass
class Faults:
    """Set any of these at any time; `clear()` returns to good health.

    `only` limits `trouble` and `code` to one operation (its SOAP name), `times` to that many calls.
    """

    trouble: Trouble | None = None
    code: str = ""  # a functional code answered instead of doing it
    only: str = ""
    times: int | None = None
    slow_seconds: float = 20.0
    hidden_reads: int = 0  # P5 for that many reads after the payer has paid
    tampered: dict[str, str] = field(default_factory=dict)  # fields of the result that lie
    dropped: set[str] = field(default_factory=set)  # fields missing from the result
    notification_copies: int = 1  # 0: never told; n: n at once
    notification_key: str = "idop"  # or "idOp"
    notification_method: str = "POST"  # or "GET"
    notification_seconds: float = 0.0  # this late
    notification_held: bool = False  # kept until Notifier.release()

    def strikes(self, operation: str) -> bool:
        """Whether `trouble` or `code` falls on this call; counts it."""
        if not (self.trouble or self.code) or self.only not in ("", operation) or self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def clear(self) -> None:
        for setting, healthy in ((setting.name, getattr(Faults(), setting.name)) for setting in fields(Faults)):
            setattr(self, setting, healthy)
