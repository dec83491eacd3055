"""Practitioners at work: where they exercise today, and who may act in their stead."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the practitioners' own pages and what every one of their pages says of where and for whom they act."""
    from auth import account_sections, bands
    from auth.practice import jobs, models, routes, sections  # noqa: F401 - jobs registers its tasks

    app.register_blueprint(routes.site_pages)
    app.register_blueprint(routes.delegation_pages)
    bands.offer(sections.bands)
    for section in sections.SECTIONS:
        account_sections.offer(section)
