"""Traits brought up to date, people who may be one, the beneficiary number shown for a reason.

Nothing is ever merged by itself, and never by mail address: couples and carers share one.
"""

from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.enrolment.actions import linking
from auth.enrolment.belongings import Move
from auth.identity import mails, nir, traits
from auth.identity.models import PossibleDuplicate
from auth.models import Account, Identity, Patient, PatientAccess, PatientRecord, WebSession
from auth.records import as_system
from portal import audit, db, kpi, notifications
from portal.db import session

_VERBATIM: Final = (
    "birth_name", "used_name", "first_names", "sex", "birth_on", "birth_on_raw", "birthplace_insee",
    "birthcountry_insee", "birthplace_text",
)  # fmt: skip
_DOORS: Final = "doors"


class AlreadyDecided(Exception):
    """A colleague decided first."""


class NothingToReveal(Exception):
    """No beneficiary number is kept for this patient."""


class StillLinked(Exception):
    """The newer account is linked to a hospital's number: what comes for that number would be seen by nobody."""


class NoAccount(Exception):
    """One of the two has no account to keep, or the other none to join."""


def refresh_traits(patient: Patient, described: Any) -> None:
    """At a sign-in: what the provider says today, to the letter. The audit says that traits changed, not which."""
    told = {name: _plain(getattr(described, name, "") or "") for name in _VERBATIM if hasattr(described, name)}
    changed = {name: value for name, value in told.items() if getattr(patient, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(patient, name, value)
    session.flush()
    audit.record("traits.changed", patient_id=patient.id, object_kind="patient", object_id=patient.id)


def note_duplicates(patient: Patient, *, has_account: bool, establishment_id: UUID | None = None) -> int:
    """Put a new patient who resembles an older one before the identity units that know the older one.

    All traits equal or all but one. Returns how many pairs wait now. As the system.
    """
    found = [(older, place) for older, place, number, held in _resembling(patient, establishment_id)
             if held or (has_account and number is None)]  # fmt: skip
    for older, place in found:
        _queue(patient, older, place, has_account)
    return len(found)


def decide_different(pair: PossibleDuplicate, reason: str) -> None:
    """An agent has checked: two people. Raises AlreadyDecided."""
    _decide(pair, "different", reason)
    _record("duplicate.dismissed", pair)


def decide_same(pair: PossibleDuplicate, reason: str) -> None:
    """An agent has checked a proof: one person. Every way to sign in leads to the older account, and what the newer
    one has follows; both mail addresses are told. Undone by `part`. Raises AlreadyDecided, NoAccount, StillLinked.
    """
    with as_system("identity.join"):
        _check_joinable(pair.patient_id, pair.older_id)
    _decide(pair, "same", reason)
    with as_system("identity.join"):
        joined = session.get_one(PossibleDuplicate, pair.id)
        newer, older = _account_of(joined.patient_id), _account_of(joined.older_id)
        if newer is not None and older is not None:
            _join_accounts(joined, newer, older)
        else:
            _join_record(joined, to_newer=newer is not None)
        session.flush()
    _record("duplicate.joined", pair)
    kpi.count("duplicate_joined", establishment_id=pair.establishment_id)


def part(pair: PossibleDuplicate, reason: str) -> None:
    """They were two people after all: each gets back their doors and what was theirs. Raises AlreadyDecided."""
    if pair.decision != "same":
        raise AlreadyDecided
    with as_system("identity.part"):
        joined = session.get_one(PossibleDuplicate, pair.id, with_for_update={"key_share": True})
        if joined.decision != "same":
            raise AlreadyDecided
        joined.decision, joined.reason = "undone", reason
        _give_back(joined)
        if joined.moved_account_id and joined.kept_account_id:
            _part_accounts(joined)
        session.flush()
    _record("duplicate.parted", pair)


def write_nir(patient: Patient, establishment_id: UUID, typed: str) -> None:
    """Keep the beneficiary number of a patient, sealed. Raises NotANir."""
    nir.write(patient, typed)
    audit.record("nir.written", patient_id=patient.id, establishment_id=establishment_id)


def reveal_nir(patient: Patient, establishment_id: UUID, reason: str) -> str:
    """The whole number, for a reason that is written down. Raises NothingToReveal."""
    number = nir.number_of(patient)
    if not number:
        raise NothingToReveal
    audit.record("nir.revealed", patient_id=patient.id, establishment_id=establishment_id, reason=reason)
    return nir.spelled(number)


# -- as the system -------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _resembling(patient: Patient, establishment_id: UUID | None) -> list[tuple[Patient, UUID, str | None, bool]]:
    near = or_(
        and_(Patient.birth_on == patient.birth_on, Patient.name_key == patient.name_key),
        and_(Patient.birth_on == patient.birth_on, Patient.first_key == patient.first_key),
        and_(Patient.name_key == patient.name_key, Patient.first_key == patient.first_key),
    )
    held = and_(PatientAccess.patient_id == Patient.id, PatientAccess.relation == "self")
    query = (
        select(Patient, PatientRecord.establishment_id, PatientRecord.ipp, PatientAccess.account_id)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .outerjoin(PatientAccess, held)
        .where(near, Patient.id != patient.id)
        .limit(100)
    )
    if establishment_id is not None:
        query = query.where(PatientRecord.establishment_id == establishment_id)
    return [
        (older, place, number, account is not None)
        for older, place, number, account in session.execute(query)
        if len(traits.differences(patient, older)) <= 1
    ]


def _queue(patient: Patient, older: Patient, establishment_id: UUID, has_account: bool) -> None:
    both = has_account and _account_of(older.id) is not None
    session.execute(
        insert(PossibleDuplicate)
        .values(
            id=uuid4(),
            establishment_id=establishment_id,
            patient_id=patient.id,
            older_id=older.id,
            kind="accounts" if both else "record",
            differs=",".join(traits.differences(patient, older)),
            found_at=db.now(),
        )
        .on_conflict_do_nothing()
    )
    audit.record("duplicate.found", patient_id=patient.id, establishment_id=establishment_id)


def _decide(pair: PossibleDuplicate, decision: str, reason: str) -> None:
    session.refresh(pair, with_for_update={"of": PossibleDuplicate, "key_share": True})
    if pair.decided_at is not None:
        raise AlreadyDecided
    pair.decided_at, pair.decided_by = db.now(), db.current_actor().name
    pair.decision, pair.reason = decision, reason
    session.flush()


def _record(action: str, pair: PossibleDuplicate) -> None:
    for patient_id in (pair.patient_id, pair.older_id):
        audit.record(action, patient_id=patient_id, establishment_id=pair.establishment_id,
                     object_kind="possible_duplicate", object_id=pair.id)  # fmt: skip


def _account_of(patient_id: UUID) -> Account | None:
    return session.scalar(
        select(Account)
        .join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(PatientAccess.patient_id == patient_id, PatientAccess.relation == "self")
        .limit(1)
    )


def _check_joinable(newer_id: UUID, older_id: UUID) -> None:
    newer, older = _account_of(newer_id), _account_of(older_id)
    if newer is None and older is None:
        raise NoAccount
    numbered = select(PatientRecord.ipp).where(PatientRecord.patient_id == newer_id, PatientRecord.ipp.is_not(None))
    if newer is not None and older is not None and session.scalar(numbered.limit(1)):
        raise StillLinked


def _join_accounts(pair: PossibleDuplicate, newer: Account, older: Account) -> None:
    pair.moved_account_id, pair.kept_account_id = newer.id, older.id
    doors = session.scalars(
        update(Identity).where(Identity.account_id == newer.id).values(account_id=older.id).returning(Identity.id)
    ).all()
    linking.remember(pair.id, pair.establishment_id, _DOORS, {"identity": doors})
    newer.closed_at = db.now()
    _close_sessions(newer.id)
    _carry_everywhere(pair, pair.patient_id, pair.older_id)
    _tell(mails.joined(), newer, older)


def _part_accounts(pair: PossibleDuplicate) -> None:
    newer = session.get_one(Account, pair.moved_account_id)
    older = session.get_one(Account, pair.kept_account_id)
    doors = linking.moved(pair.id, _DOORS).get("identity", [])
    session.execute(update(Identity).where(Identity.id.in_(doors)).values(account_id=newer.id))
    newer.closed_at = None
    _close_sessions(older.id)
    _tell(mails.parted(), newer, older)


def _join_record(pair: PossibleDuplicate, *, to_newer: bool) -> None:
    """What an agent entered by phone goes to the account, at the hospital that decided."""
    from_id, to_id = (pair.older_id, pair.patient_id) if to_newer else (pair.patient_id, pair.older_id)
    linking.carry(pair.id, Move(pair.establishment_id, from_id, to_id, ""))


def _carry_everywhere(pair: PossibleDuplicate, from_id: UUID, to_id: UUID) -> None:
    places = session.scalars(select(PatientRecord.establishment_id).where(PatientRecord.patient_id == from_id)).all()
    for place in places:
        known = insert(PatientRecord).values(patient_id=to_id, establishment_id=place)
        session.execute(known.on_conflict_do_nothing())
        linking.carry(pair.id, Move(place, from_id, to_id, ""))


def _give_back(pair: PossibleDuplicate) -> None:
    to_account = _account_of(pair.patient_id) is None and pair.moved_account_id is None
    from_id, to_id = (pair.older_id, pair.patient_id)
    if pair.moved_account_id is None and not to_account:
        from_id, to_id = pair.patient_id, pair.older_id
    for place in linking.places_moved(pair.id):
        linking.bring_back(pair.id, Move(place, from_id, to_id, "", db.now()))


def _close_sessions(account_id: UUID) -> None:
    session.execute(
        update(WebSession)
        .where(WebSession.account_id == account_id, WebSession.ended_at.is_(None))
        .values(ended_at=db.now(), id_token="")
    )


def _tell(mail: notifications.Mail, *accounts: Account) -> None:
    for account in accounts:
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)
