"""One gesture over two rooms: a request is accepted, and becomes an appointment or a stay in the same transaction.

Whatever fails, both fail: the caller answers 400 or more, and nothing is half done.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

from auth.enrolment import actions as enrolment
from portal import calendar
from portal.db import session
from services.appointments import actions as appointments
from services.appointments.city import actions as city
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from services.preadmission.actions import Stay
from services.preadmission.invitations import actions as invitations
from services.preadmission.invitations.actions import Expected
from services.preadmission.invitations.models import StayInvitation
from services.referrals import queries, states
from services.referrals.actions import answering, sending
from services.referrals.actions.answering import Outcome
from services.referrals.models import ReferralTarget

STAY_KINDS: Final = {"day_hospital": "day_case"}
"""Kind of request → kind of stay proposed first; any other is a whole hospitalisation."""


class NobodyKnown(Exception):
    """The hospital knows nobody under this request: nothing can be booked."""


def accept_at_a_time(
    target: ReferralTarget, reason_id: UUID, slot: Slot, text: str = "", *, anyway: bool = False
) -> Appointment:
    """Accept, and book that time for the patient; the practitioner follows it as one of theirs.

    Raises NotPossibleNow, NobodyKnown, and as `appointments.actions.book_by_phone`: SlotTaken, PatientBusy,
    NotBookable.
    """
    _check(target)
    if target.patient_id is None:
        raise NobodyKnown
    made = appointments.book_by_phone(target.patient_id, reason_id, slot, beyond=anyway)
    if target.sent_patient_id and target.professional_id:
        city.follow(made, target.sent_patient_id, target.professional_id)
    answering.accept(target, Outcome("appointment", made.id, made.start_at), text)
    return made


@dataclass(frozen=True)
class PlannedStay:
    """When, where and what kind of stay; under which number the hospital knows it, if it has one."""

    unit_id: UUID
    planned_on: date
    stay_kind: str
    visit_number: str = ""


def accept_as_stay(target: ReferralTarget, planned: PlannedStay, text: str = "") -> StayInvitation:
    """Accept, and invite the patient to prepare the stay from home: in their space, by mail, or by a letter to print.

    Raises NotPossibleNow, and as `invitations.actions.invite`: UnitNotOpen, StayInThePast, VisitOfAnother.
    """
    _check(target)
    told = target.referral
    expected = Expected(
        birth_name=told.birth_name,
        first_name=told.first_name,
        birth_on=told.birth_on,
        visit_number=planned.visit_number,
        ipp=queries.number_of(target),
        email=told.email,
    )
    invitation, _done = invitations.invite(Stay(planned.unit_id, planned.planned_on, planned.stay_kind), expected)
    at = day_at(target, planned.planned_on)
    answering.accept(target, Outcome("stay", invitation.id, at), text)
    return invitation


def day_at(target: ReferralTarget, day: date, at: time = time()) -> datetime:
    """A day of the hospital's calendar as a moment; midnight says that only the day is known."""
    return calendar.to_utc_or_after(day, at, target.establishment.tz)


def recognise(target: ReferralTarget, ipp: str) -> None:
    """The identity unit says who it is: what the hospital has under this number, and this request, are one person's.

    Raises UnknownNumber, AlreadyLinked, NumberHeld, NobodyKnown.
    """
    if target.patient_id is None:
        raise NobodyKnown
    enrolment.link_as_agent(target.patient_id, target.establishment_id, ipp)
    session.refresh(target)


def _check(target: ReferralTarget) -> None:
    sending.lock(target)
    if "accepted" not in states.TARGET[target.state]:
        raise states.NotPossibleNow(target.state)
