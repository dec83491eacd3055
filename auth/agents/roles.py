"""Usual functions in a hospital, as bundles of rights: a role ticks its rights in a form and grants nothing itself."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


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


def role(code: str) -> Role | None:
    """The role with this code."""
    return next((each for each in ROLES if each.code == code), None)


def named(rights: Collection[str]) -> Role | None:
    """The role whose rights are exactly these."""
    return next((each for each in ROLES if set(each.rights) == set(rights)), None)
