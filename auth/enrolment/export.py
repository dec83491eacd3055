"""Links to hospitals, requests, proven contact data and the beneficiary number, in the copy of somebody's data."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from auth.contact.models import ContactPoint
from auth.enrolment.models import Link, LinkRequest
from auth.identity import nir
from auth.models import Patient, PatientAccess
from portal.db import session


def declare() -> None:
    export.contribute("links", _links)
    export.contribute("contact", _contact)


def _links(patient_id: UUID) -> Part:
    links = session.scalars(
        select(Link)
        .options(joinedload(Link.establishment))
        .where(Link.patient_id == patient_id)
        .order_by(Link.linked_at)
    )
    requests = session.scalars(
        select(LinkRequest)
        .options(joinedload(LinkRequest.establishment))
        .where(LinkRequest.patient_id == patient_id, LinkRequest.asked_at.is_not(None))
        .order_by(LinkRequest.created_at)
    )
    return Part("links", _l("My links to hospitals"), [*map(_link, links), *map(_request, requests)])


def _link(link: Link) -> Entry:
    facts = [
        Fact("ipp", _l("My number there"), link.ipp if link.undone_at is None else None),
        Fact("linked_at", _l("Linked on"), link.linked_at),
        Fact("undone_at", _l("Undone on"), link.undone_at),
    ]
    return Entry(link.establishment.name, facts)


def _request(request: LinkRequest) -> Entry:
    facts = [
        Fact("asked_at", _l("Asked on"), request.asked_at),
        Fact("decided_at", _l("Decided on"), request.decided_at),
    ]
    return Entry(request.establishment.name, facts)


def _contact(patient_id: UUID) -> Part:
    mine = select(PatientAccess.account_id).where(
        PatientAccess.patient_id == patient_id, PatientAccess.relation == "self"
    )
    points = session.scalars(
        select(ContactPoint)
        .where(ContactPoint.account_id.in_(mine), ContactPoint.verified_at.is_not(None))
        .order_by(ContactPoint.verified_at)
    )
    entries = [
        Entry(
            point.value,
            [
                Fact("verified_at", _l("Confirmed on"), point.verified_at),
                Fact("replaced_at", _l("Replaced on"), point.replaced_at),
            ],
        )
        for point in points
    ]
    number = nir.number_of(session.get_one(Patient, patient_id))
    if number:
        entries.append(Entry(nir.spelled(number), [Fact("nir", _l("Social security number"), number)]))
    return Part("contact", _l("My contact details"), entries)
