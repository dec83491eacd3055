"""What is not kept: words and letters, a year after the request is closed."""

from datetime import timedelta

from sqlalchemy import select

from portal import audit, db
from portal.db import session
from portal.files import StoredFile
from services.appointments.requests.models import AppointmentRequest, RequestMessage

KEPT_FOR = timedelta(days=365)
_AT_ONCE = 500


def forget_words() -> int:
    """Delete them; returns how many. A letter without message is deleted like any upload that no form took."""
    old = session.execute(
        select(RequestMessage, AppointmentRequest.patient_id, StoredFile)
        .join(AppointmentRequest, AppointmentRequest.id == RequestMessage.request_id)
        .outerjoin(StoredFile, StoredFile.id == RequestMessage.file_id)
        .where(AppointmentRequest.closed_at < db.now() - KEPT_FOR)
        .order_by(RequestMessage.id)
        .limit(_AT_ONCE)
    ).all()
    for message, patient_id, letter in old:
        session.delete(message)
        if letter is not None:
            letter.patient_id = letter.establishment_id = letter.attached_at = None
            letter.staff_right = ""
        audit.record(
            "appointment_request.forgotten",
            patient_id=patient_id,
            establishment_id=message.establishment_id,
            object_kind="appointment_request",
            object_id=message.request_id,
        )
    return len(old)
