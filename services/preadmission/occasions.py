"""Stays as something that questionnaires are sent around: by unit, or by kind of stay."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, or_, select

from portal.db import session
from services.preadmission import wording
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.models import THE_HOSPITALS, Preadmission
from services.questionnaires import occasions
from services.questionnaires.occasions import Happening, Occasion, Subject

STANDING: Final = (
    "submitted", "in_review", "to_complete", "completed", "validated", "transmitted", "integrated", "closed",
)  # fmt: skip
"""A draft that the patient alone began is no stay yet; one that the hospital began is."""


def declare() -> None:
    occasions.offer(Occasion("preadmission", _l("Stays"), _on, _standing, _subjects))


def _on(establishment_id: UUID, first: date, last: date) -> Sequence[Happening]:
    query = _stays().where(
        Preadmission.establishment_id == establishment_id, Preadmission.planned_on.between(first, last)
    )
    return [_happening(each) for each in session.scalars(query)]


def _standing(ids: Collection[UUID]) -> Mapping[UUID, Happening]:
    return {each.id: _happening(each) for each in session.scalars(_stays().where(Preadmission.id.in_(ids)))}


def _stays() -> Select[Preadmission]:
    invited = (Preadmission.state == "draft") & Preadmission.origin.in_(THE_HOSPITALS)
    query = select(Preadmission).where(or_(Preadmission.state.in_(STANDING), invited))
    return query.order_by(Preadmission.planned_on, Preadmission.id)


def _happening(each: Preadmission) -> Happening:
    return Happening(
        each.id,
        each.patient_id,
        each.establishment_id,
        each.unit_id,
        each.planned_on,
        each.stay_kind,
        each.masked,
    )


def _subjects(_establishments: Collection[UUID]) -> Sequence[Subject]:
    return [Subject(kind, wording.STAY_KINDS[kind]) for kind in STAY_KINDS]
