"""What is read of deposits: always for a given patient or set of hospitals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from portal.db import session
from services.documents.deposits.models import PIECE_KIND, Deposit
from services.pieces import queries as pieces
from services.pieces.models import Piece

JUDGED = ("accepted", "refused")
_LIMIT = 200


@dataclass(frozen=True)
class Deposited:
    """A deposit and its pages."""

    deposit: Deposit
    piece: Piece

    @property
    def state(self) -> str:
        """The piece's, or `closed` once it was given up or is no longer asked."""
        return "closed" if self.deposit.closed_at else self.piece.state

    def is_late(self, today: date) -> bool:
        due = self.deposit.due_on
        return due is not None and due < today and not self.piece.is_there


# -- a patient's ---------------------------------------------------------------------------------------------------


def one_of_patient(patient_id: UUID, deposit_id: UUID) -> Deposited | None:
    """One of this person's deposits, whatever became of it."""
    return _with_piece(session.scalar(_whole().where(Deposit.patient_id == patient_id, Deposit.id == deposit_id)))


def waiting_for(patient_id: UUID) -> Sequence[Deposited]:
    """What this person still has to send: asked for, refused, or begun and not sent; the first due first."""
    rows = session.scalars(
        _whole()
        .join(Piece, Piece.folder_id == Deposit.id)
        .where(
            Deposit.patient_id == patient_id,
            Deposit.closed_at.is_(None),
            Piece.state.in_(("awaited", "refused", "infected")),
        )
        .order_by(Deposit.asked_at.is_(None), Deposit.due_on, Deposit.created_at)
        .limit(50)
    ).all()
    return _with_pieces(rows)


def of_patient(patient_id: UUID) -> Sequence[Deposited]:
    """All that this person deposited or was asked for, the latest first."""
    rows = session.scalars(_whole().where(Deposit.patient_id == patient_id).order_by(Deposit.created_at.desc())).all()
    return _with_pieces(rows)


# -- a hospital's --------------------------------------------------------------------------------------------------


def one_at(establishments: Collection[UUID], deposit_id: UUID) -> Deposited | None:
    """A deposit that was sent to these hospitals, or that they asked for."""
    found = session.scalar(_whole().where(Deposit.id == deposit_id, Deposit.establishment_id.in_(establishments)))
    return _with_piece(found)


def to_judge_at(establishments: Collection[UUID]) -> Sequence[Deposited]:
    """What waits for an agent, the oldest first."""
    return _listed(establishments, ("deposited",), Deposit.sent_at.asc())


def asked_at(establishments: Collection[UUID]) -> Sequence[Deposited]:
    """What these hospitals asked for and have not received, the first due first."""
    found = _listed(establishments, ("awaited", "scanning", "refused", "infected"), Deposit.due_on.asc().nulls_last())
    return [each for each in found if each.deposit.is_asked or each.piece.state == "refused"]


def judged_at(establishments: Collection[UUID]) -> Sequence[Deposited]:
    """What agents accepted or refused, the latest first."""
    return _listed(establishments, JUDGED, Piece.changed_at.desc())


def counts_at(establishments: Collection[UUID]) -> dict[str, int]:
    """State of the pages → how many open deposits."""
    rows = session.execute(
        select(Piece.state, func.count())
        .join(Deposit, Deposit.id == Piece.folder_id)
        .where(Deposit.establishment_id.in_(establishments), Deposit.closed_at.is_(None), Piece.kind == PIECE_KIND)
        .group_by(Piece.state)
    )
    return {str(state): int(total) for state, total in rows}


def _listed(establishments: Collection[UUID], states: Sequence[str], order: object) -> Sequence[Deposited]:
    rows = session.scalars(
        _whole()
        .join(Piece, Piece.folder_id == Deposit.id)
        .options(joinedload(Deposit.patient))
        .where(Deposit.establishment_id.in_(establishments), Deposit.closed_at.is_(None), Piece.state.in_(states))
        .order_by(order)  # type: ignore[arg-type]  # a column's order, which has no name of its own to say
        .limit(_LIMIT)
    ).all()
    return _with_pieces(rows)


def _whole() -> Select[Deposit]:
    return select(Deposit).options(joinedload(Deposit.establishment), joinedload(Deposit.unit))


def _with_piece(deposit: Deposit | None) -> Deposited | None:
    return next(iter(_with_pieces([deposit])), None) if deposit is not None else None


def _with_pieces(rows: Sequence[Deposit]) -> Sequence[Deposited]:
    folders = pieces.of_folders([each.id for each in rows]) if rows else {}
    return [Deposited(each, folders[each.id][0]) for each in rows if folders.get(each.id)]
