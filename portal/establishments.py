"""Hospitals of the group (FINESS), their sites, units and practitioners, and per-hospital settings."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import calendar
from portal.db import Base, Keyed, session


class UnknownEstablishment(Exception):
    """No hospital of the group has this FINESS number."""


class Establishment(Keyed, Base):
    """A hospital (legal FINESS, 9 digits).

    holidays: whose public holidays it keeps (calendar.HOLIDAY_RULES; empty: as its clock tells). school_zone: whose
    school holidays its agendas follow, if any.
    """

    __tablename__ = "establishment"

    finess: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short_name: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="Europe/Paris")
    brand_colour: Mapped[str] = mapped_column(default="#1f5c63")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    holidays: Mapped[str] = mapped_column(default="", server_default="")
    school_zone: Mapped[str] = mapped_column(default="", server_default="")

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def holiday_rules(self) -> str:
        """Whose public holidays it keeps."""
        return calendar.holiday_rules(self.holidays, self.time_zone)


class EstablishmentSetting(Base):
    """What differs per hospital: door addresses, PayFiP client number, delays. A secret one is read by jobs and
    administrators only, and its value is sealed (`seal_secrets_with`)."""

    __tablename__ = "establishment_setting"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    secret: Mapped[bool] = mapped_column(default=False)

    @property
    def opened(self) -> str:
        """The value, whether it is sealed or not."""
        open_ = _seals.open_ if self.secret else None
        return open_(_purpose(self.establishment_id, self.key), self.value) if open_ else self.value


class Site(Keyed, Base):
    """A place of an establishment (geographical FINESS).

    town: as patients say where it is. for_wheelchairs: no step to the units; for_hearing: a hearing loop, or somebody
    who signs; for_sight: somebody who guides, signs in relief. latitude, longitude: of its main door, in degrees
    (WGS 84). access: which door, in short; transport, parking, on_foot: how to come there. ror: its identifier in the
    regional directory. opens_on, closes_on: the first day and the last one, when they are known.
    """

    __tablename__ = "site"
    __table_args__ = (
        UniqueConstraint("establishment_id", "finess_et"),
        CheckConstraint(
            "(latitude is null) = (longitude is null) and latitude between -90 and 90"
            " and longitude between -180 and 180",
            "place",
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    finess_et: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    access: Mapped[str] = mapped_column(default="")
    town: Mapped[str] = mapped_column(default="", server_default="")
    for_wheelchairs: Mapped[bool] = mapped_column(default=False, server_default="false")
    for_hearing: Mapped[bool] = mapped_column(default=False, server_default="false")
    for_sight: Mapped[bool] = mapped_column(default=False, server_default="false")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    transport: Mapped[str] = mapped_column(default="", server_default="")
    parking: Mapped[str] = mapped_column(default="", server_default="")
    on_foot: Mapped[str] = mapped_column(default="", server_default="")
    ror: Mapped[str] = mapped_column(default="", server_default="")
    opens_on: Mapped[date | None]
    closes_on: Mapped[date | None]

    establishment: Mapped[Establishment] = relationship()


class Unit(Keyed, Base):
    """A functional unit (UF) where patients are received. presentation: what it does, for patients. ror, opens_on,
    closes_on: as a site's."""

    __tablename__ = "unit"
    __table_args__ = (UniqueConstraint("establishment_id", "uf"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"), index=True)
    uf: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    floor: Mapped[str] = mapped_column(default="")
    presentation: Mapped[str] = mapped_column(default="", server_default="")
    ror: Mapped[str] = mapped_column(default="", server_default="")
    opens_on: Mapped[date | None]
    closes_on: Mapped[date | None]

    establishment: Mapped[Establishment] = relationship()
    site: Mapped[Site] = relationship()


class Practitioner(Keyed, Base):
    """A hospital practitioner, as patients know them. languages: those spoken beside French (ISO 639)."""

    __tablename__ = "practitioner"
    __table_args__ = (UniqueConstraint("establishment_id", "rpps"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    rpps: Mapped[str]
    title: Mapped[str] = mapped_column(default="Dr")
    family_name: Mapped[str]
    given_name: Mapped[str]
    speciality: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")

    unit: Mapped[Unit] = relationship()

    @property
    def full_name(self) -> str:
        return f"{self.title} {self.given_name} {self.family_name}"


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


Seal = Callable[[str, str], str]
"""A purpose and a text → the text, sealed or opened; what was never sealed opens as it is."""


@dataclass
class _Seals:
    seal: Seal | None = None
    open_: Seal | None = None


_seals = _Seals()


def seal_secrets_with(seal: Seal, open_: Seal) -> None:
    """Keep secret settings sealed: whoever has the database alone opens no account with it."""
    _seals.seal, _seals.open_ = seal, open_


def setting(establishment_id: UUID, key: str, default: str = "") -> str:
    found = session.get(EstablishmentSetting, (establishment_id, key))
    return found.opened if found else default


def settings(establishment_id: UUID, keys: Collection[str]) -> dict[str, str]:
    """Several settings at once; "" for one that is not set."""
    rows = session.scalars(
        select(EstablishmentSetting).where(
            EstablishmentSetting.establishment_id == establishment_id, EstablishmentSetting.key.in_(keys)
        )
    )
    return dict.fromkeys(keys, "") | {row.key: row.opened for row in rows}


def _purpose(establishment_id: UUID, key: str) -> str:
    # A sealed value is good for this hospital and this setting: moved elsewhere, it does not open.
    return f"setting {establishment_id} {key}"


Check = Callable[[str, str], bool]
_checks: list[Check] = []


def check_setting_with(check: Check) -> None:
    """Ask this, given a key and a value, before a setting is written: it raises a ValueError, or returns whether the
    setting is a secret."""
    if check not in _checks:
        _checks.append(check)


def change_setting(establishment_id: UUID, key: str, value: str, *, secret: bool = False) -> None:
    """Set one setting of a hospital. Raises a ValueError when its value makes no sense."""
    for check in _checks:
        secret = check(key, value) or secret
    if secret and _seals.seal:
        value = _seals.seal(_purpose(establishment_id, key), value)
    session.merge(EstablishmentSetting(establishment_id=establishment_id, key=key, value=value, secret=secret))
