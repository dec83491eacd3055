"""The reports of the files of bills, for the staff of the hospitals they concern."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import selectinload

from portal.db import session
from services.billing.imports.models import BillImport, BillImportPlace, BillImportRemark

PAGE_SIZE = 50


def imports_at(places: Sequence[UUID], account_id: UUID | None, page: int = 1) -> list[BillImport]:
    """One page of the files that concern these hospitals, or that this account sent, newest first, and one more when
    there is a next page."""
    found = _seen_by(places, account_id).order_by(BillImport.began_at.desc(), BillImport.id)
    return list(session.scalars(found.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)))


def one_at(places: Sequence[UUID], account_id: UUID | None, import_id: UUID) -> BillImport | None:
    return session.scalar(_seen_by(places, account_id).where(BillImport.id == import_id))


def _seen_by(places: Sequence[UUID], account_id: UUID | None) -> Select[BillImport]:
    here = exists().where(BillImportPlace.import_id == BillImport.id, BillImportPlace.establishment_id.in_(places))
    shown = selectinload(BillImport.places.and_(BillImportPlace.establishment_id.in_(places)))
    return (
        select(BillImport)
        .where(or_(here, BillImport.account_id == account_id) if account_id else here)
        .options(shown.joinedload(BillImportPlace.establishment))
    )


def remarks(places: Sequence[UUID], import_id: UUID) -> Sequence[BillImportRemark]:
    """What there is to say of lines of these hospitals, and of lines that tell none, in the order of the file."""
    of_ours = or_(BillImportRemark.establishment_id.in_(places), BillImportRemark.establishment_id.is_(None))
    return session.scalars(
        select(BillImportRemark)
        .where(BillImportRemark.import_id == import_id, of_ours)
        .order_by(BillImportRemark.line, BillImportRemark.id)
    ).all()
