"""What the twin can be told to do wrong: always, on its next calls, or now and then by a seed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, get_type_hints


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


class WrongSetting(Exception):
    """No such fault, or not of this shape."""


@dataclass
class Faults:
    """Set any of these at any time; `clear()` returns to good health.

    `only` limits `trouble` and `code` to one operation (its SOAP name), `times` to that many calls. `next_calls`:
    SOAP name → what falls on its next calls, one after the other: a `Trouble`, a functional code, or "" for none.

    `odds`: misfortune → how often it falls, 0 to 1, drawn by `seed` (`Dice`): `<SOAP name>.<Trouble>`, `tampered`,
    `hidden` (the first reading comes too early), and of a notification `lost`, `repeated`, `late`, `forged`, `by_get`,
    `other_case`.
    """

    trouble: Trouble | None = None
    code: str = ""  # a functional code answered instead of doing it
    only: str = ""
    times: int | None = None
    next_calls: dict[str, list[str]] = field(default_factory=dict)
    slow_seconds: float = 20.0
    hidden_reads: int = 0  # P5 for that many reads after the payer has paid
    tampered: dict[str, str] = field(default_factory=dict)  # fields of the result that lie
    dropped: set[str] = field(default_factory=set)  # fields missing from the result
    notification_copies: int = 1  # 0: never told; n: n at once
    notification_key: str = "idop"  # or "idOp"
    notification_method: str = "POST"  # or "GET"
    notification_seconds: float = 0.0  # this late
    notification_held: bool = False  # kept until Notifier.release()
    odds: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def told_for(self, operation: str) -> str:
        """What was ordered for this call: a `Trouble`, a functional code, or "" for nothing; counts the call."""
        if coming := self.next_calls.get(operation):
            return coming.pop(0)
        if not (self.trouble or self.code) or self.only not in ("", operation) or self.times == 0:
            return ""
        if self.times is not None:
            self.times -= 1
        return self.code or str(self.trouble)

    def clear(self) -> None:
        self.set({setting.name: getattr(Faults(), setting.name) for setting in fields(Faults)})

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Several at once, as they come from JSON. Raises `WrongSetting`; nothing is set then."""
        shapes = get_type_hints(Faults)
        if unknown := set(wanted) - set(shapes):
            raise WrongSetting(f"no such fault: {', '.join(sorted(unknown))}")
        try:
            settings = {name: _shaped(name, value) for name, value in wanted.items()}
        except (TypeError, ValueError) as error:
            raise WrongSetting(str(error)) from error
        for name, value in settings.items():
            setattr(self, name, value)


def _shaped(name: str, value: Any) -> Any:
    """JSON knows neither sets nor names of troubles. Raises TypeError, ValueError."""
    if name == "trouble":
        return Trouble(value) if value else None
    if name == "dropped":
        return set(value)
    healthy = getattr(Faults(), name)
    kinds = {float: (float, int), type(None): (int, type(None))}.get(type(healthy), (type(healthy),))
    if not isinstance(value, kinds):
        raise TypeError(f"{name} is not of this kind: {value!r}")
    return value
