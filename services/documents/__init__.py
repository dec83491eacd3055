"""The documents room: letters from hospitals to their patients, documents between units and practitioners."""

import click
from flask import Flask
from flask_babel import lazy_gettext as _l

from auth.wording import say
from portal import catalog
from portal.catalog import Card
from services.documents import journal


def register(app: Flask) -> None:
    """Furnish the room: routes, jobs, cards, figures."""
    from auth.mandates import masking
    from auth.mandates.masking import Maskable
    from services.documents import (  # noqa: F401 - jobs registers its tasks
        belongings,
        circle,
        digest,
        export,
        figures,
        jobs,
        models,
        routes_patient,
    )
    from services.documents.exchanges import register as open_exchanges
    from services.documents.his import register as exchange_with_his
    from services.documents.mailboxes import register as hold_boxes
    from services.documents.reading import furnish as show_contents
    from services.documents.requests import register as answer_requests
    from services.documents.shelf.furnishing import furnish

    say(journal.WORDS)
    app.register_blueprint(routes_patient.patient_pages)
    show_contents(app)
    circle.furnish(app)
    belongings.declare()
    export.declare()
    open_exchanges(app)
    figures.declare()
    digest.declare()
    hold_boxes(app)
    exchange_with_his(app)
    answer_requests(app)
    furnish()
    page, desk = ("my_documents.letter", "document_id"), ("admin_documents.show", "document_id")
    masking.offer(Maskable("document", models.Document, "documents", page, desk))
    catalog.offer(CARD)
    catalog.offer(PROFESSIONAL_CARD)


CARD = Card(
    code="documents",
    title=_l("My documents"),
    text=_l("Read and keep the letters and reports your hospitals send you."),
    icon="folder-open",
    endpoint="my_documents.shelf",
    staff_title=_l("Documents"),
    staff_endpoint="admin_documents.tray",
    right="documents",
)
PROFESSIONAL_CARD = Card(
    code="exchanges",
    title=_l("Exchanges with the hospital"),
    text=_l("Send a document to a unit, receive its reports."),
    icon="message-square",
    endpoint="documents.professional_home",
    audience="professional",
)


def for_operators() -> list[click.Command]:
    """What an operator may type about this room."""
    from services.documents.commands import documents
    from services.documents.mailboxes.commands import mailbox

    return [mailbox, documents]
