"""A short text to a telephone. Never with health data, nor a service name that reveals any.

Only jobs send (an operator is slow, and no transaction may wait for it): what must be sent waits in a row of its
room, sealed when it is a code.
"""

from dataclasses import dataclass
from typing import Any

from portal.config import Settings
from portal.gateways import sms


@dataclass
class _Operator:
    door: Any = None


_operator = _Operator()


def configure(settings: Settings) -> None:
    """Connect the SMS door named by the environment."""
    _operator.door = sms.connect(settings.sms_url)


def reach_people(settings: Settings) -> bool:
    """Whether what we send arrives: printed on a console, it does for whoever tries the portal, never for patients."""
    return not (settings.is_production and settings.sms_url.startswith("console:"))


def check() -> None:
    """Raises Unavailable when the operator does not answer."""
    _operator.door.check()


def send(to: str, text: str) -> None:
    """Send `text` to the E.164 number `to`, now. Raises Refused, Unavailable, OutcomeUnknown."""
    _operator.door.send(to, text)
