"""Times that came free, offered to those who wait, in order, one at a time.

Locks: the hospital's list, the entry, the appointment, the hold, its session, then claims. A time is moved to by
nobody but the patient, and what is not taken goes to the next in line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import exists, func, or_, select

from portal import db, kpi
from portal.db import session
from services.appointments import actions as engine
from services.appointments import availability, slots
from services.appointments.actions import NotBookable, SlotTaken
from services.appointments.models import Appointment, ConsultationSession, Hold, SessionReason
from services.appointments.slots import Slot
from services.appointments.states import BOOKED
from services.appointments.waiting import clock, states
from services.appointments.waiting.actions import allowing, traces
from services.appointments.waiting.actions.facts import OfferGone
from services.appointments.waiting.models import WaitingEntry, WaitingOffer

_LOOKED_AT = 200
"""How many of those who wait are looked at each time some time comes free."""


@dataclass(frozen=True)
class _Free:
    """A free time of a session, and until when its patient may answer."""

    slot: Slot
    until: datetime


def offer_freed(session_id: UUID) -> int:
    """Offer what is free in a session to those who wait for it, first come first served; returns how many offers.

    Runs as the system, in waking hours.
    """
    opened = session.get(ConsultationSession, session_id)
    if opened is None or opened.at(opened.n_cells) <= db.now():
        return 0
    # One at a time for a hospital: two times that come free at once are offered in order too.
    key = func.hashtextextended(f"waiting list {opened.establishment_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))
    expire_offers(opened.establishment_id)
    return sum(_offer_to(entry, takes, opened) for entry, takes in _who_waits(opened))


def _who_waits(opened: ConsultationSession) -> Sequence[tuple[WaitingEntry, SessionReason]]:
    """In order, those who have no other offer to answer."""
    has_offer = exists().where(WaitingOffer.patient_id == WaitingEntry.patient_id, WaitingOffer.outcome == "")
    rows = session.execute(
        select(WaitingEntry, SessionReason)
        .join(SessionReason, SessionReason.reason_id == WaitingEntry.reason_id)
        .outerjoin(Appointment, Appointment.id == WaitingEntry.appointment_id)
        .where(
            SessionReason.session_id == opened.id,
            WaitingEntry.unit_id == opened.unit_id,
            WaitingEntry.state == states.WAITING,
            WaitingEntry.until_on >= opened.local_date,
            or_(
                WaitingEntry.appointment_id.is_(None),
                (Appointment.state == BOOKED) & (Appointment.start_at > opened.start_at),
            ),
            ~has_offer,
        )
        .order_by(WaitingEntry.rank.desc(), WaitingEntry.entered_at, WaitingEntry.id)
        .limit(_LOOKED_AT)
    )
    return [(entry, takes) for entry, takes in rows]


def _offer_to(entry: WaitingEntry, takes: SessionReason, opened: ConsultationSession) -> bool:
    """Whether a time of the session was kept for them."""
    if entry.practitioner_ids and opened.practitioner_id not in entry.practitioner_ids:
        return False
    if _has_offer(entry):  # two entries of one person
        return False
    if entry.account_id is not None and not entry.reason.bookable_online:  # closed online since they asked
        return False
    session.refresh(opened)
    session.refresh(takes)
    return any(_keep(entry, opened, free) for free in _suiting(entry, takes, opened))


def _has_offer(entry: WaitingEntry) -> bool:
    pending = exists().where(WaitingOffer.patient_id == entry.patient_id, WaitingOffer.outcome == "")
    return bool(session.scalar(select(pending)))


def _suiting(entry: WaitingEntry, takes: SessionReason, opened: ConsultationSession) -> Iterator[_Free]:
    """Free times that the patient wished, that were not offered to them before, and that leave them time to answer."""
    reason, now, tz = entry.reason, db.now(), entry.tz
    needed = availability.taken(
        availability.pools_of([reason.id])[reason.id], opened.start_at, opened.at(opened.n_cells)
    )
    channel = "web" if reason.bookable_online else "phone"
    found = availability.starts(opened, reason, reason.window(channel, now), needed, is_full=takes.is_full)
    refused = _offered_before(entry, opened)
    for cell in slots.proposed(found, reason.cells(opened.step_min)):
        at = opened.at(cell)
        until = clock.answer_by(now, at, timedelta(hours=entry.notice_hours), tz)
        is_earlier = entry.appointment is None or at < entry.appointment.start_at
        if until and is_earlier and at not in refused and entry.wishes.suit(at, tz) and not _is_busy(entry, at):
            yield _Free(Slot(opened.id, cell), until)


def _offered_before(entry: WaitingEntry, opened: ConsultationSession) -> set[object]:
    query = select(WaitingOffer.start_at).where(
        WaitingOffer.entry_id == entry.id, WaitingOffer.practitioner_id == opened.practitioner_id
    )
    return set(session.scalars(query))


def _is_busy(entry: WaitingEntry, at: datetime) -> bool:
    """Whether another visit of theirs fills that time."""
    until = at + timedelta(minutes=entry.reason.duration_min)
    other = exists().where(
        Appointment.patient_id == entry.patient_id,
        Appointment.id.is_distinct_from(entry.appointment_id),
        Appointment.state == BOOKED,
        Appointment.start_at < until,
        Appointment.end_at > at,
    )
    return bool(session.scalar(select(other)))


def _keep(entry: WaitingEntry, opened: ConsultationSession, free: _Free) -> bool:
    purpose = "offer" if entry.reason.bookable_online else "proposal"
    try:
        with session.begin_nested():
            kept = engine.keep_for(entry.patient_id, entry.reason_id, free.slot, free.until, purpose)
    except (SlotTaken, NotBookable):
        return False
    offer = WaitingOffer(
        id=uuid4(),
        entry_id=entry.id,
        establishment_id=entry.establishment_id,
        patient_id=entry.patient_id,
        hold_id=kept.id,
        session_id=opened.id,
        site_id=opened.site_id,
        practitioner_id=opened.practitioner_id,
        start_at=kept.start_at,
        end_at=kept.end_at,
        expires_at=free.until,
        outcome="",
    )
    session.add(offer)
    session.flush()
    traces.audit_record(entry, "offered", offer=str(offer.id))
    kpi.count("waiting_offer_made", establishment_id=entry.establishment_id)
    traces.write_to_patient(offer)
    return True


# -- answering ---------------------------------------------------------------------------------------------------


def accept(offer: WaitingOffer, channel: str = "web") -> Appointment:
    """Take the time: the visit moves there, or is booked there. channel: `phone` when an agent does, on the phone.

    Raises EntryClosed, OfferGone, HoldEnded, PatientBusy, AlreadyOver when the visit is not to come any more, and as
    `allowing.check` does for whoever put themselves on the list.
    """
    entry = traces.lock(offer.entry)
    offer = _lock(offer)
    made = _take(entry, offer, channel)
    _answer(offer, "accepted")
    traces.go_to(entry, states.SERVED, "served")
    kpi.count(
        "appointment_by_waiting_list",
        establishment_id=entry.establishment_id,
        dimension="moved" if entry.appointment_id == made.id else "booked",
        unit_id=made.unit_id,
    )
    return made


def _take(entry: WaitingEntry, offer: WaitingOffer, channel: str) -> Appointment:
    if entry.appointment is None:
        if entry.account_id is not None:
            allowing.check(entry.patient_id, entry.reason)
        return engine.confirm(offer.hold_id, entry.patient_id, channel)
    engine.move_to(offer.hold_id, entry.appointment, channel)
    return entry.appointment


def decline(offer: WaitingOffer) -> None:
    """Not this time: it goes to the next in line, and the patient keeps their place. Raises EntryClosed, OfferGone."""
    entry = traces.lock(offer.entry)
    offer = _lock(offer)
    _give_back(offer)
    _answer(offer, "declined")
    traces.audit_record(entry, "declined", offer=str(offer.id))


def withdraw(entry: WaitingEntry) -> None:
    """Give back what a locked entry was offered."""
    for offer in session.scalars(
        select(WaitingOffer).where(WaitingOffer.entry_id == entry.id, WaitingOffer.outcome == "")
    ):
        _give_back(offer)
        _answer(offer, "withdrawn")


def expire_offers(establishment_id: UUID | None = None) -> int:
    """Mark the offers that nobody answered; the sweeper gives their time back, or did already."""
    query = select(WaitingOffer).where(WaitingOffer.outcome == "", WaitingOffer.expires_at <= db.now())
    if establishment_id is not None:
        query = query.where(WaitingOffer.establishment_id == establishment_id)
    over = session.scalars(query.order_by(WaitingOffer.id).with_for_update(key_share=True, skip_locked=True)).all()
    for offer in over:
        _answer(offer, "expired")
        traces.audit_record(offer.entry, "not_answered", offer=str(offer.id))
    return len(over)


def _lock(offer: WaitingOffer) -> WaitingOffer:
    query = select(WaitingOffer).where(WaitingOffer.id == offer.id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None or not found.may_be_taken:
        raise OfferGone
    return found


def _give_back(offer: WaitingOffer) -> None:
    kept = session.get(Hold, offer.hold_id, with_for_update={"key_share": True}, populate_existing=True)
    if kept is not None:
        engine.give_up(kept)


def _answer(offer: WaitingOffer, outcome: str) -> None:
    offer.outcome, offer.answered_at = outcome, db.now()
    session.flush()
