"""What a patient reads of their messages: always for a given patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import session
from portal.establishments import Unit
from services.documents.exchanges.models import Exchange, UnitDesk

PAGE: Final = 30


@dataclass(frozen=True)
class Page:
    """Threads, the latest first, those to read before the others."""

    rows: Sequence[Exchange]
    has_next: bool


def of_patient(patient_id: UUID, page: int = 1) -> Page:
    """A page of the patient's threads; not the mails that carry their documents to Mon espace santé."""
    rows = session.scalars(
        select(Exchange)
        .options(joinedload(Exchange.establishment), joinedload(Exchange.unit))
        .where(Exchange.patient_id == patient_id, or_(Exchange.unit_id.is_not(None), Exchange.address == ""))
        .order_by(Exchange.state != "delivered", Exchange.changed_at.desc(), Exchange.id)
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    ).all()
    return Page(rows[:PAGE], len(rows) > PAGE)


def desks() -> Sequence[UnitDesk]:
    """The units that take messages of patients, by hospital and name."""
    found = session.scalars(_open()).unique().all()
    return sorted(found, key=lambda desk: (desk.unit.establishment.name, desk.unit.name))


def desk(unit_id: UUID) -> UnitDesk | None:
    """A unit that takes messages of patients."""
    return session.scalar(_open().where(UnitDesk.unit_id == unit_id))


def _open() -> Select[UnitDesk]:
    return (
        select(UnitDesk)
        .join(UnitDesk.unit)
        .options(contains_eager(UnitDesk.unit).joinedload(Unit.establishment))
        .where(UnitDesk.is_open)
    )
