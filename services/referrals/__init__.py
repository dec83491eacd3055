"""Referrals: a practitioner of the city asks a unit for an opinion, a visit, an examination or a stay."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.digests import sources
from auth.digests.sources import Waiting
from auth.wording import say
from portal import catalog
from portal.catalog import Card
from services.referrals import (  # noqa: F401 - jobs registers its tasks
    affairs,
    belongings,
    export,
    figures,
    for_patients,
    jobs,
    journal,
    queries,
    retention,
)
from services.referrals.models import RIGHT


def register(app: Flask) -> None:
    """Furnish the room."""
    say(journal.WORDS)
    for part in (belongings, figures, affairs, export, retention):
        part.declare()
    waiting = Waiting("referrals", _l("Referrals"), RIGHT, "admin_referrals.tray", queries.waiting_rows)
    sources.offer(waiting)
    for_patients.register(app)
    _open_to_machines(app)
    _open_to_practitioners(app)


def _open_to_machines(app: Flask) -> None:
    from services.referrals import api, followers

    api.register(app)
    followers.register()


def _open_to_practitioners(app: Flask) -> None:
    from auth.after_sign_in import after_sign_in
    from services.referrals import claims, routes_pro, wording
    from services.referrals.drafts import needs, routes  # noqa: F401 - needs hangs its step on the pages
    from services.referrals.drafts import retention as drafts_kept

    wording.register(app)
    app.register_blueprint(routes_pro.pages)
    app.register_blueprint(routes.pages)
    drafts_kept.declare()
    after_sign_in(claims.claim, "prosanteconnect")
    catalog.offer(
        Card(
            code="referrals",
            title=_l("Refer a patient"),
            text=_l("Ask units for an opinion, a visit, an examination or a stay, and follow their answers."),
            icon="stethoscope",
            endpoint="referrals.mine",
            audience="professional",
            waiting=claims.waiting,
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
