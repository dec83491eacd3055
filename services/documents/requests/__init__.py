"""Requests that hospitals receive daily: copy of the medical file, certificates, complaints and thanks."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the applicants' pages, the page where certificates are checked, and what the core asks of every room."""
    from auth.mandates import masking
    from auth.mandates.masking import Maskable
    from auth.wording import say
    from portal import establishments
    from services.documents.requests import (  # noqa: F401 - jobs registers its tasks
        belongings,
        export,
        figures,
        jobs,
        journal,
        models,
        routes_patient,
        routes_public,
        settings,
    )

    say(journal.WORDS)
    establishments.check_setting_with(settings.check_setting)
    belongings.declare()
    export.declare()
    figures.declare()
    page, desk = ("record_requests.show", "request_id"), ("admin_record_requests.show", "request_id")
    masking.offer(Maskable("record_request", models.RecordRequest, "documents", page, desk))
    app.register_blueprint(routes_patient.pages)
    app.register_blueprint(routes_public.pages)
