"""A death is declared, corrected, undone by two agents.

What it ends carries the very moment of the declaration (`Death.declared_at`), so that undoing gives back exactly that
and nothing that had ended before. Appointments, files and bills are listed to an agent (`auth.death.affairs`), never
cancelled. Nobody is told: every message to or about the person stops.
"""

from datetime import date, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from auth.death import mails, queries
from auth.death.models import SOURCES, Death
from auth.mandates.actions import end_all
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess, WebSession
from auth.records import as_system
from portal import audit, calendar, db, notifications
from portal.db import session
from portal.establishments import Establishment

_REASON = "death"
_OTHERWISE = ZoneInfo("Europe/Paris")


class DeathRefused(Exception):
    """The day cannot be right. code: in_future or before_birth."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotKnownHere(Exception):
    """The agent has no say at a hospital that knows this patient."""


class UndoRefused(Exception):
    """code: not_asked, already_asked, same_agent, already_undone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# -- declaring -----------------------------------------------------------------------------------------------------


def declare(patient_id: UUID, *, died_on: date, source: str, establishment_id: UUID | None = None) -> Death | None:
    """Somebody died: end at once all that must, in the current transaction. source: one of `models.SOURCES`.

    Told again, nothing more happens; told with another day, the day is corrected. A machine that repeats what two
    agents have undone is not believed: None. Raises DeathRefused, NotKnownHere.
    """
    assert source in SOURCES, source
    _check_agent(patient_id, establishment_id)
    teller = db.current_actor()
    with as_system("death.declare"):
        patient = _lock(patient_id)
        _check_day(patient, died_on, establishment_id)
        known = queries.in_force(patient_id)
        ignored = known is None and source != "agent" and _was_undone(patient_id, died_on)
        is_news = known is None and not ignored
        corrected = known is not None and known.died_on != died_on
        if known is not None:
            known.died_on = patient.deceased_on = died_on
        if is_news:
            known = _write(patient, died_on, source, establishment_id, teller)
            _end_everything(known)
        session.flush()
        known_id = known.id if known else None
    event = "declared" if is_news else "ignored" if ignored else "corrected" if corrected else ""
    if event:
        _record(f"death.{event}", patient_id, establishment_id, known_id, source=source)
    return session.get(Death, known_id) if known_id else None


def _check_agent(patient_id: UUID, establishment_id: UUID | None) -> None:
    actor = db.current_actor()
    if actor.kind != "staff":
        return
    if establishment_id is None or not actor.may("identity", establishment_id):
        raise NotKnownHere
    if not queries.homes_of(patient_id, [establishment_id]):
        raise NotKnownHere


def _lock(patient_id: UUID) -> Patient:
    """Two people who declare and undo at the same time go one after the other."""
    return session.get_one(Patient, patient_id, with_for_update={"key_share": True}, populate_existing=True)


def _check_day(patient: Patient, died_on: date, establishment_id: UUID | None) -> None:
    place = session.get(Establishment, establishment_id) if establishment_id else None
    if died_on > calendar.civil_day(db.now(), place.tz if place else _OTHERWISE):
        raise DeathRefused("in_future")
    if died_on < patient.birth_on:
        raise DeathRefused("before_birth")


def _was_undone(patient_id: UUID, died_on: date) -> bool:
    query = select(Death.id).where(
        Death.patient_id == patient_id, Death.died_on == died_on, Death.undone_at.is_not(None)
    )
    return session.scalar(query.limit(1)) is not None


def _write(patient: Patient, died_on: date, source: str, establishment_id: UUID | None, teller: db.Actor) -> Death:
    patient.deceased_on = died_on
    made = Death(
        id=uuid4(),
        patient_id=patient.id,
        establishment_id=establishment_id,
        died_on=died_on,
        source=source,
        declared_at=db.now(),
        declared_by=teller.label,
        declared_by_name=teller.name if teller.kind == "staff" else "",
    )
    session.add(made)
    session.flush()
    return made


def _end_everything(death: Death) -> None:
    """Accesses to the person's file and from their account, the account itself, its open sessions, mandates."""
    at, own = death.declared_at, _own_accounts(death.patient_id)
    accesses = (PatientAccess.patient_id == death.patient_id) | PatientAccess.account_id.in_(own)
    session.execute(update(PatientAccess).where(accesses, PatientAccess.revoked_at.is_(None)).values(revoked_at=at))
    session.execute(update(Account).where(Account.id.in_(own), Account.closed_at.is_(None)).values(closed_at=at))
    session.execute(
        update(WebSession)
        .where(WebSession.account_id.in_(own), WebSession.ended_at.is_(None))
        .values(ended_at=at, id_token="")
    )
    end_all(death.patient_id, _REASON)


