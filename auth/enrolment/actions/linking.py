"""Making a link and undoing it. The rows of the rooms follow (`belongings`), and come back exactly."""

from collections import defaultdict
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from auth.enrolment import belongings, mails
from auth.enrolment.belongings import Move, Rows
from auth.enrolment.models import EnrolmentMove, Link
from auth.identity import traits
from auth.models import Account, Patient, PatientAccess, PatientRecord
from auth.records import as_system
from portal import audit, db, kpi, notifications
from portal.db import session
from portal.establishments import Establishment


class UnknownNumber(Exception):
    """The hospital gave no such number to anybody."""


class AlreadyLinked(Exception):
    """This patient already has a number at this hospital."""


class NumberHeld(Exception):
    """Another account is already linked to this number."""


class AlreadyUndone(Exception):
    """A colleague undid it first."""


def link(patient_id: UUID, establishment_id: UUID, ipp: str, proof: str) -> Link:
    """The account's patient is the one this hospital knows by this number; what the hospital has for it follows.

    The caller has checked the proof. Raises UnknownNumber, AlreadyLinked, NumberHeld.
    """
    by = db.current_actor().name or db.current_actor().label
    with as_system("enrolment.link"):
        made = _link(patient_id, establishment_id, ipp, proof, by)
        _tell(patient_id, mails.linked(_name(establishment_id)), establishment_id)
    audit.record("link.made", patient_id=patient_id, establishment_id=establishment_id, object_kind="link",
                 object_id=made.id, proof=proof)  # fmt: skip
    kpi.count("link_made", establishment_id=establishment_id, dimension=proof)
    return made


def push_link(establishment_id: UUID, ipp: str, patient_id: UUID) -> Link | None:
    """The hospital's own system says so. None, and nothing done, when a trait differs: a person decides then.

    Raises UnknownNumber, AlreadyLinked, NumberHeld.
    """
    with as_system("enrolment.push"):
        holder = _record(establishment_id, ipp)
        if holder is None:
            raise UnknownNumber
        known, described = session.get_one(Patient, holder.patient_id), session.get_one(Patient, patient_id)
        differs = traits.differences(described, known)
    return None if differs else link(patient_id, establishment_id, ipp, "pushed")


def undo_link(link_id: UUID, reason: str) -> None:
    """The link was wrong: what came with it goes back to the hospital's own description, at once. Raises AlreadyUndone.

    Row-level security reads whose a row is at each statement: open sessions see nothing of it from the next one on.
    """
    by = db.current_actor().name or db.current_actor().label
    with as_system("enrolment.undo"):
        wrong = session.get_one(Link, link_id, with_for_update={"of": Link, "key_share": True})
        if wrong.undone_at is not None:
            raise AlreadyUndone
        _give_back(wrong)
        wrong.undone_at, wrong.undone_by, wrong.undo_reason = db.now(), by, reason
        session.flush()
        _share_ins(wrong.patient_id, without=wrong)
        _tell(wrong.patient_id, mails.unlinked(_name(wrong.establishment_id)), wrong.establishment_id)
        patient_id, establishment_id = wrong.patient_id, wrong.establishment_id
    audit.record("link.undone", patient_id=patient_id, establishment_id=establishment_id, object_kind="link",
                 object_id=link_id)  # fmt: skip
    kpi.count("link_undone", establishment_id=establishment_id)


# -- as the system -------------------------------------------------------------------------------------------------


def _link(patient_id: UUID, establishment_id: UUID, ipp: str, proof: str, by: str) -> Link:
    _wait_for_others(establishment_id, ipp, str(patient_id))
    holder, mine = _record(establishment_id, ipp), session.get(PatientRecord, (patient_id, establishment_id))
    if holder is None:
        raise UnknownNumber
    if holder.patient_id == patient_id or (mine and mine.ipp):
        raise AlreadyLinked
    if is_held(holder.patient_id):
        raise NumberHeld
    known_as = holder.patient_id
    session.delete(holder)
    session.flush()
    _set_number(patient_id, establishment_id, ipp)
    made = Link(id=uuid4(), establishment_id=establishment_id, patient_id=patient_id, record_patient_id=known_as,
                ipp=ipp, proof=proof, linked_by=by)  # fmt: skip
    session.add(made)
    session.flush()
    carry(made.id, Move(establishment_id, known_as, patient_id, ipp))
    _share_ins(patient_id)
    return made


def is_held(patient_id: UUID) -> bool:
    """Whether somebody's account acts for this patient: then the number is taken."""
    found = select(PatientAccess.account_id).where(
        PatientAccess.patient_id == patient_id, PatientAccess.revoked_at.is_(None)
    )
    return session.scalar(found.limit(1)) is not None


