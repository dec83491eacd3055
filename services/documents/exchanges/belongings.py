"""Threads that follow a patient's link to the hospital's number, and come back when it was wrong."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from portal.files import StoredFile
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage


def adopt(move: Move) -> Rows:
    """Threads with them, and those about them."""
    return {"exchange": _give(move, _here(move)), "exchange_about": _rename(move, _about(move))}


def release(move: Move, moved: Rows) -> None:
    """Those that moved."""
    _give(move, _here(move) & Exchange.id.in_(moved.get("exchange", ())))
    _rename(move, _about(move) & Exchange.id.in_(moved.get("exchange_about", ())))


def _here(move: Move) -> ColumnElement[bool]:
    return (Exchange.establishment_id == move.establishment_id) & (Exchange.patient_id == move.from_id)


def _about(move: Move) -> ColumnElement[bool]:
    return (Exchange.establishment_id == move.establishment_id) & (Exchange.about_id == move.from_id)


def _give(move: Move, which: ColumnElement[bool]) -> Sequence[UUID]:
    """Messages are seen through their thread; only the files name whose they are."""
    found = session.scalars(select(Exchange.id).where(which)).all()
    files = (
        select(ExchangeFile.file_id)
        .join(ExchangeMessage, ExchangeMessage.id == ExchangeFile.message_id)
        .where(ExchangeMessage.exchange_id.in_(found))
    )
    session.execute(
        update(StoredFile)
        .where(StoredFile.id.in_(files), StoredFile.patient_id == move.from_id)
        .values(patient_id=move.to_id),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        update(Exchange).where(Exchange.id.in_(found)).values(patient_id=move.to_id),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return found


def _rename(move: Move, which: ColumnElement[bool]) -> Sequence[UUID]:
    return session.scalars(
        update(Exchange).where(which).values(about_id=move.to_id).returning(Exchange.id),
        execution_options={"synchronize_session": False},
    ).all()


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("exchanges", adopt, release))
