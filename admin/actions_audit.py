"""Opening the journal is itself an act: whoever looks over others' shoulders leaves a trace too."""

from collections.abc import Iterable
from uuid import UUID

from portal import audit


def open_journal(establishment_ids: Iterable[UUID]) -> None:
    """Write down that the actor reads the journal of these hospitals."""
    for establishment_id in establishment_ids:
        audit.record("journal.opened", establishment_id=establishment_id)
