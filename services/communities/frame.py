"""The door and the menu of a community: what all its pages share, those of its library too.

A blueprint made with `members_only` opens only to active members of the community named by `community_id` in the
address, who have accepted its charter as it is now; everybody else gets a 404, as if it did not exist.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, g, redirect, request, url_for
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web import errors
from services.communities import queries, rights
from services.communities.queries import Seat

AUDIENCES = ("professional", "staff")
PREFIX = "/communautes/<uuid:community_id>"


@dataclass(frozen=True)
class Entry:
    """A line of the menu of each community. least: the role from which it is shown. prefixes: endpoints under it.

    count: how many things wait there for this member, shown beside the label.
    """

    rank: int
    label: Any
    endpoint: str
    prefixes: tuple[str, ...] = ()
    least: str = rights.MEMBER
    count: Callable[[Seat], int] | None = None


_entries: dict[str, Entry] = {}


def offer(*entries: Entry) -> None:
    """Add lines to the menu; the same endpoint once."""
    _entries.update({entry.endpoint: entry for entry in entries})


def professionals_only(blueprint: Blueprint) -> Blueprint:
    """For practitioners and agents, whoever they are; patients are told that there is nothing here."""
    blueprint.before_request(_check_audience)
    return guards.signed_in(blueprint)


def members_only(blueprint: Blueprint) -> Blueprint:
    """For active members who have accepted the charter. Every address of it begins with `PREFIX`."""
    professionals_only(blueprint)
    blueprint.before_request(_check_seat)
    blueprint.context_processor(_in_templates)
    return blueprint


def account_id() -> UUID:
    """Who is signed in. Only inside these blueprints."""
    found = db.current_actor().account_id
    if found is None:
        abort(403)
    return found


def seat() -> Seat:
    """The place of the signed-in member in the community of the page. Only inside `members_only` blueprints."""
    found: Seat = g.community_seat
    return found


def require(least: str) -> None:
    """403 for members whose role has less than this one."""
    if not seat().at_least(least):
        abort(403)


def require_open(least: str) -> None:
    """The same, and 409 when the community is closed: a page that was open meanwhile says so."""
    require(least)
    if not seat().is_open:
        words = _l("Everything in it can still be read. Nothing more can be written.")
        abort(errors.page(409, _l("This community is closed"), words))


def page_number() -> int:
    """The page of a list that is asked for, from 1."""
    asked = request.args.get("page", "")
    return min(int(asked), 10_000) if asked.isascii() and asked.isdigit() and 0 < len(asked) < 6 and int(asked) else 1


def _check_audience() -> Response | None:
    actor = db.current_actor()
    if actor.kind == "anonymous":
        return guards.to_the_door("professional")
    if actor.kind not in AUDIENCES:
        abort(404)
    return None


def _check_seat() -> Response | None:
    found = queries.seat(account_id(), (request.view_args or {})["community_id"])
    if found is None:
        abort(404)
    g.community_seat = found
    if not found.charter_accepted:
        return redirect(url_for("communities.charter", community_id=found.community.id), 303)
    return None


def _in_templates() -> dict[str, Any]:
    return {"seat": g.get("community_seat"), "community_menu": _menu}


def _menu() -> Sequence[dict[str, Any]]:
    own = seat()
    shown = sorted((entry for entry in _entries.values() if own.at_least(entry.least)), key=lambda entry: entry.rank)
    return [
        {
            "label": entry.label,
            "href": url_for(entry.endpoint, community_id=own.community.id),
            "active": request.endpoint == entry.endpoint
            or any((request.endpoint or "").startswith(prefix) for prefix in entry.prefixes),
            "count": (entry.count(own) or None) if entry.count else None,
        }
        for entry in shown
    ]
