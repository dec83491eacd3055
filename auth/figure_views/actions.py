"""An agent saves a page of figures under a name, shares it with a hospital, starts with it, removes it."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from auth.figure_views.models import FigureView, FigureViewStart
from portal import audit, db
from portal.db import session

MOST_VIEWS = 50


class NameTaken(Exception):
    """The agent has a view of this name."""


class TooManyViews(Exception):
    """The agent has as many views as anybody may keep."""


def save(
    name: str, page: str, subject: str, choice: Mapping[str, str], *, establishment_id: UUID | None = None
) -> FigureView:
    """Keep a page under a name. establishment_id: the hospital whose administrators may open it; None for oneself.

    Raises NameTaken, TooManyViews.
    """
    account_id = _account()
    names = session.scalars(select(FigureView.name).where(FigureView.account_id == account_id)).all()
    if name in names:
        raise NameTaken(name)
    if len(names) >= MOST_VIEWS:
        raise TooManyViews
    view = FigureView(
        id=uuid4(), account_id=account_id, establishment_id=establishment_id, name=name, page=page, subject=subject,
        choice=dict(choice),
    )  # fmt: skip
    session.add(view)
    session.flush()
    _record("figure_view.saved", view)
    return view


def share(view: FigureView, establishment_id: UUID | None) -> None:
    """Let the administrators of a hospital open it; None keeps it to oneself again."""
    if view.establishment_id == establishment_id:
        return
    # Whoever lost it from their eyes reads in their journal that it went.
    former = view.establishment_id
    view.establishment_id = establishment_id
    session.flush()
    _record("figure_view.shared", view, place=establishment_id or former)


def remove(view: FigureView) -> None:
    """Forget it, for whoever started with it too."""
    _record("figure_view.removed", view)
    session.delete(view)
    session.flush()


def start_with(view: FigureView | None) -> None:
    """Open one's first page with this view; None: with the usual figures."""
    account_id = _account()
    if view is None:
        session.execute(delete(FigureViewStart).where(FigureViewStart.account_id == account_id))
        audit.record("figure_view.chosen", object_kind="figure_view")
        return
    row = insert(FigureViewStart).values(account_id=account_id, view_id=view.id)
    session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_={"view_id": view.id}))
    _record("figure_view.chosen", view)


def _account() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "views are of signed-in agents"
    return account_id


def _record(event: str, view: FigureView, place: UUID | None = None) -> None:
    audit.record(
        event, establishment_id=place or view.establishment_id, object_kind="figure_view", object_id=view.id
    )  # fmt: skip
