"""A practitioner's drafts, and what units take among which they choose."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import Unit
from services.questionnaires.models import Questionnaire
from services.questionnaires.states import PUBLISHED
from services.referrals.drafts.models import ReferralDraft
from services.referrals.models import ReferralOffer

_MOST = 30


def drafts_of(professional_id: UUID) -> Sequence[ReferralDraft]:
    """Latest first."""
    return session.scalars(
        select(ReferralDraft)
        .where(ReferralDraft.professional_id == professional_id)
        .order_by(ReferralDraft.changed_at.desc(), ReferralDraft.id)
        .limit(_MOST)
    ).all()


def draft_of(professional_id: UUID, draft_id: UUID, *, to_change: bool = False) -> ReferralDraft | None:
    """to_change: nobody else writes in it meanwhile."""
    query = select(ReferralDraft).where(ReferralDraft.id == draft_id, ReferralDraft.professional_id == professional_id)
    if to_change:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.scalar(query)


def offers(keys: Sequence[UUID]) -> list[ReferralOffer]:
    """In the order given; closed ones too."""
    found = session.scalars(
        select(ReferralOffer)
        .where(ReferralOffer.id.in_(keys))
        .options(
            joinedload(ReferralOffer.unit).joinedload(Unit.site),
            joinedload(ReferralOffer.unit).joinedload(Unit.establishment),
            joinedload(ReferralOffer.establishment),
        )
    )
    by_key = {each.id: each for each in found}
    return [by_key[key] for key in keys if key in by_key]


def questionnaire_of(offer: ReferralOffer) -> Questionnaire | None:
    """The unit's own questions, as they are published now."""
    if not offer.questionnaire:
        return None
    return session.scalar(
        select(Questionnaire)
        .where(
            Questionnaire.establishment_id == offer.establishment_id,
            Questionnaire.code == offer.questionnaire,
            Questionnaire.state == PUBLISHED,
        )
        .order_by(Questionnaire.version.desc())
        .limit(1)
    )


def questionnaire(questionnaire_id: UUID) -> Questionnaire | None:
    """The version that was answered."""
    return session.get(Questionnaire, questionnaire_id)
