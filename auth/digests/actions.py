"""Shared addresses that are told each morning: entered by an administrator, stopped by whoever reads them too."""

from uuid import UUID, uuid4

from sqlalchemy import select

from auth.digests.models import DigestAddress
from portal import audit, db
from portal.db import session
from portal.establishments import Unit


class AlreadyTold(Exception):
    """This address is told of this unit already."""


class UnknownUnit(Exception):
    """The unit is not one of this hospital."""


def add_address(establishment_id: UUID, unit_id: UUID | None, address: str) -> DigestAddress:
    """Tell this address each morning what waits in a unit, or in the whole hospital.

    Raises AlreadyTold, UnknownUnit.
    """
    unit = session.get(Unit, unit_id) if unit_id else None
    if unit_id and (unit is None or unit.establishment_id != establishment_id):
        raise UnknownUnit
    address = address.strip().lower()
    same = select(DigestAddress.id).where(
        DigestAddress.establishment_id == establishment_id,
        DigestAddress.unit_id.is_not_distinct_from(unit_id),
        DigestAddress.address == address,
        DigestAddress.stopped_at.is_(None),
    )
    if session.scalar(same) is not None:
        raise AlreadyTold
    made = DigestAddress(id=uuid4(), establishment_id=establishment_id, unit_id=unit_id, address=address)
    session.add(made)
    session.flush()
    _record("digest_address.added", made)
    return made


def stop_address(address: DigestAddress) -> None:
    """Tell this address nothing any more."""
    session.refresh(address, with_for_update={"of": DigestAddress, "key_share": True})
    if address.stopped_at is None:
        address.stopped_at = db.now()
        session.flush()
        _record("digest_address.stopped", address)


def _record(event: str, address: DigestAddress) -> None:
    audit.record(event, establishment_id=address.establishment_id, object_kind="digest_address", object_id=address.id)
