"""Services that rooms above know by an id of their own: one address reads them all."""

from collections.abc import Callable, Sequence
from uuid import UUID

from portal.web.fhir import Json

Reader = Callable[[UUID], Json | None]
_readers: dict[str, Reader] = {}


def read(code: str, reader: Reader) -> None:
    """A room says how it reads its HealthcareService resources; said again, it is replaced."""
    _readers[code] = reader


def readers() -> Sequence[Reader]:
    return list(_readers.values())
