"""To whom a reason is offered: conditions on reasons, for queries."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from portal import catalog
from services.appointments.models import SERVICE, Reason


def open_online() -> ColumnElement[bool]:
    """Reasons that patients may book themselves, at hospitals where the service is open today."""
    return and_(Reason.bookable_online, _is_given())


def open_to_city() -> ColumnElement[bool]:
    """Reasons that practitioners of the city may book for their patients, those by referral only included."""
    return and_(Reason.open_to_city, _is_given())


def _is_given() -> ColumnElement[bool]:
    return and_(Reason.closed_at.is_(None), published(Reason.establishment_id))


def published(establishment_id: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether that hospital's appointment service is open today."""
    return catalog.open_at(SERVICE, establishment_id)