def _own_accounts(patient_id: UUID) -> list[UUID]:
    """The accounts with which the person acts for themselves today."""
    query = select(PatientAccess.account_id).where(
        PatientAccess.patient_id == patient_id, PatientAccess.relation == "self", PatientAccess.revoked_at.is_(None)
    )
    return list(session.scalars(query))


# -- undoing -------------------------------------------------------------------------------------------------------


def ask_undo(death: Death, reason: str) -> None:
    """A first agent says that the person is alive. Raises UndoRefused."""
    actor = _relock(death)
    if death.undo_asked_at is not None:
        raise UndoRefused("already_asked")
    death.undo_asked_at, death.undo_asked_by, death.undo_asked_by_name = db.now(), actor.account_id, actor.name
    death.undo_reason = reason
    session.flush()
    _record("death.undo_asked", death.patient_id, death.establishment_id, death.id)


def withdraw_undo(death: Death) -> None:
    """The death is right after all. Raises UndoRefused."""
    _relock(death)
    if death.undo_asked_at is None:
        raise UndoRefused("not_asked")
    death.undo_asked_at = death.undo_asked_by = None
    death.undo_asked_by_name = death.undo_reason = ""
    session.flush()
    _record("death.undo_withdrawn", death.patient_id, death.establishment_id, death.id)


def undo(death: Death) -> None:
    """A second agent confirms: sign-in and accesses are as they were before. Raises UndoRefused."""
    actor = _relock(death)
    if death.undo_asked_at is None:
        raise UndoRefused("not_asked")
    if death.undo_asked_by == actor.account_id:
        raise UndoRefused("same_agent")
    death_id, patient_id, establishment_id = death.id, death.patient_id, death.establishment_id
    with as_system("death.undo"):
        patient, undone = _lock(patient_id), session.get_one(Death, death_id)
        patient.deceased_on = None
        undone.undone_at, undone.undone_by, undone.undone_by_name = db.now(), actor.account_id, actor.name
        session.flush()
        _give_back(undone)
    _record("death.undone", patient_id, establishment_id, death_id)


def _relock(death: Death) -> db.Actor:
    """The declaration, held still; the agent who acts on it."""
    session.refresh(death, with_for_update={"of": Death, "key_share": True})
    if death.undone_at is not None:
        raise UndoRefused("already_undone")
    return db.current_actor()


def _give_back(death: Death) -> None:
    at = death.declared_at
    concerned = PatientAccess.patient_id == death.patient_id
    own = select(PatientAccess.account_id).where(concerned, PatientAccess.relation == "self")
    reopened = session.scalars(
        update(Account).where(Account.id.in_(own), Account.closed_at == at).values(closed_at=None).returning(Account)
    ).all()
    both = concerned | PatientAccess.account_id.in_([account.id for account in reopened])
    session.execute(update(PatientAccess).where(both, PatientAccess.revoked_at == at).values(revoked_at=None))
    _give_mandates_back(death, [account.id for account in reopened])
    for account in reopened:
        notifications.tell(mails.REOPENED, recipient=account.email, account_id=account.id, locale=account.locale)


def _give_mandates_back(death: Death, accounts: list[UUID]) -> None:
    """Those that the death ended go back to the state they were in, with a line that says so."""
    ended = session.execute(
        select(Mandate, MandateChange.from_state)
        .join(MandateChange, MandateChange.mandate_id == Mandate.id)
        .where(
            (Mandate.patient_id == death.patient_id) | Mandate.account_id.in_(accounts),
            Mandate.state == "ended",
            MandateChange.reason == _REASON,
            MandateChange.at.between(death.declared_at, death.declared_at + timedelta(minutes=1)),
        )
    ).all()
    actor = db.current_actor()
    for mandate, former in ended:
        mandate.state, mandate.changed_at = former, db.now()
        session.add(
            MandateChange(
                id=uuid4(), mandate_id=mandate.id, actor=actor.label, from_state="ended", to_state=former,
                reason="death_undone",
            )
        )  # fmt: skip
    session.flush()


# -- looking -------------------------------------------------------------------------------------------------------


def open_death(death: Death) -> tuple[int, int]:
    """An agent looks at a declaration and at what it leaves open; how many accounts and accesses it ended."""
    _record("death.opened", death.patient_id, death.establishment_id, death.id)
    death_id = death.id
    with as_system("death.look"):
        return queries.ended_by(session.get_one(Death, death_id))


def _record(event: str, patient_id: UUID, establishment_id: UUID | None, death_id: UUID | None, **details: str) -> None:
    audit.record(
        event,
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="death",
        object_id=death_id,
        **details,
    )
