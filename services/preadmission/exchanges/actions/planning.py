"""Stays that the hospital plans: whoever is expected is invited to prepare them, and what moves there moves here."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.db import session
from portal.establishments import Establishment, Unit
from services.exchanges.subjects import Heard
from services.preadmission import actions as files
from services.preadmission.exchanges.adt import Told
from services.preadmission.invitations import actions as invitations
from services.preadmission.invitations import queries as invited
from services.preadmission.invitations.actions import Expected
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.invitations.states import InvitationOver
from services.preadmission.models import Preadmission

_KINDS = {"O": "outpatient", "R": "day_case"}
"""HL7 table 0004; any other stay lasts a night or more."""


def file_of_visit(establishment_id: UUID, visit_number: str) -> Preadmission | None:
    """The file of a stay by the hospital's number: as it was told, or as its invitation bears it."""
    found = session.scalar(
        select(Preadmission)
        .where(Preadmission.establishment_id == establishment_id, Preadmission.visit_number == visit_number)
        .limit(1)
    )
    if found is not None:
        return found
    invitation = invited.of_visit(establishment_id, visit_number)
    return session.get(Preadmission, invitation.preadmission_id) if invitation and invitation.preadmission_id else None


def plan(place: Establishment, told: Told) -> Heard:
    """Invite whoever is expected: in their space when they are known there, else by mail, else by a letter."""
    if told.birth_on is None:
        return Heard("AE", "101", "no_birth_date")
    if not told.visit_number:
        return Heard("AE", "101", "no_number")
    if told.planned_on is None or not told.birth_name or not told.first_name:
        return Heard(reason="to_invite")
    stay = _stay(place.id, told, told.planned_on)
    if stay is None:
        return Heard("AE", "204", "wrong_unit")
    expected = Expected(told.birth_name, told.first_name, told.birth_on, told.visit_number, told.ipp, told.email)
    if _is_of_another(invited.of_visit(place.id, told.visit_number), told):
        return Heard("AE", "204", "another_person")
    try:
        with session.begin_nested():
            made, _done = invitations.invite(stay, expected, "messages")
    except (files.UnitNotOpen, files.StayInThePast):
        return Heard(reason="not_ours")
    return Heard(subject_id=made.preadmission_id, patient_id=made.patient_id)


def move(file: Preadmission, told: Told) -> None:
    """The hospital changed the day or the unit of a stay."""
    stay = _stay(file.establishment_id, told, told.planned_on) if told.planned_on else None
    if stay is None or (stay.unit_id, stay.planned_on) == (file.unit_id, file.planned_on):
        return
    files.move_stay(file, stay)
    invitation = invited.of_visit(file.establishment_id, told.visit_number)
    if invitation is not None:
        invitation.unit_id, invitation.planned_on = stay.unit_id, stay.planned_on
    session.flush()


def cancel(place: Establishment, told: Told) -> Heard:
    """A stay that nobody has begun to prepare."""
    invitation = invited.of_visit(place.id, told.visit_number)
    if invitation is None:
        return Heard(reason="not_ours")
    if told.birth_on is None:
        return Heard("AE", "101", "no_birth_date")
    if _is_of_another(invitation, told):
        return Heard("AE", "204", "another_person")
    try:
        with session.begin_nested():
            invitations.cancel(invitation)
    except InvitationOver:
        return Heard(reason="over")
    return Heard()


def _is_of_another(invitation: StayInvitation | None, told: Told) -> bool:
    """Whether whoever is invited already was born another day. One that was given up is planned again as it is told."""
    if invitation is None or invitation.birth_on is None or invitation.state in ("withdrawn", "cancelled"):
        return False
    return invitation.birth_on != told.birth_on


def _stay(establishment_id: UUID, told: Told, planned_on: date) -> files.Stay | None:
    """None when the portal does not know the unit."""
    unit_id = session.scalar(select(Unit.id).where(Unit.establishment_id == establishment_id, Unit.uf == told.uf))
    return files.Stay(unit_id, planned_on, _KINDS.get(told.patient_class, "inpatient")) if unit_id else None
