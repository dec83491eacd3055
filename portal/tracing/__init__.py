"""Traces, where an operator asks for them (`PORTAL_OTLP_URL`): how long each part of an answer took, and of the jobs it
asked for. Without that, nothing of OpenTelemetry is imported and a span costs a test of one variable.

A span names a route, the text of a statement without its values, a job or a door; never a path, an address, a name.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from os import urandom
from typing import Literal, Protocol

from sqlalchemy.engine import Engine

from portal.config import ConfigurationError, Settings

Kind = Literal["server", "client", "consumer"]
Value = str | int
Mark = Callable[[str, Value], None]
"""Says one thing more of a span: name and value of the attribute. `error`: what went wrong, a class."""


class Tracer(Protocol):
    """What keeps spans and sends them."""

    def span(self, name: str, kind: Kind, parent: str, attributes: dict[str, Value]) -> AbstractContextManager[Mark]:
        """A span, the current one inside. parent: where it was asked from (`traceparent` of W3C), "" for the current
        span, or for nobody."""

    def rename(self, name: str) -> None:
        """Call the current span by what is known of it now."""

    def carried(self) -> str:
        """The current span, as it is handed on (`traceparent`); "" without one."""

    def watch(self, engine: Engine) -> None:
        """From now on each statement inside a span is a span."""


_tracer: list[Tracer] = []


def configure(settings: Settings) -> None:
    """Send traces where the settings say, or none. Raises ConfigurationError when the client is not installed."""
    _tracer.clear()
    if not settings.otlp_url:
        return
    try:
        from portal.tracing import otlp
    except ImportError as error:
        raise ConfigurationError(
            "PORTAL_OTLP_URL: the client of OpenTelemetry is not installed (requirements/otlp.lock)"
        ) from error
    _tracer.append(otlp.tracer(settings.otlp_url))


def watch(engine: Engine) -> None:
    """See `Tracer.watch`."""
    for tracer in _tracer:
        tracer.watch(engine)


def span(name: str, kind: Kind, parent: str = "", **attributes: Value) -> AbstractContextManager[Mark]:
    """See `Tracer.span`; nothing while traces are off. In the names of attributes, `__` stands for a dot."""
    if not _tracer:
        return _NOTHING
    return _tracer[0].span(name, kind, parent, {key.replace("__", "."): value for key, value in attributes.items()})


def rename(name: str) -> None:
    """See `Tracer.rename`."""
    for tracer in _tracer:
        tracer.rename(name)


def carried() -> str:
    """See `Tracer.carried`."""
    return _tracer[0].carried() if _tracer else ""


def request_id() -> str:
    """A number for the request that begins: that of its trace when there is one; 32 hexadecimal digits."""
    return carried().split("-")[1] if carried() else urandom(16).hex()


def _say_nothing(_name: str, _value: Value) -> None:
    pass


_NOTHING: AbstractContextManager[Mark] = nullcontext(_say_nothing)
