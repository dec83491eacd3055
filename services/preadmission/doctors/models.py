"""A doctor of the public register, at one place of work."""

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Keyed


class Doctor(Keyed, Base):
    """rpps: eleven digits. speciality: as the register writes it. name_key, town_key: what they are searched by."""

    __tablename__ = "doctor"
    __table_args__ = (
        UniqueConstraint("rpps", "postcode", "town"),
        Index("ix_doctor_name_key", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
    )

    rpps: Mapped[str]
    family_name: Mapped[str]
    given_name: Mapped[str]
    speciality: Mapped[str] = mapped_column(default="")
    postcode: Mapped[str] = mapped_column(default="")
    town: Mapped[str] = mapped_column(default="")
    name_key: Mapped[str]
    town_key: Mapped[str] = mapped_column(default="")

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}"
