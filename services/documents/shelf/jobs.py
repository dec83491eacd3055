"""What happens on the shelf by itself: a delay is over, and its patient is told."""

from sqlalchemy import select

from portal import db, jobs
from services.documents.models import Document

_A_BATCH = 500


@jobs.periodic("*/5 * * * *", "documents.show_delayed")
def show_delayed() -> None:
    """Tell the patients whose documents have just become visible. The mail itself is sent once (`told_at`)."""
    with db.transaction(db.system("documents.show_delayed")) as current:
        ready = current.scalars(
            select(Document.id)
            .where(
                Document.state == "filed",
                Document.told_at.is_(None),
                Document.visible_at <= db.now(),
                ~Document.visibility.contains(["INVISIBLE_PATIENT"]),
            )
            .order_by(Document.visible_at)
            .limit(_A_BATCH)
        ).all()
        for document_id in ready:
            jobs.enqueue("documents.tell_patient", document_id=str(document_id))
