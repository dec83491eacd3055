"""What is read about documents and Mon espace santé."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select

from auth.models import Patient
from portal import db, establishments
from portal.db import session
from portal.establishments import EstablishmentSetting
from services.documents.matching import HIDES
from services.documents.models import Document
from services.documents.shelf import showing
from services.documents.shelf.models import MesOpposition, MesSending

SETTING: Final = "documents_mes"
"""`on` at a hospital that sends its documents to Mon espace santé."""
_A_BATCH = 500


def is_on(establishment_id: UUID) -> bool:
    return establishments.setting(establishment_id, SETTING) == "on"


def opposition_of(patient_id: UUID) -> MesOpposition | None:
    return session.get(MesOpposition, patient_id)


def opposes(patient_id: UUID) -> bool:
    """Whether the person does not want their documents there."""
    found = opposition_of(patient_id)
    return found is not None and found.holds


def sending_of(document_id: UUID) -> MesSending | None:
    return session.get(MesSending, document_id)


def shown(found: MesSending | None) -> MesSending | None:
    """What the patient reads of it: what became of it; and that they objected, before a job has taken note."""
    if found is not None and found.state == "waiting" and opposes(found.patient_id):
        return MesSending(document_id=found.document_id, state="opposed", reason="", changed_at=found.changed_at)
    return found


def state_of(document: Document, patient: Patient) -> str:
    """What would become of it today, when nothing has yet: waiting, opposed or not_qualified."""
    if opposes(patient.id):
        return "opposed"
    return "waiting" if patient.identity_status == "QUAL" and patient.ins else "not_qualified"


def never_looked_at() -> Sequence[UUID]:
    """Documents that patients see, at hospitals that send them, which nobody has decided about for this patient."""
    settled = or_(MesSending.patient_id == Document.patient_id, MesSending.state.in_(("sent", "refused")))
    decided = exists().where(MesSending.document_id == Document.id, settled)
    return session.scalars(_shown().where(~decided).order_by(Document.filed_at)).all()


def to_look_at_again() -> Sequence[UUID]:
    """Those whose obstacle is gone: the identity was qualified, or the person no longer objects."""
    opposed = exists().where(
        MesOpposition.patient_id == Document.patient_id,
        MesOpposition.opposed_at.is_not(None),
        MesOpposition.lifted_at.is_(None),
    )
    return session.scalars(
        _shown()
        .join(MesSending, MesSending.document_id == Document.id)
        .join(Patient, Patient.id == Document.patient_id)
        .where(
            MesSending.state.in_(("opposed", "not_qualified")),
            Patient.identity_status == "QUAL",
            Patient.ins != "",
            ~opposed,
        )
        .order_by(Document.filed_at)
    ).all()


def waiting(limit: int = _A_BATCH) -> Sequence[Document]:
    """The documents that wait to be sent, the oldest first; those that stepped back meanwhile do not leave."""
    return session.scalars(
        select(Document)
        .join(MesSending, MesSending.document_id == Document.id)
        .where(MesSending.state == "waiting", Document.state == "filed")
        .order_by(MesSending.changed_at)
        .limit(limit)
    ).all()


def counts_at(establishment_id: UUID) -> dict[str, int]:
    """State → how many of the hospital's documents."""
    rows = session.execute(
        select(MesSending.state, func.count())
        .where(MesSending.establishment_id == establishment_id)
        .group_by(MesSending.state)
    )
    return {str(state): int(total) for state, total in rows}


def may_be_seen(document: Document) -> bool:
    """Whether its patient sees it and nobody hides it: what `_shown` asks of many."""
    return showing.is_shown(document) and HIDES.isdisjoint(document.visibility)


def _shown() -> Select[UUID]:
    """Documents of a known type that their patient sees and nobody hides, where the hospital sends them."""
    sends = exists().where(
        EstablishmentSetting.establishment_id == Document.establishment_id,
        EstablishmentSetting.key == SETTING,
        EstablishmentSetting.value == "on",
    )
    return (
        select(Document.id)
        .where(
            Document.state == "filed",
            Document.visible_at <= db.now(),
            Document.type_code != "",
            or_(Document.visibility == [], ~Document.visibility.overlap(sorted(HIDES))),
            sends,
        )
        .limit(_A_BATCH)
    )
