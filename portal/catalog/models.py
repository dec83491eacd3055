"""Services open at hospitals, links to those of others, and who changed them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

Texts = dict[str, dict[str, str]]
"""Language → part (`title`, `lead`, `scope`, `uses`) → words."""

AUDIENCES = ("patient", "professional", "everybody")
REACHES = ("national", "regional", "own")
"""Whose service a link leads to: the State's or the health insurance's, the region's, the hospital's own."""


class PublishedService(Base):
    """A service is open at a hospital from a day, until it is closed (that day it is closed already).

    texts: what this hospital says of it instead of the usual words. position: its rank on the home page; small first.
    """

    __tablename__ = "published_service"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    opened_on: Mapped[date] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)
    texts: Mapped[Texts] = mapped_column(JSONB, default=dict, server_default="{}")
    position: Mapped[int] = mapped_column(default=0, server_default="0")


class ServiceLink(Keyed, Base):
    """A service that somebody else gives, linked to from the home page. establishment_id: None for the whole group.

    code: in its address here, `/services/<code>/ouvrir`. audience: among AUDIENCES. reach: among REACHES.
    """

    __tablename__ = "service_link"

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    code: Mapped[str] = mapped_column(unique=True, server_default="")
    url: Mapped[str] = mapped_column(server_default="")
    audience: Mapped[str] = mapped_column(server_default="")
    reach: Mapped[str] = mapped_column(server_default="")
    icon: Mapped[str] = mapped_column(server_default="")
    texts: Mapped[Texts] = mapped_column(JSONB, default=dict, server_default="{}")
    position: Mapped[int] = mapped_column(default=0, server_default="0")
    opened_on: Mapped[date] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)


class LinkHost(Keyed, Base):
    """A name of the Internet that links may lead to, beside the national ones. establishment_id: None for the group."""

    __tablename__ = "link_host"

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    host: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str] = mapped_column(server_default="")
    actor_name: Mapped[str] = mapped_column(server_default="")
    added_at: Mapped[datetime] = mapped_column(default=db.now)


class CatalogChange(Keyed, Base):
    """One change of a service or of a link: what it was and what it became. Never changed itself.

    kind: service or link. subject: the service's code, or the link's id.
    """

    __tablename__ = "catalog_change"
    __table_args__ = (Index("ix_catalog_change_kind_subject", "kind", "subject"),)

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    kind: Mapped[str] = mapped_column(Text, server_default="")
    subject: Mapped[str] = mapped_column(server_default="")
    former: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    latter: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    actor: Mapped[str] = mapped_column(server_default="")
    actor_name: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
