"""The menus and the account corner of every page."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _

from auth import bands
from portal import catalog, db
from portal.db import Actor
from portal.web.unit_of_work import who


@dataclass(frozen=True)
class Item:
    label: Any
    href: str
    icon: str = ""
    active: bool = False


def register(app: Flask) -> None:
    app.context_processor(_in_templates)


def _in_templates() -> dict[str, object]:
    actor = who()
    return {
        "who": actor,
        "signed_in": g.get("signed_in"),
        "session_left_s": _session_left_s(),
        "nav_items": _items(actor),
        "account_items": _account_items(actor),
        "bands": bands.bands,
        "portal_name": current_app.config["SETTINGS"].portal_name,
        "held_form_restored": g.get("held_form_restored", False),
    }


def _session_left_s() -> int:
    """Seconds until the session ends whatever happens; 0 without a session."""
    current = g.get("signed_in")
    return max(0, int((current.expires_at - db.now()).total_seconds())) if current else 0


def _items(actor: Actor) -> list[Item]:
    if actor.kind == "staff":
        cards = [
            Item(card.staff_title, url_for(card.staff_endpoint), card.icon)
            for card in catalog.staff_cards()
            if actor.may(card.right)
        ]
        if actor.may("administration"):
            cards.insert(0, Item(_("Dashboard"), url_for("admin.dashboard"), "chart-column"))
        return _marked(cards)
    audience = "professional" if actor.kind == "professional" else "patient"
    return _marked([Item(card.title, url_for(card.endpoint), card.icon) for card in catalog.cards(audience)])


def _account_items(actor: Actor) -> list[Item]:
    if actor.kind == "anonymous":
        return []
    items = [Item(_("My account"), url_for("account.show"), "user")]
    if actor.kind == "professional":
        items += [
            Item(_("Where I work today"), url_for("practice.sites"), "map-pin"),
            Item(_("Delegations"), url_for("delegations.overview"), "users"),
        ]
    if actor.kind == "staff" and actor.establishments:
        items.append(Item(_("Emergency access"), url_for("admin_emergencies.open_file"), "siren"))
    return items


def _marked(items: list[Item]) -> list[Item]:
    """Mark the entry of the page: the longest address that the page is under (`/admin/` is above all the others)."""
    here = [item.href for item in items if _is_under(request.path, item.href)]
    return [replace(item, active=item.href == max(here, key=len, default="")) for item in items]


def _is_under(path: str, href: str) -> bool:
    return path == href or path.startswith(href.rstrip("/") + "/")
