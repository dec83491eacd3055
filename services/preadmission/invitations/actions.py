"""What a hospital and the person do with an invitation. One function, `invite`, whatever brings the stay: an agent, a
file, the hospital's messages, FHIR."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select

from auth.identity import sealing, traits
from auth.models import Patient
from auth.records import as_system
from portal import audit, calendar, catalog, db, jobs, kpi
from portal.db import session
from portal.establishments import Unit
from services.preadmission import actions, states
from services.preadmission.actions import SERVICE, Stay, StayInThePast, UnitNotOpen, traces
from services.preadmission.invitations import queries
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.invitations.states import InvitationOver, change
from services.preadmission.models import Preadmission

_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else
_LENGTH: Final = 12


class CodeRefused(Exception):
    """No invitation that works has this code and this person's traits: nobody is told which of the two is wrong."""


class VisitOfAnother(Exception):
    """Somebody born another day prepares the stay of this visit number already."""


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class Expected:
    """Whom the hospital expects, traits verbatim. ipp, visit_number: its own numbers, "" when unknown. email: where
    the invitation goes; without it, a letter is printed."""

    birth_name: str
    first_name: str
    birth_on: date
    visit_number: str = ""
    ipp: str = ""
    email: str = ""


def invite(stay: Stay, expected: Expected, source: str = "agent") -> tuple[StayInvitation, str]:
    """Invite somebody to prepare a stay; told again, it follows what has changed. source: of `models.SOURCES`.

    Returns the invitation and what was done: `made`, `moved`, `same`.
    Raises UnitNotOpen, StayInThePast, VisitOfAnother.
    """
    unit = _open_unit(stay)
    session.execute(_one_at_a_time(unit.establishment_id, expected.visit_number))
    known = queries.of_visit(unit.establishment_id, expected.visit_number)
    if known is None:
        return _make(unit, stay, expected, source), "made"
    if known.state in ("withdrawn", "cancelled"):
        _again(known, stay, expected)
        return known, "made"
    return known, "moved" if _follow(known, stay, expected) else "same"


def _make(unit: Unit, stay: Stay, expected: Expected, source: str) -> StayInvitation:
    made = StayInvitation(
        id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, visit_number=expected.visit_number,
        ipp=expected.ipp, planned_on=stay.planned_on, stay_kind=stay.stay_kind, birth_name=expected.birth_name,
        first_name=expected.first_name, birth_on=expected.birth_on, email=expected.email, state="", source=source,
        times_sent=0, created_at=db.now(), changed_at=db.now(),
    )  # fmt: skip
    first = change(made, "waiting")
    session.add(made)
    session.flush()
    session.add(first)
    _record("stay_invitation.made", made)
    kpi.count("stay_invited", establishment_id=made.establishment_id, channel=source)
    _reach(made)
    return made


def _again(known: StayInvitation, stay: Stay, expected: Expected) -> None:
    """The stay was cancelled, and is planned again."""
    _describe(known, stay, expected)
    known.patient_id = known.preadmission_id = known.digest = None
    session.add(change(known, "waiting"))
    _record("stay_invitation.made", known)
    _reach(known)


def _describe(known: StayInvitation, stay: Stay, expected: Expected) -> None:
    known.unit_id, known.planned_on, known.stay_kind = stay.unit_id, stay.planned_on, stay.stay_kind
    known.birth_name, known.first_name = expected.birth_name, expected.first_name
    known.birth_on, known.ipp = expected.birth_on, expected.ipp or known.ipp
    known.email = expected.email or known.email


