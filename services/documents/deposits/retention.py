"""How long deposits are kept here: the hospital's record has its own copy of what it took."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from portal import db, retention
from portal.db import session
from portal.retention import Due, Rule
from services.documents.deposits.models import Deposit
from services.pieces import actions as pieces
from services.pieces.models import Piece

_JUDGED = ("accepted", "refused", "waived", "expired")


def declare() -> None:
    """Offer the rules, in the order in which the screen shows them."""
    retention.offer(
        Rule(
            "deposit",
            _l("Pages of documents that patients deposited"),
            _l("Counted from the day the hospital took or refused them: its record has its own copy"),
            365, _judged, _purge_judged, most=1825,
        ),
        Rule(
            "deposit_draft",
            _l("Deposits begun and never sent"),
            _l("Counted from the day they were begun; those a hospital asked for stay open"),
            30, _drafts, _purge_draft, most=365,
        ),
    )  # fmt: skip


def _judged(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _due(place, limit, Piece.state.in_(_JUDGED), Piece.changed_at < before)


def _drafts(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _due(
        place, limit, Deposit.sent_at.is_(None), Deposit.asked_at.is_(None), Deposit.closed_at.is_(None),
        Deposit.created_at < before, Piece.state != "purged",
    )  # fmt: skip


def _due(place: UUID | None, limit: int, *conditions: ColumnElement[bool]) -> Sequence[Due]:
    rows = session.execute(
        select(Deposit.id, Deposit.patient_id)
        .join(Piece, Piece.folder_id == Deposit.id)
        .where(Deposit.establishment_id == place, *conditions)
        .order_by(Deposit.created_at, Deposit.id)
        .limit(limit)
    )
    return [Due(deposit_id, frozenset({patient_id})) for deposit_id, patient_id in rows]


def _purge_judged(deposit_id: UUID, before: datetime) -> bool:
    piece = _piece(deposit_id)
    if piece is None or piece.state not in _JUDGED or piece.changed_at >= before:
        return False
    pieces.purge(piece, "retention")
    return True


def _purge_draft(deposit_id: UUID, before: datetime) -> bool:
    deposit = session.get(Deposit, deposit_id, with_for_update={"key_share": True}, populate_existing=True)
    piece = _piece(deposit_id)
    if deposit is None or piece is None or deposit.sent_at is not None or deposit.created_at >= before:
        return False
    if piece.state == "purged":
        return False
    deposit.closed_at = db.now()
    pieces.purge(piece, "retention")
    return True


def _piece(deposit_id: UUID) -> Piece | None:
    return session.scalar(select(Piece).where(Piece.folder_id == deposit_id))
