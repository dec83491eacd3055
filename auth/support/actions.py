"""An agent asks to see a person's screens, the person lets them by a code, and either of them ends it."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update

from auth.agents.administrators import as_the_system, name_of
from auth.factors import codes
from auth.models import Account, PatientAccess, PatientRecord
from auth.support import mails
from auth.support.models import SupportSession
from portal import audit, db, notifications
from portal.db import session

LIFE = timedelta(minutes=15)
CODE_LIFE = timedelta(minutes=5)
MOST_TRIES = 3
KINDS = ("cannot_find", "does_not_work", "does_not_understand", "complaint", "other")
"""What the agent helps with."""
ALONE_KINDS = ("written", "report", "assistive", "other")
"""Why the person is not on the phone: they wrote, a fault is reproduced, they cannot use a phone."""


class NotOfThisHospital(Exception):
    """The agent gives no support at this hospital, or the hospital does not know this person."""


class NoAccount(Exception):
    """The person has no account of their own: there are no screens to see."""


class OwnScreens(Exception):
    """The agent would look at their own."""


class WrongCode(Exception):
    """Not the code. left: how many tries remain."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left = left


class NotAsked(Exception):
    """The code is no longer waited for: too old, tried too often, refused by the person, or used."""


@dataclass(frozen=True)
class Try:
    """A try at a code, counted before it is looked at. left: how many remain after it. code: the one that serves."""

    session_id: UUID
    code: str
    left: int


@dataclass(frozen=True)
class Why:
    """kind: of KINDS; alone_kind: of ALONE_KINDS, "" with the person on the phone. words: read by auditors."""

    kind: str
    words: str
    alone_kind: str = ""
    alone_words: str = ""


@dataclass(frozen=True)
class _Person:
    """Whom to tell."""

    account_id: UUID
    email: str
    locale: str


def ask(establishment_id: UUID, patient_id: UUID, why: Why) -> SupportSession:
    """Ask the person for a code; without them on the phone, open at once. What was asked before is dropped.

    Raises NotOfThisHospital, NoAccount, OwnScreens.
    """
    actor = db.current_actor()
    if not actor.may("support", establishment_id) or actor.account_id is None:
        raise NotOfThisHospital
    if session.get(PatientRecord, (patient_id, establishment_id)) is None:
        raise NotOfThisHospital
    person = _person(patient_id, actor.account_id)
    asked = _asked(establishment_id, patient_id, person, actor.account_id, why)
    _drop_the_former(asked)
    with as_the_system("support.ask"):
        session.add(asked)
        session.flush()
    _record("support.asked", asked, kind=why.kind, alone=why.alone_kind or None)
    if why.alone_kind:
        _open(asked)
    else:
        _tell(person, asked, mails.code(name_of(establishment_id), asked.code))
    return asked


def count_try(session_id: UUID) -> Try:
    """Count a try, in a transaction of its own as the system: those made at the same moment are all counted, whatever
    becomes of the page. The last one spends the code. Raises NotAsked.
    """
    now, one = db.now(), SupportSession
    waits = (one.opened_at.is_(None), one.ended_at.is_(None), one.code_until > now, one.tries < MOST_TRIES)
    found = session.execute(select(one).where(one.id == session_id, *waits).with_for_update(key_share=True)).scalar()
    if found is None:
        raise NotAsked
    found.tries += 1
    return Try(found.id, found.code, MOST_TRIES - found.tries)


def refuse_code(counted: Try) -> None:
    """Write a wrong code down, as the system; after the last try nothing is waited for any more."""
    found = session.get_one(SupportSession, counted.session_id, with_for_update={"key_share": True})
    if not counted.left and found.opened_at is None and found.ended_at is None:
        found.code, found.ended_at = "", db.now()
    _record("support.refused", found, agent=str(found.account_id))


def open_with_code(asked: SupportSession, typed: str, counted: Try) -> None:
    """The agent types what the person read out. Raises WrongCode; NotAsked when the person said no meanwhile."""
    if counted.session_id != asked.id or not counted.code:
        raise NotAsked
    if not hmac.compare_digest(codes.digits_of(typed).encode(), counted.code.encode()):
        raise WrongCode(counted.left)
    _open(asked)


