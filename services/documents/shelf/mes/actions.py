"""What becomes of a document towards Mon espace santé, and the person's objection."""

from uuid import UUID

from auth.models import Patient
from portal import audit, db, establishments, kpi
from portal.db import session
from services.documents.models import Document
from services.documents.shelf.mes import queries
from services.documents.shelf.models import MesOpposition, MesSending

_OPEN = frozenset({"waiting", "opposed", "not_qualified"})


class NotWaiting(Exception):
    """The document does not wait to be sent: it was, or it may not be any more."""


def look_at(document: Document) -> MesSending | None:
    """Say whether a document may be sent. Safe to repeat."""
    sending = session.get(MesSending, document.id, with_for_update={"key_share": True})
    if document.patient_id is None or (sending is not None and sending.state not in _OPEN):
        return sending
    state = queries.state_of(document, session.get_one(Patient, document.patient_id))
    if sending is not None and (sending.state, sending.patient_id) == (state, document.patient_id):
        return sending
    if sending is None:
        sending = MesSending(
            document_id=document.id, establishment_id=document.establishment_id, patient_id=document.patient_id,
            state="", reason="",
        )  # fmt: skip
        session.add(sending)
    sending.patient_id = document.patient_id  # it may have been on the shelf of somebody else before
    _move(sending, state)
    if state == "waiting":
        kpi.count("mes_eligible", establishment_id=document.establishment_id, dimension=document.kind)
    return sending


def mark_sent(document_id: UUID) -> None:
    """It left for Mon espace santé, and the operator took it. Raises NotWaiting."""
    sending = _waiting(document_id)
    _move(sending, "sent")
    kind = session.get_one(Document, document_id).kind
    kpi.count("mes_sent", establishment_id=sending.establishment_id, dimension=kind)


def mark_refused(document_id: UUID, reason: str) -> None:
    """It could not be delivered, for good. reason: mailbox_closed | unknown_recipient | invalid_address | too_large |
    other. Raises NotWaiting."""
    _move(_waiting(document_id), "refused", reason)


def may_leave(document_id: UUID) -> bool:
    """Whether a document still waits, just before it leaves: its patient may have objected a minute ago, its sender
    may have hidden it, or it was given to somebody else."""
    sending = session.get(MesSending, document_id)
    document = session.get(Document, document_id)
    if sending is None or document is None or document.state != "filed" or sending.state != "waiting":
        return False
    if sending.patient_id != document.patient_id or not queries.may_be_seen(document):
        return False
    return queries.is_on(sending.establishment_id) and not queries.opposes(sending.patient_id)


def object_to(patient_id: UUID) -> None:
    """The person does not want their documents sent to Mon espace santé; what was sent stays there."""
    row = session.get(MesOpposition, patient_id, with_for_update={"key_share": True}) or MesOpposition(
        patient_id=patient_id
    )
    row.opposed_at, row.lifted_at, row.actor_name = db.now(), None, db.current_actor().name
    session.add(row)
    session.flush()
    audit.record("mes.opposed", patient_id=patient_id, object_kind="patient", object_id=patient_id)


def lift(patient_id: UUID) -> None:
    """They want it again: what waited goes, the rest is looked at again by a job."""
    row = session.get(MesOpposition, patient_id, with_for_update={"key_share": True})
    if row is None or not row.holds:
        return
    row.lifted_at, row.actor_name = db.now(), db.current_actor().name
    session.flush()
    audit.record("mes.accepted", patient_id=patient_id, object_kind="patient", object_id=patient_id)


def switch(establishment_id: UUID, *, on: bool) -> None:
    """A hospital begins or stops sending its documents to Mon espace santé; what waits goes no further meanwhile."""
    establishments.change_setting(establishment_id, queries.SETTING, "on" if on else "off")
    audit.record(
        "mes.switched_on" if on else "mes.switched_off",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
    )


def _waiting(document_id: UUID) -> MesSending:
    sending = session.get(MesSending, document_id, with_for_update={"key_share": True}, populate_existing=True)
    if sending is None or sending.state != "waiting":
        raise NotWaiting(document_id)
    return sending


def _move(sending: MesSending, state: str, reason: str = "") -> None:
    sending.state, sending.reason, sending.changed_at = state, reason, db.now()
    session.flush()
    audit.record(
        f"mes.{state}",
        patient_id=sending.patient_id,
        establishment_id=sending.establishment_id,
        object_kind="document",
        object_id=sending.document_id,
        reason=reason,
    )
