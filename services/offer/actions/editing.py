"""What administrators say of sites, units and activities. Each change is a line of the audit, with what changed."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete

from portal import audit, db, files
from portal.db import session
from portal.establishments import Site, Unit
from portal.file_sniffing import Kind
from portal.files import Arriving
from portal.files_apart import Copy, copy_of
from services.offer.models import Activity, Contact, OpeningException, OpeningHours, SitePlan
from services.offer.surroundings import Owner

PICTURES = frozenset((Kind.PNG, Kind.JPEG))
_CODE_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_LENGTH = 8


class NotScanned(Exception):
    """The antivirus does not answer: a picture that everybody will see waits for it."""


def describe(place: Site | Unit, facts: Mapping[str, Any]) -> None:
    """What is known of a site or a unit, among its columns."""
    if changed := _change(place, facts):
        kind = "site" if isinstance(place, Site) else "unit"
        _record(f"offer_{kind}.described", kind, place.establishment_id, place.id, changed)


def open_activity(unit: Unit, facts: Mapping[str, Any]) -> Activity:
    """Add what a unit offers; facts: columns of Activity."""
    code = "".join(secrets.choice(_CODE_SIGNS) for _sign in range(_CODE_LENGTH))
    made = Activity(
        id=uuid4(), code=code, establishment_id=unit.establishment_id, unit_id=unit.id, **facts
    )  # fmt: skip
    session.add(made)
    session.flush()
    _record("activity.created", "activity", made.establishment_id, made.id, ())
    return made


def describe_activity(activity: Activity, facts: Mapping[str, Any]) -> None:
    if changed := _change(activity, facts):
        _record("activity.described", "activity", activity.establishment_id, activity.id, changed)


def _change(row: Any, facts: Mapping[str, Any]) -> Sequence[str]:
    """The names of what was not so before."""
    changed = [name for name, value in facts.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, facts[name])
    session.flush()
    return changed


# -- hours -------------------------------------------------------------------------------------------------------


def set_hours(
    owner: Owner, kind: str, week: Mapping[int, Sequence[tuple[time, time]]], *, on_holidays: bool = False
) -> None:
    """The whole week at once. kind: among models.HOURS_KINDS. week: weekday (0 is Monday) → from, to."""
    session.execute(delete(OpeningHours).where(_theirs(OpeningHours, owner), OpeningHours.kind == kind))
    for weekday, pairs in week.items():
        for opens, closes in pairs:
            session.add(
                OpeningHours(id=uuid4(), kind=kind, weekday=weekday, opens=opens, closes=closes,
                             on_holidays=on_holidays, **belongs(owner))
            )  # fmt: skip
    session.flush()
    _record("offer_hours.changed", _kind(owner), owner.establishment_id, owner.id, [kind])


def announce(
    owner: Owner, starts_on: date, ends_on: date, hours: tuple[time, time] | None = None, reason: str = ""
) -> OpeningException:
    """Closed on these days, both included, or open at other hours."""
    opens, closes = hours or (None, None)
    made = OpeningException(
        id=uuid4(), starts_on=starts_on, ends_on=ends_on, opens=opens, closes=closes, reason=reason, **belongs(owner)
    )
    session.add(made)
    session.flush()
    _record("offer_closure.added", _kind(owner), owner.establishment_id, owner.id, ())
    return made


def take_back(change: OpeningException) -> None:
    """Those days follow the week again."""
    session.delete(change)
    session.flush()
    owner_id = change.site_id or change.unit_id or change.activity_id
    _record("offer_closure.removed", "offer", change.establishment_id, owner_id, ())


# -- contacts ----------------------------------------------------------------------------------------------------


def write_contact(owner: Owner, contact: Contact | None, facts: Mapping[str, Any]) -> Contact:
    """A new contact, or one that changes; facts: columns of Contact."""
    if contact is None:
        contact = Contact(id=uuid4(), position=0, **belongs(owner), **facts)
        session.add(contact)
        session.flush()
    elif not _change(contact, facts):
        return contact
    _record("offer_contact.written", _kind(owner), owner.establishment_id, owner.id, [contact.audience])
    return contact


def remove_contact(contact: Contact) -> None:
    session.delete(contact)
    session.flush()
    owner_id = contact.site_id or contact.unit_id or contact.activity_id
    _record("offer_contact.removed", "offer", contact.establishment_id, owner_id, [contact.audience])


# -- the way inside ----------------------------------------------------------------------------------------------


def picture_of(arriving: Arriving, name: str) -> bytes:
    """The picture drawn again without what it carried (position, comments, code): JPEG. Outside a write transaction.
    Raises FileRefused, CannotCopy, NotScanned."""
    stored = files.inspect(arriving, name, kinds=PICTURES)
    try:
        if stored.state != "clean":
            raise NotScanned
        made: Copy = copy_of(files.read_set_aside(stored), stored.media_type)
    finally:
        files.discard(stored.storage_key)
    return made.data


def change_plan(site: Site, text: str, picture: bytes | None) -> None:
    """text: what the picture says, for those who do not see it. picture: None keeps the one that is there."""
    plan = session.get(SitePlan, site.id)
    if plan is not None:
        plan.text, plan.changed_at, plan.picture = text, db.now(), picture or plan.picture
    elif picture is not None:
        session.add(SitePlan(site_id=site.id, establishment_id=site.establishment_id, picture=picture, text=text))
    session.flush()
    _record("offer_plan.changed", "site", site.establishment_id, site.id, ())


def remove_plan(site: Site) -> None:
    session.execute(delete(SitePlan).where(SitePlan.site_id == site.id))
    _record("offer_plan.removed", "site", site.establishment_id, site.id, ())


# -- whose it is -------------------------------------------------------------------------------------------------


def belongs(owner: Owner) -> dict[str, UUID]:
    """The columns that say whose hours, days and contacts are."""
    return {"establishment_id": owner.establishment_id, f"{_kind(owner)}_id": owner.id}


def _theirs(model: Any, owner: Owner) -> Any:
    return getattr(model, f"{_kind(owner)}_id") == owner.id


def _kind(owner: Owner) -> str:
    return {Site: "site", Unit: "unit", Activity: "activity"}[type(owner)]


def _record(action: str, kind: str, establishment_id: UUID, object_id: UUID | None, changed: Sequence[str]) -> None:
    audit.record(
        action,
        establishment_id=establishment_id,
        object_kind=kind,
        object_id=object_id,
        changed=" ".join(sorted(changed)),
    )
