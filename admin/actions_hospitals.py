"""A hospital joins the group, presents itself, wears its colour and its logo, and changes its settings."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from auth.agents import administrators
from auth.agents.administrators import ADMINISTRATION
from auth.models import Account, StaffRight
from portal import audit, db, establishments, files
from portal.db import session
from portal.establishments import Establishment, EstablishmentLogo, SettingChange
from portal.file_sniffing import Kind
from portal.files import Arriving
from portal.files_apart import emblem

PICTURES: Final = frozenset((Kind.PNG, Kind.JPEG))
LOGO_BOX: Final = (320, 80)
"""Pixels: twice the room that the header gives it."""


class NotOfTheGroup(Exception):
    """The agent does not administer every hospital of the group: they add none to it."""


class FinessTaken(Exception):
    """A hospital of the group has this number already."""


class NotScanned(Exception):
    """The antivirus does not answer: a picture that everybody will see waits for it."""


class SecretForgotten(Exception):
    """No history keeps a secret: it cannot be given back."""


def administers_group() -> bool:
    """Whether the agent administers every hospital there is, one at least."""
    mine = db.current_actor().rights.get(ADMINISTRATION, frozenset())
    total = session.scalar(select(func.count()).select_from(Establishment)) or 0
    return 0 < total == len(mine)


def open_hospital(facts: Mapping[str, Any]) -> UUID:
    """Add a hospital to the group; nothing is open there yet. It is administered by everybody who administers the whole
    group: if it were by whoever adds it alone, they would be the only one left to speak for the group.

    facts: columns of Establishment. Raises NotOfTheGroup, FinessTaken.
    """
    if db.current_actor().account_id is None or not administers_group():
        raise NotOfTheGroup
    adding = insert(Establishment).values(id=uuid4(), **facts).on_conflict_do_nothing(index_elements=["finess"])
    with administrators.as_the_system("hospitals.open"):  # nobody administers a hospital that is not there yet
        everybody = _group_administrators()
        made: UUID | None = session.scalar(adding.returning(Establishment.id))
        if made is not None:
            session.add_all(
                StaffRight(account_id=each, establishment_id=made, right=ADMINISTRATION) for each in everybody
            )
    if made is None:
        raise FinessTaken
    _record("establishment.created", made, finess=facts["finess"])
    for each in everybody:
        audit.record(
            "right.granted", establishment_id=made, object_kind="account", object_id=each, right=ADMINISTRATION
        )
    return made


def _group_administrators() -> Sequence[UUID]:
    """The open accounts that administer every hospital there is. As the system."""
    total = select(func.count()).select_from(Establishment).scalar_subquery()
    holders = select(StaffRight.account_id).join(Account, Account.id == StaffRight.account_id)
    holders = holders.where(StaffRight.right == ADMINISTRATION, Account.closed_at.is_(None))
    return session.scalars(holders.group_by(StaffRight.account_id).having(func.count() == total)).all()


def describe(hospital: Establishment, facts: Mapping[str, Any]) -> bool:
    """What is known of it; whether anything changed."""
    changed = [name for name, value in facts.items() if getattr(hospital, name) != value]
    for name in changed:
        setattr(hospital, name, facts[name])
    session.flush()
    if changed:
        _record("establishment.described", hospital.id, changed=" ".join(sorted(changed)))
    return bool(changed)


# -- logo --------------------------------------------------------------------------------------------------------


def logo_of(arriving: Arriving, name: str) -> tuple[bytes, int, int]:
    """The picture drawn again, small and without what it carried: a PNG, its width and height in pixels. Outside a
    write transaction. Raises FileRefused, CannotCopy, NotScanned."""
    stored = files.inspect(arriving, name, kinds=PICTURES)
    try:
        if stored.state != "clean":
            raise NotScanned
        return emblem(files.read_set_aside(stored), LOGO_BOX)
    finally:
        files.discard(stored.storage_key)


def wear_logo(hospital: Establishment, picture: bytes, width: int, height: int) -> None:
    """Show this picture at the top of pages of the hospital."""
    facts = {"picture": picture, "width": width, "height": height, "digest": sha256(picture).hexdigest()[:12]}
    row = insert(EstablishmentLogo).values(establishment_id=hospital.id, changed_at=db.now(), **facts)
    session.execute(
        row.on_conflict_do_update(index_elements=["establishment_id"], set_=facts | {"changed_at": db.now()}).inline()
    )
    _record("establishment_logo.changed", hospital.id)


def remove_logo(hospital: Establishment) -> None:
    session.execute(delete(EstablishmentLogo).where(EstablishmentLogo.establishment_id == hospital.id))
    _record("establishment_logo.removed", hospital.id)


# -- settings ----------------------------------------------------------------------------------------------------


def choose(hospital: Establishment, key: str, value: str | None, *, secret: bool = False) -> None:
    """Give a setting a value, or none of its own any more. Raises a ValueError when the value makes no sense."""
    if value is None:
        establishments.remove_setting(hospital.id, key)
    else:
        establishments.change_setting(hospital.id, key, value, secret=secret)
    _record("setting.changed", hospital.id, key=key)


def undo(hospital: Establishment, change: SettingChange) -> None:
    """Let a setting be what it was before this change. Raises SecretForgotten, or a ValueError when that value makes no
    sense any more."""
    if change.secret:
        raise SecretForgotten
    choose(hospital, change.key, change.former)


def _record(action: str, establishment_id: UUID, **details: Any) -> None:
    audit.record(
        action,
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        **details,
    )
