"""What somebody without an account sees of one pre-admission: where it stands and what the hospital waits for."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from auth.guests import objects
from auth.guests.objects import Facts
from portal import db
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.preadmission import queries, wording
from services.preadmission.models import Preadmission

RIGHT = "preadmission"
_LONGEST_STAY = {"outpatient": timedelta(0), "day_case": timedelta(0)}
_OTHERWISE = timedelta(days=14)
"""How long a stay may last after the day of arrival: the hospital's system knows better, when it says so."""


def declare() -> None:
    objects.offer(
        objects.Kind(
            RIGHT, RIGHT, _find, _shown, "preadmission/guest.html", "admin_preadmission.show", "preadmission_id"
        )
    )


def _find(preadmission_id: UUID) -> Facts | None:
    """A file sent to a hospital of the agent."""
    found = queries.one_at(db.current_actor().rights.get(RIGHT, frozenset()), preadmission_id)
    if found is None:
        return None
    return Facts(found.establishment_id, found.patient_id, found.reference, _end_of(found))


def _end_of(file: Preadmission) -> datetime:
    """The last moment of the stay, in the hospital's own time."""
    last: date = file.planned_on + _LONGEST_STAY.get(file.stay_kind, _OTHERWISE)
    return datetime.combine(last, time.max, file.establishment.tz)


def _shown(preadmission_id: UUID, patient_id: UUID, establishment_id: UUID) -> Mapping[str, Any] | None:
    file = queries.one_of_patient(patient_id, preadmission_id)
    if file is None or file.establishment_id != establishment_id:
        return None
    pieces = piece_queries.of_folder(file.id)
    return {"file": file, "pieces": pieces, "words": wording, "piece_words": piece_wording}
