"""The library of a community: documents in versions, protocols to review, and their words, so that they are found."""

from flask import Flask


def furnish(app: Flask) -> None:
    """Add its pages and its jobs."""
    from services.communities.library import jobs, journal  # noqa: F401 - importing them registers jobs and words
    from services.communities.library.routes import library_pages
    from services.communities.library.routes_keeping import keeping_pages

    app.register_blueprint(library_pages)
    app.register_blueprint(keeping_pages)
