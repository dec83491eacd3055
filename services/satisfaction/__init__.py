"""What people think of each service: one question after it, comments that nobody reads before they are screened.

A low room: it hears of what people do from `auth.acts`, and the pages on which something ends ask it for
`opinion_question()`.
"""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import acts
from auth.digests import sources
from auth.digests.sources import Waiting
from auth.wording import say
from portal import establishments
from services.satisfaction import asking, choices, figures, journal, queries, retention, routes_users, wording


def register(app: Flask) -> None:
    """Furnish the room."""
    acts.tell("satisfaction", asking.invite)
    app.register_blueprint(routes_users.pages)
    app.jinja_env.globals.update(opinion_question=routes_users.question, opinion_words=wording)
    say(journal.WORDS)
    establishments.check_setting_with(choices.check_setting)
    figures.declare()
    retention.declare()
    sources.offer(
        Waiting(
            "opinion_comments",
            _l("Comments to screen"),
            queries.RIGHT,
            "admin_opinions.comments",
            queries.waiting_rows,
        )
    )


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    return []