def carry(cause_id: UUID, move: Move) -> None:
    """Let each room's rows change hands, and remember which."""
    for room in belongings.rooms():
        remember(cause_id, move.establishment_id, room.room, room.adopt(move))


def remember(cause_id: UUID, establishment_id: UUID, room: str, changed_hands: Rows) -> None:
    """Write down which rows changed hands, so that they can be given back."""
    facts = {"cause_id": cause_id, "establishment_id": establishment_id, "room": room}
    lines = [
        {**facts, "id": uuid4(), "table": table, "row_id": row_id}
        for table, ids in changed_hands.items()
        for row_id in ids
    ]
    session.flush()
    if lines:
        session.execute(insert(EnrolmentMove).inline(), lines)


def bring_back(cause_id: UUID, move: Move) -> None:
    """Give each room's rows back."""
    session.flush()
    for room in belongings.rooms():
        room.release(move, moved(cause_id, room.room))


def places_moved(cause_id: UUID) -> list[UUID]:
    """The hospitals whose rows changed hands."""
    found = select(EnrolmentMove.establishment_id).where(EnrolmentMove.cause_id == cause_id).distinct()
    return list(session.scalars(found))


def _give_back(wrong: Link) -> None:
    _wait_for_others(wrong.establishment_id, wrong.ipp, str(wrong.patient_id))
    move = Move(wrong.establishment_id, wrong.patient_id, wrong.record_patient_id, wrong.ipp, wrong.linked_at)
    bring_back(wrong.id, move)
    session.get_one(PatientRecord, (wrong.patient_id, wrong.establishment_id)).ipp = None
    session.flush()
    _set_number(wrong.record_patient_id, wrong.establishment_id, wrong.ipp)


def moved(cause_id: UUID, room: str) -> Rows:
    """Which rows changed hands, by table."""
    found = defaultdict(list)
    rows = session.execute(
        select(EnrolmentMove.table, EnrolmentMove.row_id).where(
            EnrolmentMove.cause_id == cause_id, EnrolmentMove.room == room
        )
    )
    for table, row_id in rows:
        found[table].append(row_id)
    return found


def _record(establishment_id: UUID, ipp: str) -> PatientRecord | None:
    return session.scalar(
        select(PatientRecord).where(PatientRecord.establishment_id == establishment_id, PatientRecord.ipp == ipp)
    )


def _set_number(patient_id: UUID, establishment_id: UUID, ipp: str) -> None:
    record = session.get(PatientRecord, (patient_id, establishment_id))
    if record is None:
        record = PatientRecord(patient_id=patient_id, establishment_id=establishment_id)
        session.add(record)
    record.ipp = ipp
    session.flush()


def _share_ins(patient_id: UUID, without: Link | None = None) -> None:
    """The INS and its status are the hospital's to say: they follow a link, and leave with it."""
    patient = session.get_one(Patient, patient_id)
    if without is not None:
        undone = session.get_one(Patient, without.record_patient_id)
        if undone.ins and (patient.ins, patient.ins_oid) == (undone.ins, undone.ins_oid):
            patient.ins, patient.ins_oid, patient.identity_status = "", "", "PROV"
    known = session.scalars(
        select(Patient)
        .join(Link, Link.record_patient_id == Patient.id)
        .where(Link.patient_id == patient_id, Link.undone_at.is_(None), Patient.ins != "")
    ).all()
    best = max(known, key=lambda each: each.identity_status == "QUAL", default=None)
    if best is not None and (not patient.ins or best.identity_status == "QUAL"):
        patient.ins, patient.ins_oid, patient.identity_status = best.ins, best.ins_oid, best.identity_status
    session.flush()


def _wait_for_others(establishment_id: UUID, *what: str) -> None:
    """Two links of one number, or of one person, wait for each other: the second sees what the first did."""
    for each in sorted(what):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{establishment_id} {each}", 0))))


def _name(establishment_id: UUID) -> str:
    return session.get_one(Establishment, establishment_id).name


def _tell(patient_id: UUID, mail: notifications.Mail, establishment_id: UUID) -> None:
    """Tell whoever acts for this patient as themselves."""
    holders = session.scalars(
        select(Account)
        .join(PatientAccess, PatientAccess.account_id == Account.id)
        .where(PatientAccess.patient_id == patient_id, PatientAccess.relation == "self")
    )
    for account in holders:
        notifications.tell(
            mail,
            recipient=account.email,
            account_id=account.id,
            locale=account.locale,
            establishment_id=establishment_id,
        )
