"""The digital services on offer, per establishment: what rooms there are, and where each is open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, session


@dataclass(frozen=True, eq=False)
class Group:
    """Trays of the staff that share one entry of the menu: a line of it for each right would fill the screen."""

    title: Any
    icon: str


@dataclass(frozen=True)
class Card:
    """How a room presents itself. Texts are lazy translations; endpoints are Flask's.

    audience: patient | professional. staff_endpoint: its tray, shown to staff holding `right`, under `group` if any.
    waiting: how many things there wait for the signed-in person, asked once when their home shows the card.
    """

    code: str
    title: Any
    text: Any
    icon: str
    endpoint: str
    audience: str = "patient"
    staff_title: Any = ""
    staff_endpoint: str = ""
    right: str = ""
    group: Group | None = None
    waiting: Callable[[], int] | None = None


_cards: dict[str, Card] = {}


def offer(card: Card) -> None:
    """A room puts its card in the catalogue."""
    _cards[card.code] = card


def cards(audience: str = "patient") -> Sequence[Card]:
    """The cards for an audience, in the order the rooms were registered."""
    return [card for card in _cards.values() if card.audience == audience]


def staff_cards() -> Sequence[Card]:
    return [card for card in _cards.values() if card.staff_endpoint]


class PublishedService(Base):
    """A service is open at a hospital from a day, until it is closed."""

    __tablename__ = "published_service"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    opened_on: Mapped[date] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)


def publish(establishment_id: UUID, code: str, opened_on: date) -> None:
    """Open a service at a hospital."""
    session.merge(PublishedService(establishment_id=establishment_id, code=code, opened_on=opened_on, closed_on=None))


def open_codes(establishment_id: UUID | None = None) -> frozenset[str]:
    """Services open today at the hospital, or at any hospital of the group."""
    return frozenset(
        session.scalars(
            _open_on(func.current_date(), establishment_id).with_only_columns(PublishedService.code).distinct()
        )
    )


def _open_on(day: Any, establishment_id: UUID | None) -> Any:
    query = select(PublishedService).where(
        PublishedService.opened_on <= day,
        PublishedService.closed_on.is_(None) | (PublishedService.closed_on > day),
    )
    return query.where(PublishedService.establishment_id == establishment_id) if establishment_id else query
