"""What happens on the waiting list by itself: time that came free is offered, offers end, mails."""

from collections.abc import Collection
from uuid import UUID

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from portal import db, jobs, notifications
from services.appointments.models import ConsultationSession
from services.appointments.waiting import actions, clock, mails, queries
from services.appointments.waiting.actions import EntryClosed
from services.appointments.waiting.models import WaitingEntry, WaitingOffer


def time_came_free(session_id: UUID) -> None:
    """In the transaction that freed some time of a session: whoever waits for it is asked soon after."""
    jobs.enqueue("appointments.offer_freed", session_id=str(session_id))


def time_was_opened(session_ids: Collection[UUID]) -> None:
    """In the transaction that opened sessions, or more of their cells: the same, for those that somebody waits for.
    A year of a template is opened at once, so the others ask for no job."""
    for session_id in queries.waited_for(session_ids):
        time_came_free(session_id)


@jobs.task("appointments.offer_freed")
def offer_freed(session_id: str) -> None:
    """Offer what is free in a session to those who wait; in the morning when people sleep."""
    with jobs.effect() as current:
        opened = current.get(ConsultationSession, UUID(session_id))
        if opened is None or not queries.waited_for([opened.id]):
            return
        now, tz = db.now(), queries.zone_of(opened)
        if clock.is_quiet(now, tz):
            jobs.enqueue("appointments.offer_freed", at=clock.wakes_at(now, tz), session_id=session_id)
            return
        actions.offer_freed(opened.id)


@jobs.periodic("* * * * *", "appointments.expire_offers")
def expire_offers() -> None:
    """Mark the offers nobody answered, and close what can bring nothing earlier any more."""
    with jobs.reading():
        actions.expire_offers()
    _close_over()


def _close_over() -> None:
    actor = db.system("appointments.close_waiting")
    with db.transaction(actor):
        over = queries.over_now()
    for entry_id, why in over:
        try:
            with db.transaction(actor) as current:
                actions.close(current.get_one(WaitingEntry, entry_id), why)
        except EntryClosed:
            continue  # the patient was quicker


@jobs.task("appointments.tell_of_offer")
def tell_of_offer(offer_id: str) -> None:
    """Write to whoever waits that an earlier time is kept for them, unless it is over already."""
    with jobs.effect() as current:
        offer = current.get_one(WaitingOffer, UUID(offer_id))
        to = _recipient(offer.entry) if offer.may_be_taken else None
        if to is not None:
            notifications.tell(
                mails.offered(offer),
                recipient=to.email,
                account_id=to.account_id,
                patient_id=offer.patient_id,
                establishment_id=offer.establishment_id,
                locale=to.locale,
            )


@jobs.task("appointments.tell_of_list")
def tell_of_list(entry_id: str) -> None:
    """Write to whoever waited that their place on the list has ended, and that nothing comes by itself any more."""
    with jobs.effect() as current:
        entry = current.get_one(WaitingEntry, UUID(entry_id))
        to = _recipient(entry)
        if to is not None:
            notifications.tell(
                mails.LIST_ENDED,
                recipient=to.email,
                account_id=to.account_id,
                patient_id=entry.patient_id,
                establishment_id=entry.establishment_id,
                locale=to.locale,
            )


def _recipient(entry: WaitingEntry) -> Address | None:
    masked = entry.appointment is not None and entry.appointment.masked
    found = mandates.address_for(entry.patient_id, "administrative", masked=masked, account_id=entry.account_id)
    given = entry.patient.email
    return found or (Address(given) if given and not masked else None)


@jobs.periodic("11 * * * *", "appointments.count_freed_slots")
def count_freed_slots() -> None:
    """Count the visits cancelled late whose time has come."""
    with jobs.reading():
        actions.count_freed()
