"""What the hospital says of its sites and practitioners to those who come."""

from collections.abc import Collection, Mapping
from typing import Any

from portal import audit
from portal.db import session
from portal.establishments import Practitioner, Site
from services.appointments.reasons.models import RemoteRoom

SITE_TEXTS = ("address", "town", "access")
SITE_SWITCHES = ("for_wheelchairs", "for_hearing", "for_sight")


def describe_site(site: Site, facts: Mapping[str, str | bool]) -> None:
    """How to come, and for whom it is made. facts: among SITE_TEXTS and SITE_SWITCHES."""
    changed = {name: value for name, value in facts.items() if getattr(site, name) != value}
    for name, value in changed.items():
        setattr(site, name, value)
    session.flush()
    if changed:
        _record("site", site, **{name: str(changed[name]) for name in SITE_SWITCHES if name in changed})


def describe_practitioner(practitioner: Practitioner, languages: Collection[str], link: str) -> None:
    """Languages spoken beside French (ISO 639), and the room where they receive at a distance (empty: none)."""
    room = session.get(RemoteRoom, practitioner.id)
    spoken, former = sorted(languages), room.link if room else ""
    if (practitioner.languages, former) == (spoken, link):
        return
    practitioner.languages = spoken
    if link:
        here = practitioner.establishment_id
        session.merge(RemoteRoom(practitioner_id=practitioner.id, establishment_id=here, link=link))
    elif room is not None:
        session.delete(room)
    session.flush()
    _record("practitioner", practitioner, languages=" ".join(spoken))


def _record(kind: str, what: Site | Practitioner, **details: Any) -> None:
    audit.record(
        f"{kind}.described",
        establishment_id=what.establishment_id,
        object_kind=kind,
        object_id=what.id,
        **details,
    )