def look(seen: SupportSession, page: str) -> None:
    """Write down which screen the agent sees. page: the endpoint."""
    _record("support.looked", seen, page=page)


def end(open_: SupportSession) -> None:
    """The agent has seen enough."""
    _end(open_, "agent")


def end_by_person(open_: SupportSession) -> None:
    """The person ends it, or does not want it at all."""
    _end(open_, "person")


def _asked(
    establishment_id: UUID, patient_id: UUID, person: _Person, agent_id: UUID, why: Why
) -> SupportSession:  # fmt: skip
    on_the_phone = not why.alone_kind
    return SupportSession(
        id=uuid4(),
        establishment_id=establishment_id,
        patient_id=patient_id,
        person_account_id=person.account_id,
        account_id=agent_id,
        agent_name=db.current_actor().name,
        kind=why.kind,
        words=why.words.strip(),
        alone_kind=why.alone_kind,
        alone_words=why.alone_words.strip(),
        code=codes.six_digits() if on_the_phone else "",
        code_until=db.now() + CODE_LIFE if on_the_phone else None,
        asked_at=db.now(),
    )


def _person(patient_id: UUID, agent_id: UUID) -> _Person:
    """The person's own account, which agents cannot read."""
    own = (
        select(Account.id, Account.email, Account.locale)
        .join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(
            PatientAccess.patient_id == patient_id,
            PatientAccess.relation == "self",
            PatientAccess.revoked_at.is_(None),
            Account.closed_at.is_(None),
        )
        .order_by(Account.created_at.desc())
        .limit(1)
    )
    with as_the_system("support.ask"):
        found = session.execute(own).first()
        agent_email = session.scalar(select(Account.email).where(Account.id == agent_id))
    if found is None:
        raise NoAccount
    if agent_email and agent_email.lower() == found.email.lower():
        raise OwnScreens
    return _Person(found.id, found.email, found.locale)


def _drop_the_former(asked: SupportSession) -> None:
    """One look at a person by one agent: another question ends the former one."""
    former = update(SupportSession).where(
        SupportSession.account_id == asked.account_id,
        SupportSession.patient_id == asked.patient_id,
        SupportSession.ended_at.is_(None),
    )
    with as_the_system("support.ask"):
        session.execute(former.values(ended_at=db.now(), ended_by="agent", code=""))


def _open(asked: SupportSession) -> None:
    now = db.now()
    if not _change(asked, opened_at=now, ends_at=now + LIFE, code=""):
        raise NotAsked  # somebody ended or opened it in the same moment
    _record("support.opened", asked, kind=asked.kind, alone=asked.alone_kind or None)
    hospital = name_of(asked.establishment_id)
    mail = mails.opened_alone(hospital) if asked.is_alone else mails.opened(hospital)
    _tell(_person(asked.patient_id, asked.account_id), asked, mail)


def _end(open_: SupportSession, by: str) -> None:
    if open_.state(db.now()) not in ("asked", "open") or not _change(open_, ended_at=db.now(), ended_by=by, code=""):
        return
    _record("support.ended", open_, by=by)


def _change(one: SupportSession, **values: datetime | str) -> bool:
    """Whether it had not ended yet, and is opened once at the most."""
    # Whoever asks writes nothing by themselves: an agent could give themselves more than a quarter of an hour.
    still = [SupportSession.id == one.id, SupportSession.ended_at.is_(None)]
    if "opened_at" in values:
        still.append(SupportSession.opened_at.is_(None))
    with as_the_system("support.change"):
        done = session.execute(update(SupportSession).where(*still).values(**values).returning(SupportSession.id))
        is_done = done.first() is not None
    session.refresh(one)
    return is_done


def _tell(person: _Person, asked: SupportSession, mail: notifications.Mail) -> None:
    notifications.tell(
        mail,
        recipient=person.email,
        account_id=person.account_id,
        locale=person.locale,
        establishment_id=asked.establishment_id,
    )


def _record(event: str, one: SupportSession, **details: str | None) -> None:
    audit.record(
        event,
        patient_id=one.patient_id,
        establishment_id=one.establishment_id,
        object_kind="support_session",
        object_id=one.id,
        **details,
    )