def _follow(known: StayInvitation, stay: Stay, expected: Expected) -> bool:
    """Another day, another unit: the draft and its deadlines follow. A file that is over is not opened again."""
    has_moved = (known.unit_id, known.planned_on, known.stay_kind) != (stay.unit_id, stay.planned_on, stay.stay_kind)
    if known.is_open:
        _describe(known, stay, expected)
    elif known.birth_on not in (None, expected.birth_on):
        raise VisitOfAnother
    else:
        known.unit_id, known.planned_on, known.stay_kind = stay.unit_id, stay.planned_on, stay.stay_kind
    if not has_moved:
        session.flush()
        return False
    known.changed_at = db.now()
    _record("stay_invitation.moved", known)
    session.flush()
    with _as_the_system():
        if (file := _file_of(known)) is not None and (file.is_open or file.state in states.READY):
            actions.move_stay(file, stay)
    return True


# -- reaching somebody ---------------------------------------------------------------------------------------------


def _reach(invitation: StayInvitation) -> None:
    """In their space when the portal knows them there; else by mail; else a letter waits to be printed."""
    session.flush()
    with _as_the_system():
        patient, account_id = queries.holder_of(invitation)
        if patient is not None and account_id is not None and is_the_same(invitation, patient):
            _open_file(invitation, patient, account_id)
            session.add(change(invitation, "told"))
        elif invitation.email:
            jobs.enqueue("preadmission.send_invitation", invitation_id=str(invitation.id))
        session.flush()


def send_again(invitation: StayInvitation) -> None:
    """By mail, with a new code. Raises InvitationOver; without an address, print it instead."""
    _lock(invitation)
    if not invitation.is_open or not invitation.email:
        raise InvitationOver(invitation.state, "sent")
    _record("stay_invitation.sent_again", invitation)
    jobs.enqueue("preadmission.send_invitation", invitation_id=str(invitation.id))


def new_code(invitation: StayInvitation) -> str:
    """A new code, shown or sent once: the former one stops working. Raises InvitationOver."""
    _lock(invitation)
    if not invitation.is_open:
        raise InvitationOver(invitation.state, "sent")
    signs = "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
    invitation.digest, invitation.expires_at = digests(signs)[0], db.now() + queries.CODE_LIFE
    invitation.times_sent += 1
    session.add(change(invitation, "sent"))
    _record("stay_invitation.sent", invitation)
    session.flush()
    return "-".join(signs[start : start + 4] for start in range(0, _LENGTH, 4))


def withdraw(invitation: StayInvitation, reason: str = "") -> None:
    """The agent takes it back before anybody used it: its code is worth nothing any more. Raises InvitationOver."""
    _end(invitation, "withdrawn", reason)


def cancel(invitation: StayInvitation, reason: str = "") -> None:
    """The hospital cancels the stay: whoever had begun the file is told. Raises InvitationOver."""
    _end(invitation, "cancelled", reason)
    with _as_the_system():
        file = _file_of(invitation)
        if file is not None and "cancelled_by_hospital" in states.TRANSITIONS[file.state]:
            actions.cancel_there(file, reason)


def expire(invitation: StayInvitation) -> None:
    """The day of the stay is over, or its code is too old. Raises InvitationOver."""
    _end(invitation, "expired", "")


def forget(invitation: StayInvitation) -> None:
    """The traits and the address are erased: what remains names nobody."""
    invitation.birth_name = invitation.first_name = invitation.email = invitation.ipp = ""
    invitation.birth_on = invitation.digest = None
    session.flush()


def _end(invitation: StayInvitation, state: str, reason: str) -> None:
    _lock(invitation)
    session.add(change(invitation, state, reason))
    invitation.digest = None
    _record(f"stay_invitation.{state}", invitation)
    session.flush()


# -- the person ----------------------------------------------------------------------------------------------------


def open_(typed: str, patient: Patient) -> Preadmission:
    """Whoever received a code opens the file, if they are the person whom the hospital expects.

    Raises CodeRefused. The caller has spent a try first (`auth.tries`).
    """
    account_id, patient_id = db.current_actor().account_id, patient.id
    with as_system("invitations.open"):
        found = queries.of_code(digests(typed), db.now())
        is_theirs = found is not None and is_the_same(found, session.get_one(Patient, patient_id))
        facts = (found.id, Stay(found.unit_id, found.planned_on, found.stay_kind)) if found and is_theirs else None
    if facts is None:
        audit.record("stay_invitation.not_proven", patient_id=patient_id)
        raise CodeRefused
    invitation_id, stay = facts
    made = actions.start(patient_id, stay, origin="invitation", account_id=account_id)
    with as_system("invitations.open"):
        used = session.get_one(StayInvitation, invitation_id)
        used.patient_id, used.preadmission_id, used.digest = patient_id, made.id, None
        session.add(change(used, "opened"))
        _record("stay_invitation.opened", used)
        session.flush()
    return made


