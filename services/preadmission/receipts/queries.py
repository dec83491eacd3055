"""Which receipt a number and a code belong to."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.identity import sealing
from portal.db import session
from services.preadmission.models import Preadmission
from services.preadmission.receipts import document


def issued(reference: str, code: str) -> tuple[str, datetime] | None:
    """The hospital and the moment of a receipt that we issued; None for any other pair. As the system: whoever holds a
    receipt may check it, and learns nothing that is not on it."""
    file = session.scalar(
        select(Preadmission)
        .options(joinedload(Preadmission.establishment))
        .where(Preadmission.reference == _plain(reference), Preadmission.submitted_at.is_not(None))
    )
    if file is None or file.submitted_at is None or not sealing.one_of(_plain(code), document.codes_of(file)):
        return None
    return file.establishment.name, file.submitted_at.astimezone(file.establishment.tz)


def _plain(typed: str) -> str:
    """As it is printed: spaces and case do not count. ASCII, for a comparison in constant time."""
    return "".join(typed.split()).upper().encode("ascii", "replace").decode()
