"""How long this room keeps things (domain reference, 4.9): scans of identity documents go first, the rest a year after
the stay; nothing is the hospital's only copy."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, func, select, text
from sqlalchemy.orm import aliased

from auth.models import Patient
from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.pieces import actions as piece_actions
from services.pieces.models import KINDS, Piece
from services.preadmission.actions import purging
from services.preadmission.invitations import actions as invitations
from services.preadmission.invitations import queries as invitation_queries
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.models import Preadmission, PreadmissionChange
from services.preadmission.states import READY

IDENTITY = frozenset(code for code, kind in KINDS.items() if kind.is_identity)
_ENDED = ("refused", "cancelled_by_patient", "cancelled_by_hospital", "lapsed")
_ARRIVED = ("integrated", "closed")
_IN_MAJORITY = text("interval '18 years'")
WARNED_DAYS = 15
"""So many days before a draft is deleted, its writer is told."""


def declare() -> None:
    """Offer the rules, in the order in which the screen shows them."""
    _declare_living()
    _declare_over()


def _declare_living() -> None:
    retention.offer(
        Rule(
            "preadmission_draft",
            _l("Drafts of pre-admissions"),
            _l("Counted from the last change; the patient is told fifteen days before"),
            30, _drafts, _purge_file(_is_old_draft), least=WARNED_DAYS + 1, most=365,
        ),
        Rule(
            "preadmission_identity",
            _l("Scans of identity documents"),
            _l("Counted from the day when the hospital’s system registered the stay, or from its end"),
            30, _scans, _purge_piece(_scan_is_due), most=1095,
        ),
        Rule(
            "preadmission_piece",
            _l("Other documents of a stay"),
            _l("Counted from the day of the stay: the hospital has its own copy"),
            365, _pieces, _purge_piece(_piece_is_due), most=1095,
        ),
    )  # fmt: skip


def _declare_over() -> None:
    retention.offer(
        Rule(
            "preadmission_file",
            _l("Answers of a stay that took place"),
            _l("Counted from the day of the stay"),
            365, _of_adults, _purge_file(_is_over), most=1825,
        ),
        Rule(
            "preadmission_minor",
            _l("Answers of a minor’s stay"),
            _l("Counted from the day of the stay. The medical record, kept until 28 (CSP R1112-7), is the hospital’s"),
            365, _of_minors, _purge_file(_is_over), most=3650,
        ),
        Rule(
            "preadmission_ended",
            _l("Files refused, cancelled or lapsed"),
            _l("Counted from the day they ended; their figures stay"),
            182, _ended, _purge_file(_has_ended), most=730,
        ),
        Rule(
            "stay_invitation",
            _l("Names and addresses of invitations"),
            _l("Counted from the day of the stay"),
            30, _invitations, _forget_invitation, most=365,
        ),
    )  # fmt: skip


Is = Callable[[Preadmission, datetime], bool]


# -- files ---------------------------------------------------------------------------------------------------------


def _files(place: UUID | None, limit: int, *conditions: ColumnElement[bool]) -> Sequence[Due]:
    rows = session.execute(
        select(Preadmission.id, Preadmission.patient_id)
        .join(Patient, Patient.id == Preadmission.patient_id)
        .where(Preadmission.establishment_id == place, *conditions)
        .order_by(Preadmission.changed_at, Preadmission.id)
        .limit(limit)
    )
    return [Due(file_id, frozenset({patient_id})) for file_id, patient_id in rows]


def _drafts(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _files(place, limit, Preadmission.state == "draft", Preadmission.changed_at < before)


def _of_adults(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _files(place, limit, *_closed(before), ~_MINOR)


def _of_minors(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _files(place, limit, *_closed(before), _MINOR)


def _ended(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _files(place, limit, Preadmission.state.in_(_ENDED), Preadmission.changed_at < before)


def _closed(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return Preadmission.state == "closed", Preadmission.planned_on < before.date()


_MINOR: ColumnElement[bool] = Patient.birth_on + _IN_MAJORITY > Preadmission.planned_on
"""On the day of the stay."""


def _is_old_draft(file: Preadmission, before: datetime) -> bool:
    return file.state == "draft" and file.changed_at < before


def _is_over(file: Preadmission, before: datetime) -> bool:
    return file.state == "closed" and file.planned_on < before.date()


def _has_ended(file: Preadmission, before: datetime) -> bool:
    return file.state in _ENDED and file.changed_at < before


def _purge_file(is_due: Is) -> Callable[[UUID, datetime], bool]:
    def purge(file_id: UUID, before: datetime) -> bool:
        file = _locked(file_id)
        if file is None or not is_due(file, before):
            return False
        purging.purge(file, "retention")
        if (invitation := invitation_queries.of_file(file.id)) is not None:
            invitations.forget(invitation)
        return True

    return purge


def _locked(file_id: UUID) -> Preadmission | None:
    """Looked at again under its lock: it may have changed since it was found."""
    return session.get(Preadmission, file_id, with_for_update={"key_share": True}, populate_existing=True)


# -- pieces --------------------------------------------------------------------------------------------------------


def _scans(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    arrived = aliased(PreadmissionChange)
    since = exists().where(
        arrived.preadmission_id == Preadmission.id, arrived.to_state.in_(_ARRIVED), arrived.at < before
    )
    return _pieces_of(place, limit, Piece.kind.in_(IDENTITY), Preadmission.state.in_(_ARRIVED), since)


def _pieces(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _pieces_of(
        place, limit, Piece.kind.not_in(IDENTITY), Preadmission.state.in_((*READY, "closed")),
        Preadmission.planned_on < before.date(),
    )  # fmt: skip


def _pieces_of(place: UUID | None, limit: int, *conditions: ColumnElement[bool]) -> Sequence[Due]:
    rows = session.execute(
        select(Piece.id, Preadmission.id, Preadmission.patient_id)
        .join(Preadmission, Preadmission.id == Piece.folder_id)
        .where(Preadmission.establishment_id == place, Piece.state != "purged", Piece.pages.any(), *conditions)
        .order_by(Piece.changed_at, Piece.id)
        .limit(limit)
    )
    return [Due(piece_id, frozenset({file_id, patient_id})) for piece_id, file_id, patient_id in rows]


def _scan_is_due(file: Preadmission, before: datetime) -> bool:
    arrived = select(func.min(PreadmissionChange.at)).where(
        PreadmissionChange.preadmission_id == file.id, PreadmissionChange.to_state.in_(_ARRIVED)
    )
    at = session.scalar(arrived)
    return file.state in _ARRIVED and at is not None and at < before


def _piece_is_due(file: Preadmission, before: datetime) -> bool:
    return file.state in (*READY, "closed") and file.planned_on < before.date()


def _purge_piece(is_due: Is) -> Callable[[UUID, datetime], bool]:
    def purge(piece_id: UUID, before: datetime) -> bool:
        folder_id = session.scalar(select(Piece.folder_id).where(Piece.id == piece_id))
        file = _locked(folder_id) if folder_id is not None else None
        piece = session.get(Piece, piece_id)
        if file is None or piece is None or piece.state == "purged" or not is_due(file, before):
            return False
        piece_actions.purge(piece, "retention")
        return True

    return purge


# -- invitations ---------------------------------------------------------------------------------------------------


def _invitations(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    if place is None:
        return []
    return [Due(each) for each in invitation_queries.older_than(place, before.date(), limit)]


def _forget_invitation(invitation_id: UUID, before: datetime) -> bool:
    invitation = session.get(StayInvitation, invitation_id, with_for_update={"key_share": True})
    if invitation is None or not invitation.birth_name or invitation.planned_on >= before.date():
        return False
    invitations.forget(invitation)
    return True


def draft_goes_on(file: Preadmission) -> Any:
    """The day when a draft that nobody touches is deleted."""
    kept = retention.life(retention.rule("preadmission_draft"), file.establishment_id)
    return (file.changed_at + kept).astimezone(file.establishment.tz).date()


def is_near_its_end(file: Preadmission, moment: datetime) -> bool:
    """Whether its writer is to be told that the draft will go."""
    kept = retention.life(retention.rule("preadmission_draft"), file.establishment_id)
    return file.state == "draft" and file.changed_at + kept - timedelta(days=WARNED_DAYS) <= moment


def kept_for(file: Preadmission) -> Sequence[tuple[Any, int]]:
    """What the patient is told: each thing that this file holds, and for how many days it is kept."""
    codes = ("preadmission_draft",) if file.state == "draft" else _TOLD
    return [(rule.title, kept.days) for rule, kept in retention.lives(file.establishment_id, codes)]


_TOLD = ("preadmission_identity", "preadmission_piece", "preadmission_file", "preadmission_ended")
