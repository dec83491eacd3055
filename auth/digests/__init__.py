"""What waits for the agents of each unit: counted live on one page, told once each business morning."""

from flask import Flask

from auth.wording import say


def register(app: Flask) -> None:
    """Add the jobs, and the page that stops a shared mail."""
    from auth.digests import forgetting, jobs, journal, routes_public  # noqa: F401 - registers jobs

    app.register_blueprint(routes_public.pages)
    forgetting.declare()
    say(journal.WORDS)
