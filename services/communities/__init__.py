"""Communities: closed groups of professionals, their library, discussions and announcements."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.wording import say
from portal import catalog
from portal.catalog import Card
from services.communities import (
    figures,
    frame,
    jobs,  # noqa: F401 - its tasks are registered by being read
    journal,
    library,
    retention,
    rights,
    routes_entrance,
    routes_members,
    routes_news,
    routes_run,
    routes_talk,
)
from services.communities.frame import Entry
from services.communities.library import queries as shelves
from services.communities.queries import talk


def register(app: Flask) -> None:
    """Furnish the room: pages, the menu of each community, words of the journal, card."""
    say(journal.WORDS)
    for module in (routes_entrance, routes_news, routes_talk, routes_members, routes_run):
        app.register_blueprint(module.pages)
    app.register_blueprint(routes_entrance.links)
    library.furnish(app)
    _offer_menu()
    figures.declare()
    retention.declare()
    catalog.offer(
        Card(
            "communities",
            _l("Communities"),
            _l("Your closed groups of professionals: news, documents, discussions."),
            "users",
            "communities.mine",
            "professional",
            _l("Communities"),
            "communities.mine",
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []


def _offer_menu() -> None:
    news, discussions = _l("News"), _l("Discussions")
    talks = tuple(f"community_talk.{name}" for name in ("topic", "open_topic", "answer", "edit", "report"))
    frame.offer(
        Entry(10, news, "community_news.home", ("community_news.publish", "community_news.announcement"),
              count=talk.unread_announcements),
        Entry(20, _l("Library"), "community_library.browse", ("community_library.", "community_keeping."),
              count=shelves.count_set_aside),
        Entry(40, discussions, "community_talk.topics", talks, count=talk.unread_topics),
        Entry(50, _l("Themes"), "community_news.theme_list", ("community_news.add_theme",)),
        Entry(60, _l("Members"), "community_members.members", ("community_members.member", "community_members.invite")),
        Entry(70, _l("Moderation"), "community_talk.tray", ("community_talk.moderate",), rights.MODERATOR,
              talk.reports_waiting),
        Entry(80, _l("Journal"), "community_run.journal", (), rights.ANIMATOR),
        Entry(85, _l("Settings"), "community_run.settings", ("community_run.write_charter",), rights.ANIMATOR),
        Entry(90, _l("My place"), "community_members.place"),
    )  # fmt: skip
