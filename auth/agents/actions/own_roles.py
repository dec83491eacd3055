"""The functions that a hospital names itself: bundles of rights, which tick boxes and grant nothing."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from auth.agents.models import StaffRole
from portal import audit, db
from portal.db import RIGHTS, session


class RoleExists(Exception):
    """The hospital has another role of this name."""


def name_role(establishment_id: UUID, name: str, rights: Collection[str]) -> StaffRole:
    """Name a new role of a hospital. Raises RoleExists."""
    role = StaffRole(establishment_id=establishment_id, name="", rights=[])
    _check(role, name)
    return _written(role, name, rights)


def change_role(role: StaffRole, name: str, rights: Collection[str]) -> None:
    """Change the name or the rights of a role: agents keep the rights they have. Raises RoleExists."""
    _check(role, name)
    _written(role, name, rights)


def remove_role(role: StaffRole) -> None:
    """Forget a role: agents keep the rights they have."""
    _record("role.removed", role)
    session.delete(role)


def _check(role: StaffRole, name: str) -> None:
    query = select(StaffRole).where(StaffRole.establishment_id == role.establishment_id, StaffRole.name == name)
    if session.scalar(query) not in (None, role):
        raise RoleExists


def _written(role: StaffRole, name: str, rights: Collection[str]) -> StaffRole:
    try:
        with session.begin_nested():
            role.name, role.rights, role.changed_at = name, [each for each in RIGHTS if each in rights], db.now()
            session.add(role)
    except IntegrityError as error:  # another administrator named the same one meanwhile
        raise RoleExists from error
    _record("role.saved", role)
    return role


def _record(what: str, role: StaffRole) -> None:
    audit.record(
        what,
        establishment_id=role.establishment_id,
        object_kind="staff_role",
        object_id=role.id,
        rights=", ".join(role.rights),
    )
