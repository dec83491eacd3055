"""Whose agents a hospital takes: the SIRET of its places of work, and the directories (idp_id) it trusts.

Two settings of a hospital, `sirets` and `proconnect_idp_ids`, lists of words. ProConnect lets in anybody who works
anywhere in the public sector, and some of the private one: these lists say who works here. A list that is empty
restricts nothing, so that a hospital can be set up at all.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from auth.models import StaffRight
from portal.db import session
from portal.establishments import EstablishmentSetting

SIRETS, DIRECTORIES = "sirets", "proconnect_idp_ids"


def accept(establishment_ids: Collection[UUID], siret: str, idp_id: str) -> bool:
    """Whether one of these hospitals (all of the group when none is named) takes agents of this employer."""
    declared = _declared(establishment_ids)
    return all(not declared[key] or value in declared[key] for key, value in ((SIRETS, siret), (DIRECTORIES, idp_id)))


def accept_agent(account_id: UUID, siret: str, idp_id: str) -> bool:
    """Whether a hospital where the agent may do something still takes agents of this employer."""
    query = select(StaffRight.establishment_id).where(StaffRight.account_id == account_id).distinct()
    hospitals = session.scalars(query).all()
    return not hospitals or accept(hospitals, siret, idp_id)


def sirets_of(establishment_ids: Collection[UUID]) -> list[str]:
    """The places of work that these hospitals declare, for a form to offer."""
    return sorted(_declared(establishment_ids)[SIRETS])


def _declared(establishment_ids: Collection[UUID]) -> dict[str, set[str]]:
    query = select(EstablishmentSetting.key, EstablishmentSetting.value).where(
        EstablishmentSetting.key.in_((SIRETS, DIRECTORIES))
    )
    if establishment_ids:
        query = query.where(EstablishmentSetting.establishment_id.in_(establishment_ids))
    found: dict[str, set[str]] = {SIRETS: set(), DIRECTORIES: set()}
    for key, value in session.execute(query):
        found[key] |= set(value.replace(",", " ").replace(";", " ").split())
    return found
