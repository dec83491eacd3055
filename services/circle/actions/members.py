"""What the patient decides about those around them, what a hospital's file says, and who opens what they may see."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from auth.models import Patient
from auth.records import as_system
from portal import audit, db, jobs
from portal.db import session
from services.circle import mails, states, telling
from services.circle.actions.writing import (
    Sharing,
    Somebody,
    hold,
    known_as,
    make_way,
    move,
    new_member,
    treating_doctor_of,
    write_change,
)
from services.circle.models import CircleChoice, CircleMember
from services.circle.states import NotPossible


class AlreadyThere(Exception):
    """This professional has a place in the circle, or asks for one."""

    def __init__(self, member: CircleMember) -> None:
        super().__init__(member.id)
        self.member = member


class NothingShared(Exception):
    """An agreement for somebody outside the team says what they may see, and until when."""


# -- the patient's -------------------------------------------------------------------------------------------------


def add(patient_id: UUID, who: Somebody, role: str, standing: str) -> CircleMember:
    """The patient says who treats them. Of the team, sharing is presumed; outside it, nothing is seen until `share`.

    Raises AlreadyThere.
    """
    if (known := known_as(patient_id, who.identity)) is not None:
        raise AlreadyThere(known)
    standing = states.TEAM if role == states.TREATING else standing
    if role == states.TREATING:
        make_way(patient_id)
        _forget_none(patient_id)
    sharing = Sharing(states.SCOPES if standing == states.TEAM else ())
    member = new_member(session.get_one(Patient, patient_id), who, role, standing, states.ACTIVE, "patient", sharing)
    session.add(member)
    write_change(member, "added", "")
    return member


def share(member: CircleMember, sharing: Sharing) -> None:
    """The patient says what somebody may see: their agreement, or what they leave to a member of the team.

    Raises NothingShared, NotPossible.
    """
    hold(member)
    if member.state != states.ACTIVE:
        raise NotPossible(member.state)
    _check_agreement(member.standing, sharing)
    member.scopes, member.until_at = list(sharing.scopes), sharing.until_at
    write_change(member, "shared", member.state)


def _check_agreement(standing: str, sharing: Sharing) -> None:
    if standing == states.OUTSIDE and not (sharing.scopes and sharing.until_at):
        raise NothingShared


def accept(member: CircleMember, standing: str, sharing: Sharing) -> None:
    """The patient agrees to what a practitioner asked. Raises NothingShared, NotPossible."""
    standing = states.TEAM if member.is_treating else standing
    _check_agreement(standing, sharing)
    if member.is_treating:
        make_way(member.patient_id, besides=member.id)
        _forget_none(member.patient_id)
    hold(member)
    former = member.state
    states.check(former, states.ACTIVE)
    if former != states.ASKED:
        raise NotPossible(former)
    member.standing, member.scopes, member.until_at = standing, list(sharing.scopes), sharing.until_at
    member.state, member.since_at = states.ACTIVE, db.now()
    write_change(member, "accepted", former)
    jobs.enqueue("circle.tell_professional", member_id=str(member.id))


def refuse(member: CircleMember) -> None:
    """The patient does not want them: the practitioner is not told. Raises NotPossible."""
    move(member, states.REFUSED, "refused")


def object_to(member: CircleMember) -> None:
    """A member of the team sees nothing any more; they stay named. Raises NotPossible."""
    if member.standing != states.TEAM:
        raise NotPossible(member.standing)
    move(member, states.OBJECTED, "objected")


def lift(member: CircleMember) -> None:
    """The patient no longer objects. Raises NotPossible."""
    if member.state != states.OBJECTED:
        raise NotPossible(member.state)
    move(member, states.ACTIVE, "lifted")


def end(member: CircleMember) -> None:
    """They leave the circle, at once. Raises NotPossible."""
    if member.state == states.ASKED:
        raise NotPossible(member.state)
    move(member, states.ENDED, "ended")


def say_none(patient_id: UUID) -> None:
    """The patient has no treating doctor."""
    make_way(patient_id)
    _write_choice(patient_id, has_none=True)
    audit.record("circle.no_treating_doctor", patient_id=patient_id, object_kind="patient", object_id=patient_id)


def _forget_none(patient_id: UUID) -> None:
    _write_choice(patient_id, has_none=False)


def _write_choice(patient_id: UUID, *, has_none: bool) -> None:
    said = {"no_treating_doctor_at": db.now() if has_none else None}
    row = insert(CircleChoice).values(patient_id=patient_id, **said)
    session.execute(row.on_conflict_do_update(index_elements=["patient_id"], set_=said))


# -- a hospital's file ---------------------------------------------------------------------------------------------


def declare(patient_id: UUID, establishment_id: UUID, who: Somebody) -> CircleMember | None:
    """A hospital's file names the treating doctor. What the patient said themselves wins: None then.

    As the system. The patient is told, and may object.
    """
    if known_as(patient_id, who.identity) is not None or _patient_has_said(patient_id):
        return None
    make_way(patient_id)
    member = new_member(
        session.get_one(Patient, patient_id), who, states.TREATING, states.TEAM, states.ACTIVE, "hospital",
        Sharing(states.SCOPES),
    )  # fmt: skip
    member.establishment_id = establishment_id
    session.add(member)
    write_change(member, "declared", "")
    telling.tell_patient(member.patient_id, mails.CHANGED)
    return member


def _patient_has_said(patient_id: UUID) -> bool:
    choice = session.get(CircleChoice, patient_id)
    if choice is not None and choice.no_treating_doctor_at is not None:
        return True
    known = treating_doctor_of(patient_id)
    return known is not None and known.origin != "hospital"


# -- a professional opens what they may see ------------------------------------------------------------------------


def open_file(member: CircleMember) -> None:
    """A member of the circle looks at what the patient lets them see: written down, and the patient is told the first
    time."""
    audit.record("circle.opened", patient_id=member.patient_id, object_kind="circle_member", object_id=member.id)
    if member.first_opened_at is not None:
        return
    member_id, account_id = member.id, db.current_actor().account_id
    with as_system("circle.first_opening"):
        opened = session.get_one(CircleMember, member_id, with_for_update={"key_share": True})
        if opened.first_opened_at is None:
            opened.first_opened_at, opened.account_id = db.now(), account_id
            jobs.enqueue("circle.first_opening", patient_id=str(opened.patient_id))
        session.flush()
