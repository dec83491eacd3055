"""The identity unit's side: link what it has checked, refuse the rest."""

from uuid import UUID

from sqlalchemy import select

from auth.enrolment import mails
from auth.enrolment.actions import linking
from auth.enrolment.models import Link, LinkRequest
from auth.models import Account
from auth.records import as_system
from portal import audit, db, kpi, notifications
from portal.db import session
from portal.establishments import Establishment


def link_as_agent(patient_id: UUID, establishment_id: UUID, ipp: str) -> Link:
    """An agent has checked that the account's person is the one of this number (identity document, file).

    Whatever waited for it is decided. Raises UnknownNumber, AlreadyLinked, NumberHeld.
    """
    made = linking.link(patient_id, establishment_id, ipp, "agent")
    waiting = session.scalar(
        select(LinkRequest).where(
            LinkRequest.patient_id == patient_id,
            LinkRequest.establishment_id == establishment_id,
            LinkRequest.decided_at.is_(None),
        )
    )
    if waiting is not None:
        _decide(waiting, "linked")
    return made


def refuse_request(request: LinkRequest, reason: str) -> None:
    """The agent could not find that they are the same person; who asked is told, without the reason."""
    _decide(request, "refused", reason)
    audit.record("link.refused", patient_id=request.patient_id, establishment_id=request.establishment_id,
                 object_kind="link_request", object_id=request.id)  # fmt: skip
    kpi.count("link_refused", establishment_id=request.establishment_id)
    if request.asked_at is not None:
        account_id, place = request.account_id, request.establishment_id
        with as_system("enrolment.refuse"):
            account, hospital = session.get_one(Account, account_id), session.get_one(Establishment, place)
            notifications.tell(mails.not_linked(hospital.name), recipient=account.email, account_id=account.id,
                               locale=account.locale, establishment_id=place)  # fmt: skip


def _decide(request: LinkRequest, decision: str, reason: str = "") -> None:
    request.decided_at, request.decided_by = db.now(), db.current_actor().name
    request.decision, request.reason = decision, reason
    session.flush()
