"""What practitioners settle about their work: where they are today, and who may act in their stead.

Nobody is found by browsing names: a secretary reads out a code made on their own page, and the practitioner types it.
"""

import hashlib
import secrets
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from auth.models import Account, Delegation, Professional, WebSession
from auth.practice import activities, queries
from auth.practice.activities import Described
from auth.practice.models import DelegationCode
from portal import audit, db, jobs
from portal.db import session

CODE_LIFE = timedelta(minutes=15)
CODE_LENGTH = 8
_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else


class UnknownSite(Exception):
    """Pro Santé Connect does not say that this person exercises there."""


class CodeRefused(Exception):
    """The code is unknown, used, too old, or one's own."""


class MayNotDelegate(Exception):
    """Whoever has no practice, or acts in somebody's stead, passes nothing on."""


class EndsInThePast(Exception):
    """The last day of the delegation is over."""


class NotDelegated(Exception):
    """This delegation is not in force, or not for this person."""


# -- where one works today -----------------------------------------------------------------------------------------


def arrive(account: Account, digest: bytes) -> None:
    """At sign-in: one place of work, or none at all, is settled by itself; several wait for a choice.

    digest: of the new session's token. A secretary without any practice works all the same.
    """
    if account.audience != "professional":
        return
    sites = queries.sites_of(account.id)
    if len(sites) > 1:
        return
    chosen = sites[0] if sites else {}
    found = session.execute(
        update(WebSession).where(WebSession.digest == digest).values(activity=dict(chosen)).returning(WebSession.id)
    )
    _record_site(found.scalar_one(), chosen)


def choose_site(session_id: UUID, key: str) -> None:
    """Work there from now on in this session. Raises UnknownSite."""
    account_id = db.current_actor().account_id
    assert account_id is not None, "a practitioner is signed in"
    chosen = next((site for site in queries.sites_of(account_id) if activities.key(site) == key), None)
    if chosen is None:
        raise UnknownSite(key)
    session.execute(update(WebSession).where(WebSession.id == session_id).values(activity=dict(chosen)))
    _record_site(session_id, chosen)


def _record_site(session_id: UUID, chosen: Described) -> None:
    """Codes alone: where, and as what."""
    audit.record(
        "activity.chosen",
        object_kind="web_session",
        object_id=session_id,
        site=activities.number(chosen),
        profession=str(chosen.get("profession") or ""),
    )


# -- who may act in one's stead ------------------------------------------------------------------------------------


def make_code() -> str:
    """A code to read out to a practitioner, good once and for a quarter of an hour; the former ones are void."""
    me = queries.me()
    _forget_codes(me)
    code = "".join(secrets.choice(_SIGNS) for _ in range(CODE_LENGTH))
    made = uuid4()
    session.execute(
        insert(DelegationCode)
        .inline()
        .values(
            id=made,
            account_id=me.account_id,
            professional_id=me.id,
            digest=digest(code),
            created_at=db.now(),
            expires_at=db.now() + CODE_LIFE,
        )
    )
    audit.record("delegation_code.made", object_kind="delegation_code", object_id=made)
    return code


def digest(code: str) -> bytes:
    """Of the code as people write it: spaces, hyphens and case do not count."""
    return hashlib.sha256("".join(sign for sign in code.upper() if sign.isalnum()).encode()).digest()


def allow(code: str, ends_on: date | None) -> Delegation:
    """Let the person who reads out this code act in one's stead, until a day included or until it is withdrawn.

    Raises MayNotDelegate, EndsInThePast, CodeRefused.
    """
    me = queries.me()
    if db.current_actor().on_behalf_of is not None or not may_delegate(me):
        raise MayNotDelegate
    if ends_on is not None and ends_on < queries.today():
        raise EndsInThePast
    delegate_id, delegate_name = _spend_code(code, me.id)
    delegation = _live_delegation(me.id, delegate_id)
    if delegation is None:
        delegation = Delegation(id=uuid4(), professional_id=me.id, delegate_id=delegate_id, created_at=db.now())
        session.add(delegation)
    delegation.professional_name, delegation.delegate_name = me.titled_name, delegate_name
    delegation.ends_on, delegation.professional_seen_at, delegation.delegate_seen_at = ends_on, db.now(), None
    session.flush()
    _record("delegation.given", delegation)
    return delegation


