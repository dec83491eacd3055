"""Whom a visitor of the public pages looks for times for: themselves, somebody they may act for, or nobody yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from auth import assurance, sessions
from auth import queries as people
from portal import db
from services.appointments.models import SERVICE

_MATTER = "administrative"


@dataclass(frozen=True)
class ForWhom:
    """patient_id: for whom, when that is known. people: those it may be, id → name, oneself first. Whoever has not
    signed in, or not well enough for this room, is nobody yet: their appointments are not looked at."""

    patient_id: UUID | None = None
    people: Mapping[UUID, str] | None = None

    @property
    def is_somebody(self) -> bool:
        return self.people is not None

    @property
    def must_choose(self) -> bool:
        return self.is_somebody and self.patient_id is None

    @property
    def several(self) -> bool:
        return self.people is not None and len(self.people) > 1

    @property
    def name(self) -> str:
        return (self.people or {}).get(self.patient_id, "") if self.patient_id else ""


def asked(text: str) -> ForWhom:
    """text: the person that an address or a form names (a UUID), among those one may act for.

    Under the band of somebody else, it is always them.
    """
    current, actor = sessions.signed_in(), db.current_actor()
    if current is None or current.patient_id is None or actor.kind != "patient":
        return ForWhom()
    may = actor.people(_MATTER)
    if current.lost_id is not None or not may or not assurance.suffices(current, SERVICE):
        return ForWhom()
    if current.is_for_somebody_else:
        may &= {current.patient_id}
    names = {each.patient_id: each.patient.full_name for each in people.people() if each.patient_id in may}
    wanted = next((each for each in names if str(each) == text), None)
    return ForWhom(wanted or (next(iter(names)) if len(names) == 1 else None), names or None)
