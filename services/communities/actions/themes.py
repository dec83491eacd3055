"""Themes sort discussions, and are the lists that announcements are sent to: each member takes those they want."""

from uuid import UUID, uuid4

from sqlalchemy import delete, select

from portal import db
from portal.db import session
from services.communities import rights, traces
from services.communities.actions import NotThere, writable
from services.communities.models import Subscription, Theme
from services.communities.queries import Seat


class NameTaken(Exception):
    """Another theme of the community has this name."""


def add(seat: Seat, name: str, description: str) -> Theme:
    """Raises CommunityClosed, NotAllowed, NameTaken."""
    writable(seat, rights.MODERATOR)
    _refuse_taken(seat, name)
    made = Theme(id=uuid4(), community_id=seat.community.id, name=name, description=description)
    session.add(made)
    session.flush()
    _note(seat, "community_theme.added", made)
    return made


def archive(seat: Seat, theme_id: UUID, *, archived: bool) -> None:
    """Nothing new is sorted under it any more, or again. Raises CommunityClosed, NotAllowed, NotThere."""
    writable(seat, rights.MODERATOR)
    found = _theme(seat, theme_id)
    found.archived_at = db.now() if archived else None
    _note(seat, "community_theme.archived" if archived else "community_theme.reopened", found)


def subscribe(seat: Seat, theme_id: UUID) -> None:
    """Be told of a theme from now on. Raises NotThere."""
    found = _theme(seat, theme_id)
    if session.get(Subscription, (theme_id, seat.member.account_id)) is None:
        session.add(Subscription(theme_id=theme_id, account_id=seat.member.account_id, community_id=seat.community.id))
        _note(seat, "community_theme.subscribed", found)


def unsubscribe(seat: Seat, theme_id: UUID) -> None:
    """Not be told of it any more. Raises NotThere."""
    found = _theme(seat, theme_id)
    session.execute(
        delete(Subscription).where(Subscription.theme_id == theme_id, Subscription.account_id == seat.member.account_id)
    )
    _note(seat, "community_theme.unsubscribed", found)


def _theme(seat: Seat, theme_id: UUID) -> Theme:
    found = session.scalar(select(Theme).where(Theme.id == theme_id, Theme.community_id == seat.community.id))
    if found is None:
        raise NotThere
    return found


def _refuse_taken(seat: Seat, name: str) -> None:
    names = session.scalars(select(Theme.name).where(Theme.community_id == seat.community.id))
    if name.casefold() in {each.casefold() for each in names}:
        raise NameTaken


def _note(seat: Seat, action: str, theme: Theme) -> None:
    traces.record(
        seat.community.id, action, object_kind="community_theme", object_id=theme.id, label=theme.name,
        establishment_id=seat.community.establishment_id,
    )  # fmt: skip
