"""The providers of hospitals: as administrators see them, and as the doors they become."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.hospital_providers.models import HospitalProvider
from auth.models import StaffRight
from portal.db import session
from portal.establishments import Establishment


def of_hospital(establishment_id: UUID) -> HospitalProvider | None:
    """The hospital's own provider."""
    return session.scalar(select(HospitalProvider).where(HospitalProvider.establishment_id == establishment_id))


def of_hospitals(establishment_ids: Collection[UUID]) -> dict[UUID, HospitalProvider]:
    """Establishment → its own provider."""
    query = select(HospitalProvider).where(HospitalProvider.establishment_id.in_(establishment_ids))
    return {each.establishment_id: each for each in session.scalars(query)}


def everywhere() -> Sequence[HospitalProvider]:
    """Every hospital's, by the hospital's name. As the system: the sign-in page is nobody's."""
    query = select(HospitalProvider).join(HospitalProvider.establishment)
    return session.scalars(query.options(joinedload(HospitalProvider.establishment)).order_by(Establishment.name)).all()


def by_finess(finess: str) -> HospitalProvider | None:
    """As the system: whoever signs in is nobody yet."""
    query = select(HospitalProvider).join(HospitalProvider.establishment).where(Establishment.finess == finess)
    return session.scalar(query.options(joinedload(HospitalProvider.establishment)))


def hospitals_that_trust(own: HospitalProvider) -> set[UUID]:
    """Where this provider is the hospital's own, and every proof that it takes is taken too: a group often has one
    directory for several hospitals, and one of them must not ask for less in the others' place."""
    query = select(HospitalProvider.establishment_id).where(
        HospitalProvider.issuer == own.issuer,
        HospitalProvider.proof_claim == own.proof_claim,
        HospitalProvider.proof_values.contains(own.proof_values),
    )
    return set(session.scalars(query))


def hospitals_of(account_id: UUID) -> set[UUID]:
    """Where an agent may do something."""
    return set(session.scalars(select(StaffRight.establishment_id).where(StaffRight.account_id == account_id)))
