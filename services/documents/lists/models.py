"""Lists of MSSanté addresses of professionals, by theme."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class CorrespondentList(Keyed, Base):
    """A list of one hospital. theme: what it is about, for whoever chooses."""

    __tablename__ = "correspondent_list"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    name: Mapped[str]
    theme: Mapped[str] = mapped_column(default="", server_default="")
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    removed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    members: Mapped[list["ListMember"]] = relationship(order_by="ListMember.label", cascade="all, delete-orphan")


class ListMember(Keyed, Base):
    """One address of a list. label: its holder, as the national directory named them when it was added."""

    __tablename__ = "list_member"
    __table_args__ = (UniqueConstraint("list_id", "address"),)

    list_id: Mapped[UUID] = mapped_column(ForeignKey("correspondent_list.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    address: Mapped[str]
    label: Mapped[str]
