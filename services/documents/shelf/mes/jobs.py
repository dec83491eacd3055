"""Looking at what may be sent to Mon espace santé. Nothing leaves from here."""

from portal import db, jobs
from services.documents.models import Document
from services.documents.shelf.mes import actions, queries


@jobs.periodic("*/10 * * * *", "documents.look_at_mes")
def look_at_documents() -> None:
    """Decide about new documents and about those whose obstacle is gone. One transaction a document; safe to repeat."""
    actor = db.system("documents.look_at_mes")
    with db.transaction(actor):
        found = [*queries.never_looked_at(), *queries.to_look_at_again()]
    for document_id in found:
        with db.transaction(actor) as current:
            actions.look_at(current.get_one(Document, document_id))
