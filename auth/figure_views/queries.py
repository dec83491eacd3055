"""The views that an agent may open: their own, and those shared at the hospitals they administer."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from auth.figure_views.models import FigureView, FigureViewStart
from portal import db
from portal.db import session


def views(establishment_ids: Collection[UUID]) -> Sequence[FigureView]:
    """By name. establishment_ids: the hospitals that the agent administers."""
    query = select(FigureView).options(joinedload(FigureView.account), joinedload(FigureView.establishment))
    mine = FigureView.account_id == db.current_actor().account_id
    shared = FigureView.establishment_id.in_(establishment_ids)
    return session.scalars(query.where(or_(mine, shared)).order_by(FigureView.name, FigureView.id)).all()


def view(view_id: UUID, establishment_ids: Collection[UUID]) -> FigureView | None:
    """A view that the agent may open."""
    found = session.get(FigureView, view_id)
    if found is None or found.establishment_id in establishment_ids:
        return found
    return found if found.account_id == db.current_actor().account_id else None


def own_view(view_id: UUID) -> FigureView | None:
    """A view of the agent's own."""
    found = session.get(FigureView, view_id)
    return found if found and found.account_id == db.current_actor().account_id else None


def start() -> FigureView | None:
    """The view that the agent's first page opens with, if they chose one and may still open it."""
    query = select(FigureView).join(FigureViewStart, FigureViewStart.view_id == FigureView.id)
    return session.scalar(query.where(FigureViewStart.account_id == db.current_actor().account_id))
