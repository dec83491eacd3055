"""Times proposed to a patient: each is kept for them until they answer, or until the hospital's delay is over.

Locks: the request, the holds, their sessions, then claims; what is given back is given back last.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import audit, db, kpi
from portal.db import session
from services.appointments import actions as engine
from services.appointments.actions import capacity
from services.appointments.models import Appointment, Hold
from services.appointments.requests import states
from services.appointments.requests.actions import traces
from services.appointments.requests.actions.facts import ProposalGone, RequestOver, TooManyProposals, TooSoon
from services.appointments.requests.models import AppointmentRequest, Proposal
from services.appointments.slots import Slot

MOST = 3
ANSWER_DAYS = (1, 2, 3, 5)
"""Business days that an agent may leave the patient to answer."""
LEAST_TO_ANSWER = timedelta(hours=2)


def propose(
    request: AppointmentRequest, reason_id: UUID, chosen: Collection[Slot], days: int, version: str = ""
) -> None:
    """Keep these times for the patient, who takes one of them or none. days: one of ANSWER_DAYS.

    Raises RequestOver, ChangedMeanwhile, TooManyProposals, TooSoon, and SlotTaken or NotBookable as bookings do.
    """
    request = traces.lock(request, version)
    former = waiting(request)
    if not 1 <= len(chosen) + len(former) <= MOST:
        raise TooManyProposals
    until = request.establishment.office.closing(db.now(), days)
    capacity.hold_still([each.session_id for each in chosen])
    for slot in sorted(chosen, key=lambda each: (each.session_id, each.first_cell)):
        _keep(request, reason_id, slot, until)
    request.reason_id = request.reason_id or reason_id
    traces.count_answer(request)
    traces.go_to(request, states.PROPOSED, "proposed", times=str(len(chosen)))
    traces.write_to_patient(request, "proposed")


def _keep(request: AppointmentRequest, reason_id: UUID, slot: Slot, until: datetime) -> None:
    kept = engine.keep_for(request.patient_id, reason_id, slot, until, "proposal")
    until = min(until, kept.start_at - LEAST_TO_ANSWER)
    if until < db.now() + LEAST_TO_ANSWER:
        raise TooSoon
    kept.expires_at = until
    session.add(
        Proposal(
            id=uuid4(),
            request_id=request.id,
            establishment_id=request.establishment_id,
            hold_id=kept.id,
            reason_id=reason_id,
            practitioner_id=kept.practitioner_id,
            start_at=kept.start_at,
            end_at=kept.end_at,
            expires_at=until,
        )
    )
    session.flush()
    audit.record(
        "appointment_request.time_kept",
        patient_id=request.patient_id,
        establishment_id=request.establishment_id,
        object_kind="hold",
        object_id=kept.id,
    )


def accept(request: AppointmentRequest, proposal_id: UUID, channel: str = "web") -> Appointment:
    """Take one of the times; the others are given back, all of it or nothing. channel: `phone` when an agent does.

    Raises RequestOver, ProposalGone, HoldEnded when its time is over, PatientBusy.
    """
    request = traces.lock(request)
    proposed = waiting(request)
    chosen = next((each for each in proposed if each.id == proposal_id), None)
    if chosen is None:
        raise ProposalGone
    others = [each for each in proposed if each is not chosen]
    kept = _locked_holds(proposed)
    appointment = engine.confirm(chosen.hold_id, request.patient_id, channel)
    appointment.masked = request.masked
    chosen.outcome = "accepted"
    _give_back(others, [each for each in kept if each.id != chosen.hold_id], "given_back")
    became(request, appointment)
    return appointment


def became(request: AppointmentRequest, appointment: Appointment) -> None:
    """The request is an appointment now."""
    request.appointment_id = appointment.id
    traces.go_to(request, states.ACCEPTED, "accepted")
    kpi.count("appointment_request_became", establishment_id=request.establishment_id, unit_id=request.unit_id)


def decline(request: AppointmentRequest, text: str) -> None:
    """None of these times suits: the patient asks for others. Raises RequestOver."""
    _back_to_the_tray(request, "declined", "other_dates", text)


def take_back(request: AppointmentRequest) -> None:
    """The hospital needs the times it proposed. Raises RequestOver."""
    _back_to_the_tray(request, "taken_back", "taken_back")
    traces.write_to_patient(request, "taken_back")


def _back_to_the_tray(request: AppointmentRequest, outcome: str, why: str, text: str = "") -> None:
    request = traces.lock(request)
    if request.state != states.PROPOSED:
        raise RequestOver
    let_go(request, outcome)
    traces.say(request, text)
    traces.go_to(request, states.HANDLED, outcome, why)


def expire(request: AppointmentRequest) -> bool:
    """The patient did not answer in time; False when some of the times may still be taken. Raises RequestOver."""
    request = traces.lock(request)
    proposed = waiting(request)
    over = [each for each in proposed if each.expires_at <= db.now()]
    _give_back(over, _locked_holds(over), "expired")
    if len(over) < len(proposed) or request.state != states.PROPOSED:
        return False
    traces.go_to(request, states.HANDLED, "proposal_lapsed", "proposal_expired")
    traces.write_to_patient(request, "proposal_expired")
    return True


def let_go(request: AppointmentRequest, outcome: str) -> None:
    """Give back every time that a locked request keeps."""
    proposed = waiting(request)
    _give_back(proposed, _locked_holds(proposed), outcome)


def kept_for(request: AppointmentRequest) -> Sequence[Hold]:
    """What a locked request keeps, held still."""
    return _locked_holds(waiting(request))


def waiting(request: AppointmentRequest) -> Sequence[Proposal]:
    """What the patient may still take, as it is now."""
    return session.scalars(
        select(Proposal)
        .where(Proposal.request_id == request.id, Proposal.outcome == "")
        .order_by(Proposal.start_at)
        .execution_options(populate_existing=True)
    ).all()


def _locked_holds(proposed: Collection[Proposal]) -> Sequence[Hold]:
    """The holds that the sweeper has not given back, and their sessions, in the order of everybody's locks."""
    kept = session.scalars(
        select(Hold)
        .where(Hold.id.in_([each.hold_id for each in proposed]))
        .order_by(Hold.session_id, Hold.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    capacity.hold_still([each.session_id for each in kept])
    return kept


def _give_back(proposed: Collection[Proposal], kept: Collection[Hold], outcome: str) -> None:
    for each in proposed:
        each.outcome = outcome
    session.flush()
    for hold in kept:
        engine.give_up(hold)
