"""What an export holds, read for those who administer a hospital."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from admin import figure_services
from admin.figure_exports import Export
from admin.forms_figure_exports import EVERYTHING, HOME
from portal import db, kpi
from portal.db import session
from portal.establishments import Establishment, establishments
from portal.kpi import Definition
from portal.kpi.disclosure import Span
from portal.kpi.models import KpiClosedMonth, KpiWatermark
from portal.kpi.shared import shared


def definitions(what: str) -> Sequence[Definition]:
    """Of a service, of the first page, or all of them."""
    if what == HOME:
        return [each for pair in figure_services.home() for each in pair if each]
    services = figure_services.services()
    return [each for service in services if what in (EVERYTHING, service.code) for each in service.definitions]


def export(
    title: str, place: str, chosen: Sequence[Definition], spans: Sequence[Span], hospital: Establishment | None,
    *, exact: bool,
) -> Export:  # fmt: skip
    """The figures of one hospital, or (None) of the whole group and of each of its hospitals."""
    names = {each.id: each.name for each in establishments()}
    places: list[UUID | None] = [hospital.id] if hospital else [None, *names]
    # What is masked is judged at every hospital of the group, whoever asks: read by a reader of some of them, the masks
    # would differ, and so would what two exports tell together. Exact numbers are read as whoever asks.
    with nullcontext() if exact else db.transaction(db.system("figures.share")):
        figures = shared(chosen, spans, places, hospitals=list(names), exact=exact)
    versions = {each.code: kpi.version_of(each.code) for each in chosen}
    return Export(title, place, figures, spans, names, versions, exact, db.now(), rolled_up_at())


def rolled_up_at() -> datetime | None:
    """Up to when events are counted."""
    return session.scalar(select(KpiWatermark.rolled_up_at))


def closed_months(first: date, last: date) -> Sequence[KpiClosedMonth]:
    """The months between these days that are final, oldest first."""
    query = select(KpiClosedMonth).where(KpiClosedMonth.month.between(first, last))
    return session.scalars(query.order_by(KpiClosedMonth.month)).all()


def finess() -> dict[UUID, str]:
    """Hospital → FINESS, for machines."""
    return {each.id: each.finess for each in establishments()}
