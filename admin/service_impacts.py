"""Whom the closing of each service touches. Counted as the system: an administrator reads no file, and no name comes
out of here."""

from collections.abc import Sequence
from datetime import date, time
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, select

from portal import calendar, db
from portal.catalog import impacts
from portal.catalog.impacts import Touched
from portal.db import session
from portal.establishments import Establishment
from services.appointments.models import Appointment
from services.billing.models import Bill
from services.preadmission.models import Preadmission
from services.questionnaires.models import SentQuestionnaire
from services.questionnaires.states import OPEN
from services.referrals.models import ReferralTarget

_UNDER_WAY = ("submitted", "in_review", "to_complete", "completed")


def declare() -> None:
    """Let the catalogue ask before a service is closed."""
    impacts.tell_with("appointments", _appointments)
    impacts.tell_with("preadmission", _stays)
    impacts.tell_with("questionnaires", _questionnaires)
    impacts.tell_with("billing", _bills)
    impacts.tell_with("referrals", _referrals)


def _counts(*conditions: tuple[type[Any], Any]) -> list[int]:
    """How many rows of each, in one statement, as the system."""
    parts = [
        select(func.count()).select_from(model).where(condition).scalar_subquery() for model, condition in conditions
    ]
    with db.transaction(db.system("catalogue.impacts")):
        return [int(number) for number in session.execute(select(*parts)).one()]


def _appointments(establishment_id: UUID, from_on: date) -> Sequence[Touched]:
    zone = _zone(establishment_id)
    since = max(db.now(), calendar.to_utc_or_after(from_on, time(), zone))
    here = Appointment.establishment_id == establishment_id
    still = and_(here, Appointment.state == "booked", Appointment.start_at >= since)
    (number,) = _counts((Appointment, still))
    return [Touched(_l("appointments to come: they are kept, nobody can book others"), number)]


def _stays(establishment_id: UUID, _from_on: date) -> Sequence[Touched]:
    here = Preadmission.establishment_id == establishment_id
    drafts, sent = _counts(
        (Preadmission, and_(here, Preadmission.state == "draft")),
        (Preadmission, and_(here, Preadmission.state.in_(_UNDER_WAY))),
    )
    return [
        Touched(_l("files that patients have begun and not sent"), drafts),
        Touched(_l("files sent, that wait for the admissions office or for the patient"), sent),
    ]


def _questionnaires(establishment_id: UUID, _from_on: date) -> Sequence[Touched]:
    model = SentQuestionnaire
    (number,) = _counts((model, and_(model.establishment_id == establishment_id, model.state.in_(OPEN))))
    return [Touched(_l("questionnaires that wait for answers"), number)]


def _bills(establishment_id: UUID, _from_on: date) -> Sequence[Touched]:
    (number,) = _counts((Bill, and_(Bill.establishment_id == establishment_id, Bill.closed_at.is_(None))))
    return [Touched(_l("bills that are not closed"), number)]


def _referrals(establishment_id: UUID, _from_on: date) -> Sequence[Touched]:
    model = ReferralTarget
    open_ = and_(model.establishment_id == establishment_id, model.state.in_(("received", "asked")))
    (number,) = _counts((model, open_))
    return [Touched(_l("referrals that wait for an answer"), number)]


def _zone(establishment_id: UUID) -> Any:
    found = session.get(Establishment, establishment_id)
    return found.tz if found else None
