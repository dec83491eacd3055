"""What each room knows of why a patient's file may be open at a hospital, for the rule of files without a reason."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from auth.account.models import DataRequest
from auth.oversight import ties
from portal import calendar
from services.appointments.models import Appointment
from services.appointments.requests.models import AppointmentRequest
from services.appointments.waiting.models import WaitingEntry
from services.billing.models import Bill
from services.documents.exchanges.models import Exchange
from services.documents.models import Document
from services.documents.requests.models import RecordRequest
from services.preadmission.models import Preadmission
from services.questionnaires.models import SentQuestionnaire
from services.referrals.models import ReferralTarget


def declare() -> None:
    """One line for each thing that a patient may have at a hospital, by the moment that counts."""
    ties.declare("appointments", _at(Appointment, Appointment.start_at))
    ties.declare("appointment_requests", _at(AppointmentRequest, AppointmentRequest.changed_at))
    ties.declare("stays", _on(Preadmission, Preadmission.planned_on))
    ties.declare("documents", _at(Document, Document.received_at))
    ties.declare("exchanges", _at(Exchange, Exchange.changed_at))
    ties.declare("record_requests", _at(RecordRequest, RecordRequest.changed_at))
    ties.declare("data_requests", _at(DataRequest, DataRequest.received_at))
    ties.declare("questionnaires", _at(SentQuestionnaire, SentQuestionnaire.sent_at))
    ties.declare("waiting_list", _at(WaitingEntry, WaitingEntry.entered_at))
    ties.declare("referrals", _at(ReferralTarget, ReferralTarget.changed_at))
    ties.declare("bills", _on(Bill, Bill.issued_on))
    ties.declare_discreet("stays", _discreet_stays)


def _at(model: Any, moment: Any) -> ties.Source:
    """Rows of the hospital whose moment falls in that time."""

    def patients(establishment_id: UUID, since: datetime, until: datetime) -> "Select[UUID | None]":
        here = select(model.patient_id).where(model.establishment_id == establishment_id)
        return here.where(moment >= since, moment < until).distinct()

    return patients


def _on(model: Any, day: Any) -> ties.Source:
    """The same for a civil day."""

    def patients(establishment_id: UUID, since: datetime, until: datetime) -> "Select[UUID | None]":
        here = select(model.patient_id).where(model.establishment_id == establishment_id)
        return here.where(day >= calendar.earliest_day(since), day <= calendar.latest_day(until)).distinct()

    return patients


def _discreet_stays(establishment_id: UUID, since: datetime, until: datetime) -> "Select[UUID | None]":
    query = _on(Preadmission, Preadmission.planned_on)(establishment_id, since, until)
    return query.where(Preadmission.confidential)
