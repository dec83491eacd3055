"""The directory of the hospitals leads to where units are booked."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select

from portal.db import session
from portal.establishments import Unit
from services.appointments.models import Reason
from services.appointments.offered import open_online, open_to_city
from services.offer import linked
from services.offer.linked import Link


def declare() -> None:
    linked.offer("booking", "patient", _for_patients)
    linked.offer("booking", "professional", _for_practitioners)


def _for_patients(units: Sequence[Unit]) -> Mapping[UUID, Sequence[Link]]:
    """Units with a reason that patients book themselves."""
    return _links(units, "appointments.choose", _l("Book online"), open_online())


def _for_practitioners(units: Sequence[Unit]) -> Mapping[UUID, Sequence[Link]]:
    """Units with a reason that practitioners of the city book for their patients."""
    return _links(units, "city_appointments.choose", _l("Book for a patient"), open_to_city())


def _links(
    units: Sequence[Unit], endpoint: str, label: object, is_open: ColumnElement[bool]
) -> Mapping[UUID, Sequence[Link]]:
    wanted = {each.id: each for each in units}
    booked = session.scalars(select(Reason.unit_id).where(Reason.unit_id.in_(wanted), is_open).distinct()).all()
    return {unit_id: [Link(label, _address(endpoint, wanted[unit_id]), "calendar-plus", True)] for unit_id in booked}


def _address(endpoint: str, unit: Unit) -> str:
    return url_for(endpoint, establishment=unit.establishment.finess, q=unit.name)
