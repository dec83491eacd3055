"""What still keeps a draft from leaving: said before the practitioner tries."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.db import session
from portal.files import StoredFile
from services.questionnaires import answers
from services.questionnaires.models import Questionnaire
from services.questionnaires.wording import Line, lines
from services.referrals.actions.sending import age_on
from services.referrals.definition import AskedFile, Level
from services.referrals.drafts import queries
from services.referrals.drafts.content import Content
from services.referrals.models import ReferralOffer


@dataclass(frozen=True)
class Looked:
    """A draft before it is sent. offers: in order; closed, other_age: those that cannot be asked. level: None when
    it must be chosen again. files: by id, as they are stored. missing: files that the first unit requires."""

    offers: Sequence[ReferralOffer]
    closed: frozenset[UUID]
    other_age: frozenset[UUID]
    level: Level | None
    questionnaire: Questionnaire | None
    said: Sequence[Line]
    unanswered: bool
    files: dict[UUID, StoredFile]
    missing: Sequence[AskedFile]
    lost: frozenset[UUID]

    @property
    def may_leave(self) -> bool:
        wrong = self.closed or self.other_age or self.missing or self.lost or self.unanswered
        return bool(self.offers) and not wrong and self.level is not None and not self.level.by_phone


def first_step_left(told: Content) -> str | None:
    """The endpoint of the first step with nothing in it; None when all were gone through."""
    if told.birth_on is None:
        return "patient"
    if not told.kind or not told.question:
        return "wish"
    if not told.offers:
        return "units"
    return None if told.urgency else "needs"


def look(told: Content) -> Looked:
    offers = queries.offers(told.offers)
    first = offers[0] if offers else None
    asked = queries.questionnaire_of(first) if first else None
    given = answers.load(told.answers) if asked and told.questionnaire_id == asked.id else {}
    stored = _stored(told)
    sent = {each.code for each in told.files}
    birth_on = told.birth_on
    return Looked(
        offers,
        frozenset(each.id for each in offers if not each.is_open or each.kind != told.kind),
        frozenset(each.id for each in offers if birth_on and not each.takes_age(age_on(birth_on, each))),
        next((each for each in first.levels if each.code == told.urgency), None) if first else None,
        asked,
        lines(asked.definition, given) if asked else (),
        bool(asked and answers.missing(asked.definition, given)),
        stored,
        [each for each in first.asked_files if each.required and each.code not in sent] if first else (),
        frozenset(each.id for each in told.files if each.id not in stored),
    )


def _stored(told: Content) -> dict[UUID, StoredFile]:
    """Those that can still go."""
    found = (session.get(StoredFile, each.id) for each in told.files)
    return {each.id: each for each in found if each is not None and each.state in ("clean", "waiting")}
