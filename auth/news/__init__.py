"""What is new for practitioners and agents: told in as few messages as each of them wants."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from auth import account_sections
from auth.account_sections import Section
from auth.wording import say


def register(app: Flask) -> None:
    """Add the pages and the jobs, and take what rooms tell practitioners and agents."""
    from auth.news import actions, figures, forgetting, jobs, journal, queries, routes  # noqa: F401 - registers jobs
    from portal import notifications

    for pages in (routes.news_pages, routes.choice_pages, routes.stop_pages):
        app.register_blueprint(pages)
    app.after_request(routes.note_reading)
    app.jinja_env.globals["latest_news"] = queries.unread
    notifications.grouped_by(actions.take)
    figures.declare()
    forgetting.declare()
    say(journal.WORDS)
    account_sections.offer(
        Section(
            _l("How I am told"),
            _l("How often each kind of news is told, when nothing is, and where."),
            "bell",
            "news_choices.choices",
            ("professional", "staff"),
            rank=20,
        )
    )
