"""Hospitals of the group (FINESS), their sites, units and practitioners, and per-hospital settings."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.db import session
from portal.establishments.days import goes_on, today_at, today_in
from portal.establishments.models import Establishment, EstablishmentLogo, Practitioner, Site, Unit, UnitClosing
from portal.establishments.own_settings import (
    EstablishmentSetting,
    SettingChange,
    change_setting,
    check_setting_with,
    history,
    remove_setting,
    seal_secrets_with,
    setting,
    settings,
)

__all__ = [
    "Establishment", "EstablishmentLogo", "EstablishmentSetting", "Practitioner", "SettingChange", "Site", "Unit",
    "UnitClosing", "UnknownEstablishment", "add", "by_finess", "change_setting", "check_setting_with", "establishments",
    "goes_on", "history", "remove_setting", "seal_secrets_with", "setting", "settings", "today_at", "today_in",
]  # fmt: skip


class UnknownEstablishment(Exception):
    """No hospital of the group has this FINESS number."""


def establishments() -> Sequence[Establishment]:
    """Every hospital of the group, by name."""
    return session.scalars(select(Establishment).order_by(Establishment.name)).all()


def by_finess(finess: str) -> Establishment:
    """Raises UnknownEstablishment."""
    found = session.scalar(select(Establishment).where(Establishment.finess == finess))
    if found is None:
        raise UnknownEstablishment(finess)
    return found


def add(finess: str, name: str) -> Establishment:
    """Add a hospital, or rename the one that has this FINESS."""
    statement = insert(Establishment).values(finess=finess, name=name)
    session.execute(statement.on_conflict_do_update(index_elements=["finess"], set_={"name": name}))
    return by_finess(finess)
