"""How a mandate changes: its state, its facts and the access it gives move together, once, and both people are told.

The key that a session reads (`PatientAccess`) is written by the system alone. Whoever decides is checked before, and
named in the change and in the audit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from auth.mandates import mails, queries, states
from auth.mandates.facts import ForOneself
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess
from portal import audit, db, notifications
from portal.db import session
from portal.notifications import Mail


def become(
    mandate: Mandate,
    state: str,
    event: str,
    *,
    reason: str = "",
    facts: dict[str, Any] | None = None,
    tell: bool = True,
) -> None:
    """Change the state, the facts and the access together, once, and tell both people."""
    mandate_id, actor = mandate.id, db.current_actor()
    with as_system():
        locked = session.get_one(Mandate, mandate_id, with_for_update={"key_share": True}, populate_existing=True)
        former = locked.state
        allowed = state in states.TRANSITIONS.get(former, frozenset())
        whose = (facts or {}).get("patient_id", locked.patient_id)
        for_oneself = state == "active" and _is_own(locked.account_id, whose)
        if allowed and not for_oneself:
            for name, value in {**(facts or {}), "state": state, "changed_at": db.now()}.items():
                setattr(locked, name, value)
            if state == "active":
                _replace_former(locked)
            session.flush()
            _write_access(locked)
            if tell:
                _tell_of(locked, event)
    if for_oneself:
        raise ForOneself
    states.check(former, state)
    note(mandate, former, event, reason)
    assert db.current_actor() == actor, "the line is in the name of whoever decided"


def note(mandate: Mandate, former: str, event: str, reason: str = "") -> None:
    """One immutable row and one audit line, in the name of the actor."""
    actor = db.current_actor()
    session.add(
        MandateChange(
            id=uuid4(),
            mandate_id=mandate.id,
            actor=actor.label,
            actor_name=actor.name,
            from_state=former,
            to_state=mandate.state,
            reason=reason,
        )
    )
    session.flush()
    record(mandate, event)


def record(mandate: Mandate, event: str) -> None:
    audit.record(
        f"mandate.{event}",
        patient_id=mandate.patient_id,
        establishment_id=mandate.establishment_id,
        object_kind="mandate",
        object_id=mandate.id,
        kind=mandate.kind,
    )


def _replace_former(mandate: Mandate) -> None:
    """One mandate for one person at a time: a new judgement takes the place of the former one."""
    former = select(Mandate).where(
        Mandate.account_id == mandate.account_id,
        Mandate.patient_id == mandate.patient_id,
        Mandate.state == "active",
        Mandate.id != mandate.id,
    )
    with session.no_autoflush:  # the new one is not active in the database before the former one has ended
        for each in session.scalars(former).all():
            session.execute(update(Mandate).where(Mandate.id == each.id).values(state="ended", changed_at=db.now()))
            _note_replaced(each)


def _note_replaced(mandate: Mandate) -> None:
    actor = db.current_actor()
    session.add(
        MandateChange(
            id=uuid4(),
            mandate_id=mandate.id,
            actor=actor.label,
            from_state="active",
            to_state="ended",
            reason="replaced",
        )
    )


def _write_access(mandate: Mandate) -> None:
    """Give the key, or take it away."""
    if mandate.account_id is None or mandate.patient_id is None:
        return
    pair = (PatientAccess.account_id == mandate.account_id, PatientAccess.patient_id == mandate.patient_id)
    if mandate.state != "active":
        gone = update(PatientAccess).where(*pair, PatientAccess.relation == mandate.kind)
        session.execute(gone.where(PatientAccess.revoked_at.is_(None)).values(revoked_at=db.now()))
        return
    facts = {
        "relation": mandate.kind,
        "scopes": mandate.scopes,
        "starts_on": mandate.starts_on,
        "ends_on": mandate.ends_on,
        "time_zone": mandate.time_zone,
        "revoked_at": None,
    }
    row = insert(PatientAccess).values(
        account_id=mandate.account_id, patient_id=mandate.patient_id, created_at=db.now(), **facts
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["account_id", "patient_id"], set_=facts, where=PatientAccess.relation != "self"
        )
    )


def _tell_of(mandate: Mandate, event: str) -> None:
    """Each change, to whoever does not know it yet."""
    about = mandate.id
    if event == "refused":
        tell_account(mandate.account_id, mails.refused(about))
    elif event == "checked":
        tell_both(mandate, mails.accepted(about), mails.somebody_acts_for_you(about))
    elif event in ("pushed", "accepted"):
        tell_both(mandate, mails.you_may_act(about), mails.somebody_acts_for_you(about))
    elif event == "renewed":
        tell_both(mandate, mails.renewed(about), mails.renewed(about))
    elif event in ("ended", "expired", "revoked", "given_up"):
        tell_both(mandate, mails.over(about), mails.over(about))


def tell_both(mandate: Mandate, to_proxy: Mail, to_person: Mail) -> None:
    tell_account(mandate.account_id, to_proxy)
    if mandate.patient_id is not None:
        for each in queries.acting_for(mandate.patient_id):
            if each.relation == "self" and each.account_id != mandate.account_id:
                notifications.tell(to_person, recipient=each.email, account_id=each.account_id, locale=each.locale)


def tell_account(account_id: UUID | None, mail: Mail) -> None:
    """As the system: agents do not read patients' accounts."""
    account = session.get(Account, account_id) if account_id else None
    if account is not None and account.closed_at is None:
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


@contextmanager
def as_system() -> Iterator[UUID | None]:
    """Act as the system for what nobody may write themselves; gives the account of the actor it stands in for.

    Facts are raised outside: an exception inside ends the request with the transaction.
    """
    actor = db.current_actor()
    if actor.kind == "system":
        yield actor.account_id
        session.flush()
        return
    db.act_as(db.system("auth.mandates"))
    yield actor.account_id
    db.act_as(actor)


def own_patient(account_id: UUID | None) -> Patient | None:
    return session.scalar(
        select(Patient)
        .join(PatientAccess, PatientAccess.patient_id == Patient.id)
        .where(PatientAccess.account_id == account_id, PatientAccess.relation == "self")
    )


def _is_own(account_id: UUID | None, patient_id: UUID | None) -> bool:
    own = own_patient(account_id)
    return own is not None and own.id == patient_id
