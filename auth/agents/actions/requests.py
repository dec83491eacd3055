"""The two-administrators rule: a right that gives power over others is asked for by one and confirmed by another.

A hospital with a single administrator cannot confirm anything: its operator invites the second one with
`parvis admin invite`, which is outside the reach of whoever administers.
"""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.agents import administrators, mails
from auth.agents.models import RightRequest
from auth.models import Account, StaffRight
from portal import audit, db, notifications
from portal.db import session

NEEDS_TWO = frozenset({"administration", "audit"})
REQUEST_LIFE = timedelta(days=7)


class UnknownRequest(Exception):
    """No request that waits has this id at a hospital of the actor."""


class OwnRequest(Exception):
    """Whoever asked, or would get the right, cannot confirm it."""


class RequestLapsed(Exception):
    """The request is too old, or whoever asked no longer administers the hospital, or the agent has left."""


def ask(account_id: UUID, establishment_id: UUID, rights: Collection[str], requested_by: UUID) -> None:
    """Ask a second administrator for these rights; one that waits already, or is held, is not asked for twice."""
    _let_lapse(RightRequest.account_id == account_id, RightRequest.establishment_id == establishment_id)
    asked = [right for right in sorted(rights) if _ask(account_id, establishment_id, right, requested_by)]
    for right in asked:
        _record("right.asked", account_id, establishment_id, right)
    if asked:
        mail = mails.to_confirm(administrators.name_of(establishment_id))
        administrators.tell(establishment_id, mail, but=(requested_by, account_id))


def confirm(request_id: UUID) -> RightRequest:
    """Give the right that another administrator asked for.

    Raises UnknownRequest, OwnRequest, RequestLapsed (the request is then over).
    """
    request, holders = _waiting(request_id)
    me = db.current_actor().account_id
    if me in (request.requested_by, request.account_id):
        raise OwnRequest
    agent = session.get(Account, request.account_id)
    if request.expires_at < db.now() or request.requested_by not in holders or agent is None or agent.closed_at:
        _decide(request, "lapsed")
        raise RequestLapsed
    _decide(request, "confirmed")
    given = insert(StaffRight).values(
        account_id=request.account_id, establishment_id=request.establishment_id, right=request.right
    )
    session.execute(given.on_conflict_do_nothing())
    _record("right.granted", request.account_id, request.establishment_id, request.right, request=str(request.id))
    _tell_the_answer(request, agent)
    return request


def refuse(request_id: UUID) -> RightRequest:
    """Refuse what another administrator asked for, or withdraw what one asked for oneself. Raises UnknownRequest."""
    request, _holders = _waiting(request_id)
    own = request.requested_by == db.current_actor().account_id
    _decide(request, "withdrawn" if own else "refused")
    event = "right_request.withdrawn" if own else "right_request.refused"
    _record(event, request.account_id, request.establishment_id, request.right)
    if not own:
        _tell(session.get_one(Account, request.requested_by), request)
    return request


def forget_requests(account_id: UUID, establishment_id: UUID) -> None:
    """An agent leaves: nothing waits for them, nor because of them, at this hospital."""
    concerned = (RightRequest.account_id == account_id) | (RightRequest.requested_by == account_id)
    _close(concerned, RightRequest.establishment_id == establishment_id, outcome="withdrawn")


def lapse() -> int:
    """End the requests that nobody answered in time; how many."""
    return _let_lapse()


def _ask(account_id: UUID, establishment_id: UUID, right: str, requested_by: UUID) -> bool:
    if session.get(StaffRight, (account_id, establishment_id, right)) is not None:
        return False
    row = insert(RightRequest).values(
        id=uuid4(),
        account_id=account_id,
        establishment_id=establishment_id,
        right=right,
        requested_by=requested_by,
        requested_at=db.now(),
        expires_at=db.now() + REQUEST_LIFE,
        outcome="",
    )
    return session.scalar(row.on_conflict_do_nothing().returning(RightRequest.id)) is not None


def _waiting(request_id: UUID) -> tuple[RightRequest, set[UUID]]:
    """The request, held, and who administers its hospital, held too: always in this order (see `rights`)."""
    request = session.get(RightRequest, request_id)
    if request is None:
        raise UnknownRequest
    try:
        holders = administrators.lock(request.establishment_id)
    except administrators.NotAdministrator as refused:
        raise UnknownRequest from refused
    session.refresh(request, with_for_update={"key_share": True})
    if request.outcome:
        raise UnknownRequest
    return request, holders


def _decide(request: RightRequest, outcome: str) -> None:
    request.outcome, request.decided_by, request.decided_at = outcome, db.current_actor().account_id, db.now()
    session.flush()
    if outcome == "lapsed":
        _record("right_request.lapsed", request.account_id, request.establishment_id, request.right)


def _let_lapse(*conditions: ColumnElement[bool]) -> int:
    return _close(RightRequest.expires_at < db.now(), *conditions, outcome="lapsed")


def _close(*conditions: ColumnElement[bool], outcome: str) -> int:
    ended = session.execute(
        update(RightRequest)
        .where(RightRequest.outcome == "", *conditions)
        .values(outcome=outcome, decided_at=db.now())
        .returning(RightRequest.account_id, RightRequest.establishment_id, RightRequest.right)
    ).all()
    for account_id, establishment_id, right in ended:
        _record(f"right_request.{outcome}", account_id, establishment_id, right)
    return len(ended)


def _tell_the_answer(request: RightRequest, agent: Account) -> None:
    hospital = administrators.name_of(request.establishment_id)
    mail = mails.rights_changed(hospital)
    notifications.tell(mail, recipient=agent.email, account_id=agent.id, locale=agent.locale)
    _tell(session.get_one(Account, request.requested_by), request)


def _tell(requester: Account, request: RightRequest) -> None:
    mail = mails.decided(administrators.name_of(request.establishment_id), request.outcome)
    notifications.tell(mail, recipient=requester.email, account_id=requester.id, locale=requester.locale)


def _record(event: str, account_id: UUID, establishment_id: UUID, right: str, **more: str) -> None:
    audit.record(
        event,
        patient_id=None,
        establishment_id=establishment_id,
        object_kind="account",
        object_id=account_id,
        right=right,
        **more,
    )


def waiting_for(account_id: UUID) -> bool:
    """Whether somebody has asked for a right for this agent, that still waits."""
    query = select(RightRequest.id).where(RightRequest.account_id == account_id, RightRequest.outcome == "")
    return session.scalar(query.limit(1)) is not None