def is_the_same(invitation: StayInvitation, patient: Patient) -> bool:
    """By birth name, first first name and birth date: accents, hyphens and case do not count."""
    return (
        bool(invitation.birth_name)
        and traits.key(invitation.birth_name) == traits.key(patient.birth_name)
        and traits.key(invitation.first_name.split(",")[0]) == traits.first_key(patient.first_names)
        and invitation.birth_on == patient.birth_on
    )


def digests(typed: str) -> tuple[bytes, ...]:
    """Keyed, so that a copy of the database opens nothing: one for each of the portal's secrets, the first is kept.
    Spaces, hyphens and case do not count."""
    return sealing.digests("stay invitation", "".join(sign for sign in typed.upper() if sign.isalnum()))


# -- shared --------------------------------------------------------------------------------------------------------


def _open_file(invitation: StayInvitation, patient: Patient, account_id: UUID) -> None:
    """The draft that waits in their space: the one they had begun for this very stay, or a new one."""
    file = queries.begun_by_themselves(invitation, patient.id)
    if file is None:
        stay = Stay(invitation.unit_id, invitation.planned_on, invitation.stay_kind)
        file = actions.start(patient.id, stay, origin="invitation", account_id=account_id)
    invitation.patient_id, invitation.preadmission_id = patient.id, file.id
    traces.notify(file)


@contextmanager
def _as_the_system() -> Iterator[None]:
    """A draft is its patient's alone: the agent who invites does not see it, and so cannot write it."""
    if db.current_actor().kind == "system":
        yield
        return
    with as_system("invitations.tell"):
        yield


def _file_of(invitation: StayInvitation) -> Preadmission | None:
    return session.get(Preadmission, invitation.preadmission_id) if invitation.preadmission_id else None


def _lock(invitation: StayInvitation) -> None:
    session.flush()
    session.refresh(invitation, ["state"], with_for_update={"key_share": True})


def _open_unit(stay: Stay) -> Unit:
    unit = session.get(Unit, stay.unit_id)
    if unit is None or SERVICE not in catalog.open_codes(unit.establishment_id):
        raise UnitNotOpen(stay.unit_id)
    if stay.planned_on < calendar.civil_day(db.now(), unit.establishment.tz):
        raise StayInThePast(stay.planned_on)
    return unit


def _one_at_a_time(establishment_id: UUID, visit_number: str) -> Select[object]:
    """Two messages about one visit at once make one invitation."""
    return select(func.pg_advisory_xact_lock(func.hashtextextended(f"stay {establishment_id} {visit_number}", 0)))


def _record(event: str, invitation: StayInvitation) -> None:
    audit.record(
        event, patient_id=invitation.patient_id, establishment_id=invitation.establishment_id,
        object_kind="stay_invitation", object_id=invitation.id,
    )  # fmt: skip


def come_back(invitation: StayInvitation, reason: str) -> None:
    """The mail could not be delivered: a letter is printed instead."""
    _lock(invitation)
    if invitation.state == "sent":
        invitation.email, invitation.digest = "", None
        session.add(change(invitation, "waiting", reason))
        session.flush()
        _record("stay_invitation.came_back", invitation)


def list_read(establishment_ids: frozenset[UUID]) -> None:
    """An agent reads a list of people: one line for each hospital."""
    for establishment_id in sorted(establishment_ids):
        audit.record("stay_invitations.listed", establishment_id=establishment_id)
