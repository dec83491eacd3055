"""The tables of hospitals: what they are, their logo, their sites, units and practitioners."""

from datetime import date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import calendar, db
from portal.db import Base, Keyed


class Establishment(Keyed, Base):
    """A hospital (legal FINESS, 9 digits).

    holidays: whose public holidays it keeps (calendar.HOLIDAY_RULES; empty: as its clock tells). school_zone: whose
    school holidays its agendas follow, if any. office_opens_at, office_closes_at: between which hours of its wall clock
    its staff is there, on business days.
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
    office_opens_at: Mapped[time] = mapped_column(default=time(9), server_default="09:00")
    office_closes_at: Mapped[time] = mapped_column(default=time(17), server_default="17:00")

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def holiday_rules(self) -> str:
        """Whose public holidays it keeps."""
        return calendar.holiday_rules(self.holidays, self.time_zone)

    @property
    def office(self) -> calendar.Office:
        """When its staff is there."""
        return calendar.Office(self.tz, self.holiday_rules, self.office_opens_at, self.office_closes_at)


class EstablishmentLogo(Base):
    """The logo that pages of a hospital wear: a PNG drawn again by us, width and height in pixels. digest: the
    beginning of its SHA-256, in its address."""

    __tablename__ = "establishment_logo"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int] = mapped_column(SmallInteger)
    height: Mapped[int] = mapped_column(SmallInteger)
    digest: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)


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


class UnitClosing(Base):
    """What becomes of what is still open at a unit after its last day. heir_id: the unit that takes it over; None: it
    goes back to whoever sent it. message: what they are told then, and whenever the heir cannot take it over."""

    __tablename__ = "unit_closing"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    heir_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    message: Mapped[str] = mapped_column(default="", server_default="")

    unit: Mapped[Unit] = relationship(foreign_keys=unit_id)
    heir: Mapped[Unit | None] = relationship(foreign_keys=heir_id)


class Practitioner(Keyed, Base):
    """A hospital practitioner, as patients know them. languages: those spoken beside French (ISO 639). leaves_on: the
    last day they receive, when it is known."""

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
    leaves_on: Mapped[date | None]

    unit: Mapped[Unit] = relationship()

    @property
    def full_name(self) -> str:
        return f"{self.title} {self.given_name} {self.family_name}"
