"""Functions in a hospital, usual ones and its own, as bundles of rights: a role ticks its rights in a form and grants
nothing itself."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth.agents.models import StaffRole
from portal.db import session


@dataclass(frozen=True)
class Role:
    """A function as the hospital names it, and the rights that it usually needs (`portal.db.RIGHTS`)."""

    code: str
    title: Any
    rights: tuple[str, ...]


ROLES = (
    Role("admissions", _l("Admissions clerk"), ("preadmission",)),
    Role("care", _l("Care team"), ("care",)),
    Role("appointments", _l("Appointments agent"), ("appointments",)),
    Role("billing", _l("Billing agent"), ("billing",)),
    Role("secretary", _l("Medical secretary"), ("appointments", "documents", "referrals")),
    Role("identity", _l("Identity unit"), ("identity",)),
    Role("administrator", _l("Administrator"), ("administration",)),
    Role("auditor", _l("Auditor"), ("audit",)),
)


def offered(establishment_ids: Collection[UUID]) -> list[Role]:
    """The usual roles, then those that these hospitals named themselves."""
    query = select(StaffRole).where(StaffRole.establishment_id.in_(establishment_ids)).order_by(StaffRole.name)
    return [*ROLES, *(Role(str(each.id), each.name, tuple(each.rights)) for each in session.scalars(query))]


def role(code: str, among: Collection[Role] = ROLES) -> Role | None:
    """The role with this code."""
    return next((each for each in among if each.code == code), None)


def named(rights: Collection[str]) -> Role | None:
    """The role whose rights are exactly these."""
    return next((each for each in ROLES if set(each.rights) == set(rights)), None)
