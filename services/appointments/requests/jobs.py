"""What happens to requests by itself: times given back, questions nobody answered, mails."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from portal import db, jobs, notifications
from portal.db import session
from services.appointments.requests import actions, mails, states
from services.appointments.requests.actions import RequestOver
from services.appointments.requests.models import AppointmentRequest, Proposal

_AT_ONCE = 500


@jobs.task("appointments.tell_of_request")
def tell_of_request(request_id: str, news: str) -> None:
    """Write to whoever asked that something happened."""
    with jobs.effect() as current:
        request = current.get_one(AppointmentRequest, UUID(request_id))
        to = _recipient(request)
        if to is not None:
            notifications.tell(
                mails.of(request, news),
                recipient=to.email,
                account_id=to.account_id,
                patient_id=request.patient_id,
                establishment_id=request.establishment_id,
                locale=to.locale,
            )


def _recipient(request: AppointmentRequest) -> Address | None:
    return mandates.address_for(
        request.patient_id, "administrative", masked=request.masked, account_id=request.account_id
    )


@jobs.periodic("* * * * *", "appointments.expire_proposals")
def expire_proposals() -> None:
    """Give the requests whose proposals are over back to the tray: one transaction each."""
    actor = db.system("appointments.expire_proposals")
    over = select(Proposal.request_id).where(Proposal.outcome == "", Proposal.expires_at <= db.now())
    _each(actor, over.distinct().limit(_AT_ONCE), actions.expire)


@jobs.periodic("23 5 * * *", "appointments.close_silent_requests")
def close_silent_requests() -> None:
    """Close the requests whose question has waited for a month."""
    actor = db.system("appointments.close_silent_requests")
    silent = select(AppointmentRequest.id).where(
        AppointmentRequest.state == states.MORE_ASKED,
        AppointmentRequest.changed_at < db.now() - actions.SILENT_AFTER,
    )
    _each(actor, silent.limit(_AT_ONCE), actions.close_silent)


def _each(actor: db.Actor, query: Any, act: Callable[[AppointmentRequest], object]) -> None:
    with db.transaction(actor):
        found = session.scalars(query).all()
    for request_id in found:
        try:
            with db.transaction(actor) as current:
                act(current.get_one(AppointmentRequest, request_id))
        except RequestOver:
            continue  # somebody was quicker


@jobs.periodic("37 4 * * *", "appointments.forget_request_words")
def forget_request_words() -> None:
    """Delete words and letters of requests closed a year ago."""
    with jobs.reading():
        actions.forget_words()
