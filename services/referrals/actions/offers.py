"""What units take by referral: opened, changed, closed by those who run the hospital."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID, uuid4

from portal import audit
from portal.db import session
from portal.establishments import Unit
from services.referrals import definition
from services.referrals.models import ReferralOffer


@dataclass(frozen=True)
class OfferDraft:
    """The rules of an offer, as typed. urgencies, files: as `definition` reads them."""

    kind: str
    name: str
    speciality: str = ""
    presentation: str = ""
    requires: str = ""
    age_from: int = 0
    age_to: int = 130
    questionnaire: str = ""
    urgencies: tuple[dict[str, Any], ...] = ()
    files: tuple[dict[str, Any], ...] = ()
    usual_days: int | None = None
    phone: str = ""
    escalate_to: str = ""
    position: int = 0


def open_offer(unit: Unit, draft: OfferDraft) -> ReferralOffer:
    """A unit takes something more. Raises NotADefinition."""
    offer = ReferralOffer(
        id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, is_open=True, **_checked(draft)
    )
    session.add(offer)
    session.flush()
    _record("referral_offer.opened", offer.establishment_id, offer.id)
    return offer


def change_offer(offer: ReferralOffer, draft: OfferDraft) -> None:
    """Other rules, for what is sent from now on. Raises NotADefinition."""
    for name, value in _checked(draft).items():
        setattr(offer, name, value)
    session.flush()
    _record("referral_offer.changed", offer.establishment_id, offer.id)


def open_or_close(offer: ReferralOffer, *, is_open: bool) -> None:
    """Closed: nothing new comes; what came before is still answered."""
    offer.is_open = is_open
    session.flush()
    _record("referral_offer.reopened" if is_open else "referral_offer.closed", offer.establishment_id, offer.id)


def _checked(draft: OfferDraft) -> dict[str, Any]:
    if draft.urgencies:
        definition.levels(draft.urgencies)
    definition.asked_files(draft.files)
    values = {field.name: getattr(draft, field.name) for field in fields(draft)}
    return values | {"urgencies": list(draft.urgencies), "files": list(draft.files)}


def _record(action: str, establishment_id: UUID, offer_id: UUID) -> None:
    audit.record(action, establishment_id=establishment_id, object_kind="referral_offer", object_id=offer_id)
