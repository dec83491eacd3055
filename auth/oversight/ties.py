"""What ties a patient to a hospital at a time (a visit, a stay, a letter…): rooms say it, and none is known here."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select

from portal.db import session

Source = Callable[[UUID, datetime, datetime], "Select[UUID | None]"]
"""Hospital, from, until → the ids of the patients who have something there at that time."""

_ties: dict[str, Source] = {}
_discreet: dict[str, Source] = {}


def declare(code: str, source: Source) -> None:
    """A room says why a file may be open."""
    _ties[code] = source


def declare_discreet(code: str, source: Source) -> None:
    """A room says whose presence is kept discreet: those files are watched over more closely."""
    _discreet[code] = source


def tied(establishment_id: UUID, since: datetime, until: datetime) -> set[UUID]:
    """Patients with something at this hospital at that time. As the system."""
    return _union(_ties, establishment_id, since, until)


def discreet(establishment_id: UUID, since: datetime, until: datetime) -> set[UUID]:
    """Patients whose presence there is kept discreet. As the system."""
    return _union(_discreet, establishment_id, since, until)


def _union(sources: dict[str, Source], establishment_id: UUID, since: datetime, until: datetime) -> set[UUID]:
    found: set[UUID] = set()
    for source in sources.values():
        found.update(each for each in session.scalars(source(establishment_id, since, until)) if each is not None)
    return found
