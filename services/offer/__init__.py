"""What the group offers and where: units, activities, contacts, opening hours, access. The operational directory.

A low room: rooms above import `queries` (its first lines say what it answers), and offer links with `linked.offer`.
"""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.wording import say
from portal import catalog
from portal.catalog import Card
from services.offer import api, digest, journal, retention, routes_pro, routes_public, wording


def register(app: Flask) -> None:
    """Furnish the room: public pages, practitioners' pages, what search engines read."""
    say(journal.WORDS)
    wording.register(app)
    for pages in (routes_public.pages, routes_public.engines, routes_pro.pages):
        app.register_blueprint(pages)
    api.register(app)
    retention.declare()
    digest.declare()
    text = _l("Units, activities and direct contacts of the group’s hospitals: where, when, for whom.")
    catalog.offer(Card("offer", _l("Directory of the hospitals"), text, "hospital", "pro_offer.search", "professional"))


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
