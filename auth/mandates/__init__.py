"""Who acts for whom: parents, guardians, curators, carers. One signs in as oneself, and acts for somebody visibly."""

from collections.abc import Iterator

from flask import Flask, g, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth import account_sections, bands
from auth.account_sections import Section
from auth.bands import Band
from portal import notifications


def register(app: Flask) -> None:
    """Add the pages, the jobs, the band and the box that keeps something from proxies."""
    from auth.mandates import jobs as jobs  # registers them
    from auth.mandates import masking, masking_routes, queries, routes

    notifications.withhold_when(queries.no_longer_told)
    app.register_blueprint(routes.pages)
    app.register_blueprint(masking_routes.pages)
    app.jinja_env.globals["masking"] = masking.box
    bands.offer(_band)
    account_sections.offer(
        Section(
            _l("Acting for somebody"),
            _l("Those you act for, those who act for you, and what each may do."),
            "users",
            "mandates.overview",
            rank=40,
        )
    )


def _band() -> Iterator[Band]:
    """On every page of somebody who acts for somebody else: for whom, and the way back."""
    current = g.get("signed_in")
    if current is not None and current.is_for_somebody_else:
        yield Band(
            _("You are acting for %(name)s", name=current.person_name),
            icon="users",
            tone="strong",
            href=url_for("mandates.choose"),
            link_text=_("Act for somebody else"),
            action=url_for("mandates.back_to_myself") if current.own_id else "",
            button=_("Back to myself"),
        )
