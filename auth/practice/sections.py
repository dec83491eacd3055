"""What every page of a practitioner says of their work, and their entries in the account's menu."""

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth import sessions
from auth.account_sections import Section
from auth.bands import Band
from auth.practice import queries, wording
from portal.web.unit_of_work import who

SECTIONS = (
    Section(
        _l("Where I work today"),
        _l("The site you act from, when you have several."),
        "map-pin",
        "practice.sites",
        ("professional",),
    ),
    Section(
        _l("Delegations"),
        _l("Who may act in your stead, and for whom you may act."),
        "users",
        "delegations.overview",
        ("professional",),
    ),
)


def bands() -> Iterator[Band]:
    """In whose stead one acts, and where one works."""
    actor = who()
    current = sessions.signed_in() if actor.kind == "professional" else None
    if current is None:
        return
    if actor.on_behalf_of is not None:
        yield Band(
            _("You act for %(name)s. What you do is written down under both your names.",
              name=queries.name_acted_for(actor.on_behalf_of)),
            icon="users",
            tone="strong",
            action=url_for("delegations.act_for_myself"),
            button=_("Act for myself again"),
        )  # fmt: skip
    if current.activity is not None:
        words = wording.site(current.activity) if current.activity else _("no site in Pro Santé Connect")
        yield Band(
            _("You work at: %(site)s", site=words) if current.activity else _("You work without a declared site"),
            icon="map-pin",
            href=url_for("practice.sites") if current.activity else "",
            link_text=_("Change site") if current.activity else "",
        )
