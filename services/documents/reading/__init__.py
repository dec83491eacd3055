"""What people see of a document, what its results are, and which words find it again."""

from flask import Flask

from services.documents.reading.shown import Reading, heading, read

__all__ = ["Reading", "furnish", "heading", "read"]


def furnish(app: Flask) -> None:
    """Add the jobs, and the pages that the page of a document shows parts of."""
    from services.documents.reading import (  # noqa: F401 - jobs registers them
        jobs,
        lent,
        routes_patient,
        stylesheet,
        wording,
    )
    from services.pieces import letters

    stylesheet.configure(app.config["SETTINGS"])
    app.jinja_env.filters["unit"] = wording.unit
    app.register_blueprint(routes_patient.content_pages)
    letters.offer(lent.read)
