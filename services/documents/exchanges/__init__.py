"""Exchanges: threads of messages between a hospital's unit and one correspondent, by the portal or by MSSanté."""

from flask import Flask


def register(app: Flask) -> None:
    """Furnish the room with threads: pages of practitioners and of patients, jobs, what follows a person."""
    from auth.after_sign_in import after_sign_in
    from auth.mandates import masking
    from auth.mandates.masking import Maskable
    from services.documents.exchanges import (
        belongings,
        export,
        jobs,
        models,
        routes_pro,
    )
    from services.documents.exchanges.queries import named_by
    from services.documents.messages.routes_patient import message_pages
    from services.sent_patients import sources

    app.register_blueprint(routes_pro.professional_pages)
    app.register_blueprint(message_pages)
    after_sign_in(jobs.claim_threads, "prosanteconnect")
    belongings.declare()
    export.declare()
    sources.offer("exchange", named_by)
    page, desk = ("my_messages.thread", "exchange_id"), ("admin_exchanges.show", "exchange_id")
    masking.offer(Maskable("exchange", models.Exchange, "documents", page, desk))
