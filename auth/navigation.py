"""The menus and the account corner of every page."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext as _

from auth import bands
from portal import catalog, db
from portal.catalog import Card, Group
from portal.db import Actor
from portal.web.unit_of_work import who


@dataclass(frozen=True)
class Item:
    """An entry of a menu. pages: what it opens on, when it stands for several pages."""

    label: Any
    href: str
    icon: str = ""
    active: bool = False
    pages: tuple["Item", ...] = ()


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
        return _marked(_staff_items(actor))
    audience = "professional" if actor.kind == "professional" else "patient"
    return _marked([Item(card.title, url_for(card.endpoint), card.icon) for card in catalog.cards(audience)])


def _staff_items(actor: Actor) -> list[Item]:
    entries: dict[Group | str, list[Card]] = {}
    seen: set[str] = set()
    for card in catalog.staff_cards():
        if card.staff_endpoint in seen:
            continue  # offered for several rights: it stands once, where it comes first
        # Without a right: for every agent, since the room looks by itself at who may see what.
        if actor.may(card.right) if card.right else actor.establishments:
            entries.setdefault(card.group or card.code, []).append(card)
            seen.add(card.staff_endpoint)
    first = [Item(_("What waits"), url_for("admin_digests.overview"), "inbox")] if entries else []
    if actor.may("administration"):
        first.insert(0, Item(_("Dashboard"), url_for("admin.dashboard"), "chart-column"))
    return first + [_entry(cards) for cards in entries.values()]


def _entry(cards: list[Card]) -> Item:
    """One tray, or the group of several."""
    pages = tuple(Item(card.staff_title, url_for(card.staff_endpoint), card.icon) for card in cards)
    group = cards[0].group
    return Item(group.title, pages[0].href, group.icon, pages=pages) if group and len(pages) > 1 else pages[0]


def _account_items(actor: Actor) -> list[Item]:
    if actor.kind == "anonymous":
        return []
    items = [Item(_("My account"), url_for("account.show"), "user")]
    if actor.kind in ("professional", "staff"):
        items.insert(0, Item(_("What is new"), url_for("news.overview"), "bell"))
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
    hrefs = [page.href for item in items for page in (item, *item.pages)]
    here = max((href for href in hrefs if _is_under(request.path, href)), key=len, default="")
    return [_marked_at(here, item) for item in items]


def _marked_at(here: str, item: Item) -> Item:
    pages = tuple(_marked_at(here, page) for page in item.pages)
    return replace(item, pages=pages, active=item.href == here or any(page.active for page in pages))


def _is_under(path: str, href: str) -> bool:
    return path == href or path.startswith(href.rstrip("/") + "/")