def may_delegate(professional: Professional) -> bool:
    """Whether they have a practice that somebody could look after for them."""
    return bool(professional.rpps or professional.profession)


def withdraw(delegation: Delegation) -> None:
    """The practitioner takes the delegation back; open sessions stop acting for them at once. Raises NotDelegated."""
    _end(delegation, delegation.professional_id)
    delegation.professional_seen_at, delegation.delegate_seen_at = db.now(), None
    _record("delegation.withdrawn", delegation)


def give_back(delegation: Delegation) -> None:
    """The person who could act in somebody's stead no longer wants to. Raises NotDelegated."""
    _end(delegation, delegation.delegate_id)
    delegation.professional_seen_at, delegation.delegate_seen_at = None, db.now()
    _record("delegation.given_back", delegation)


def acknowledge(delegation: Delegation) -> None:
    """This person has read what changed."""
    if delegation.professional_id == queries.me().id:
        delegation.professional_seen_at = db.now()
    else:
        delegation.delegate_seen_at = db.now()
    audit.record("delegation.seen", object_kind="delegation", object_id=delegation.id)


def act_for(session_id: UUID, delegation: Delegation) -> None:
    """Act in the practitioner's stead from now on in this session. Raises NotDelegated."""
    is_over = delegation.revoked_at is not None or (delegation.ends_on or date.max) < queries.today()
    if is_over or delegation.delegate_id != queries.me().id:
        raise NotDelegated
    session.execute(
        update(WebSession).where(WebSession.id == session_id).values(on_behalf_of=delegation.professional_id)
    )
    audit.record(
        "delegation.used",
        object_kind="delegation",
        object_id=delegation.id,
        professional=str(delegation.professional_id),
    )


def act_for_oneself(session_id: UUID) -> None:
    """Act in one's own name again in this session."""
    session.execute(update(WebSession).where(WebSession.id == session_id).values(on_behalf_of=None))
    audit.record("delegation.left", object_kind="web_session", object_id=session_id)


def _spend_code(code: str, own_id: UUID) -> tuple[UUID, str]:
    """Whose code it is, once. As the system: a practitioner sees neither others' codes nor others' names."""
    giver = db.current_actor()
    db.act_as(db.system("practice.find_delegate"))
    found = session.execute(
        select(DelegationCode, Professional)
        .join(Professional, Professional.id == DelegationCode.professional_id)
        .where(DelegationCode.digest == digest(code))
        .with_for_update(of=DelegationCode, key_share=True)
    ).first()
    good = found and not found[0].used_at and found[0].expires_at > db.now() and found[1].id != own_id
    if found and good:
        found[0].used_at = db.now()
        session.flush()
    delegate = (found[1].id, found[1].full_name) if found and good else None
    db.act_as(giver)
    if delegate is None:
        raise CodeRefused
    return delegate


def _live_delegation(professional_id: UUID, delegate_id: UUID) -> Delegation | None:
    # Two codes of one person typed at once: the second waits here and finds the delegation that the first made.
    pair = f"delegation {professional_id} {delegate_id}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(pair, 0))))
    return session.scalar(
        select(Delegation)
        .where(Delegation.professional_id == professional_id, Delegation.delegate_id == delegate_id, queries.live())
        .with_for_update(key_share=True)
        .limit(1)
    )


def _end(delegation: Delegation, by: UUID) -> None:
    session.refresh(delegation, with_for_update={"key_share": True})
    if delegation.revoked_at is not None or queries.me().id != by:
        raise NotDelegated
    delegation.revoked_at = db.now()
    session.flush()


def _forget_codes(me: Professional) -> None:
    for code in session.scalars(select(DelegationCode).where(DelegationCode.professional_id == me.id)):
        session.delete(code)
    session.flush()


def _record(event: str, delegation: Delegation) -> None:
    """Write it down, and tell both people."""
    audit.record(
        event,
        object_kind="delegation",
        object_id=delegation.id,
        professional=str(delegation.professional_id),
        delegate=str(delegation.delegate_id),
    )
    jobs.enqueue("practice.tell", delegation_id=str(delegation.id))
