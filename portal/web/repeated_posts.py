"""Posts that may be repeated safely: a double click, a reload, a network that retries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from uuid import UUID

from flask import abort, redirect, request
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response

from portal import db, jobs
from portal.db import Base, session


class RepeatedPost(Base):
    """The first answer to a post that carries an idempotency key; a repeated one gets it again."""

    __tablename__ = "repeated_post"

    key: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(primary_key=True)
    location: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)


View = Callable[..., Any]
KEEP = timedelta(days=2)


def once(view: View) -> View:
    """Let a POST with an idempotency key (`once`) act once; the same post again is sent where the first one led.

    The key is written in the request's transaction: two posts at the same time wait for each other, and a refused
    post (status 400 or more) leaves no trace.
    """

    @wraps(view)
    def answer(**arguments: Any) -> Any:
        if request.method != "POST":
            return view(**arguments)
        key, actor = _key(request.form.get("once", "")), db.current_actor().label
        if not _first_time(key, actor):
            return redirect(_first_answer(key, actor), 303)
        response = view(**arguments)
        if isinstance(response, Response) and response.status_code in (302, 303):
            _keep_answer(key, actor, response.location or "/")
        return response

    return answer


@jobs.periodic("29 4 * * *", "web.forget_posts")
def forget_posts() -> None:
    """Delete keys that no browser will repeat any more."""
    with jobs.reading() as current:
        current.execute(delete(RepeatedPost).where(RepeatedPost.created_at < db.now() - KEEP))


def _key(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        abort(400)


# Texts: every post that creates something sends these two, and building them took longer than sending them.
_CLAIM = text(
    "insert into repeated_post (key, actor, location, created_at) values (:key, :actor, '', :now)"
    " on conflict do nothing returning key"
)
_KEEP = "update repeated_post set location = :location where key = :key and actor = :actor"


def _first_time(key: UUID, actor: str) -> bool:
    return session.scalar(_CLAIM, {"key": key, "actor": actor, "now": db.now()}) is not None


def _keep_answer(key: UUID, actor: str, location: str) -> None:
    db.write_later(_KEEP, {"key": key, "actor": actor, "location": location})


def _first_answer(key: UUID, actor: str) -> str:
    answer = session.scalar(select(RepeatedPost.location).where(RepeatedPost.key == key, RepeatedPost.actor == actor))
    return answer or "/"
