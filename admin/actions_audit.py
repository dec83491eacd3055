"""Opening the journal is itself an act: whoever looks over others' shoulders leaves a trace too."""

from collections.abc import Iterable
from uuid import UUID

from auth.oversight.models import AccessReview
from portal import audit


def open_journal(establishment_ids: Iterable[UUID], patient_id: UUID | None = None) -> None:
    """Write down that the actor reads the journal of these hospitals; patient_id: about whose file."""
    for establishment_id in establishment_ids:
        audit.record("journal.opened", establishment_id=establishment_id, patient_id=patient_id)


def export_journal(establishment_ids: Iterable[UUID], lines: int, patient_id: UUID | None = None) -> None:
    """Write down that the actor takes lines of the journal away."""
    for establishment_id in establishment_ids:
        audit.record("journal.exported", establishment_id=establishment_id, patient_id=patient_id, lines=lines)


def export_review(review: AccessReview) -> None:
    """Write down that the actor takes a review of rights away."""
    audit.record(
        "access_review.exported",
        establishment_id=review.establishment_id,
        object_kind="access_review",
        object_id=review.id,
    )
