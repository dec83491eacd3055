"""What a practitioner does with a request before it is sent: begin it, go on with it, send it, throw it away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from auth import records
from auth.models import Professional
from portal import audit, db, files, files_erasing
from portal.db import session
from portal.files import StoredFile
from services.referrals.actions import sending
from services.referrals.actions.sending import Joined, Request, Wanted
from services.referrals.drafts import content as contents
from services.referrals.drafts.content import Content, KeptFile
from services.referrals.drafts.models import ReferralDraft
from services.referrals.models import Referral


def begin(professional_id: UUID, told: Content) -> ReferralDraft:
    """The patient is described: the rest may wait."""
    draft = ReferralDraft(
        id=uuid4(),
        professional_id=professional_id,
        sealed=contents.dump(told),
        author_name=db.current_actor().name,
        created_at=db.now(),
        changed_at=db.now(),
    )
    session.add(draft)
    session.flush()
    _record("referral_draft.begun", draft)
    return draft


def keep(draft: ReferralDraft, told: Content) -> None:
    """What was typed or chosen at a step."""
    draft.content, draft.changed_at = told, db.now()
    session.flush()


def want(draft: ReferralDraft, kind: str, question: str) -> None:
    """What is needed, and why. Units take one kind and not another: the list begins again with another kind."""
    told = draft.content
    if told.kind != kind:
        told = replace(told, kind=kind, offers=(), urgency="", questionnaire_id=None, answers="")
    keep(draft, replace(told, question=question.strip()))


def arrange(draft: ReferralDraft, gesture: str, offer_id: UUID) -> None:
    """Add a unit to the list, take it off, ask it sooner or later. The urgency is a word of the first unit's grid: it
    is asked again when another one comes first. Raises TooMany."""
    told = draft.content
    offers = contents.arranged(told.offers, gesture, offer_id)
    is_same_first = offers[:1] == told.offers[:1]
    keep(draft, replace(told, offers=offers, urgency=told.urgency if is_same_first else ""))


def take_files(draft: ReferralDraft, received: Sequence[KeptFile]) -> None:
    """Files that just arrived are the practitioner's from now on: they wait with the draft. Raises TooMany,
    FileNotReadable."""
    told = draft.content
    for each in received:
        taken = contents.with_file(told, each)
        if taken is not told:
            files.attach(each.id, professional_id=draft.professional_id)
        told = taken
    keep(draft, told)


def leave_file(draft: ReferralDraft, file_id: UUID) -> None:
    """A file does not go with the request after all: its bytes are erased."""
    told = draft.content
    if any(each.id == file_id for each in told.files):
        _erase([file_id])
        keep(draft, contents.without_file(told, file_id))


def send(draft: ReferralDraft, professional: Professional) -> Referral:
    """The request leaves, and the draft is no more. Raises as `sending.send`: nothing is changed then."""
    referral = sending.send(_request(draft.content), professional=professional)
    session.delete(draft)
    session.flush()
    return referral


def discard(draft: ReferralDraft) -> None:
    """Throw it away, with its files."""
    _record("referral_draft.discarded", draft)
    _forget(draft)


def forget_one(draft_id: UUID, before: datetime) -> bool:
    """Nobody touched it for long; False when somebody just did. As the system."""
    draft = session.get(ReferralDraft, draft_id, with_for_update={"key_share": True}, populate_existing=True)
    if draft is None or draft.changed_at >= before:
        return False
    _record("referral_draft.forgotten", draft)
    _forget(draft)
    return True


def _request(told: Content) -> Request:
    wanted = [Wanted(each) for each in told.offers]
    if wanted and told.answers:
        wanted[0] = replace(wanted[0], questionnaire_id=told.questionnaire_id, answers=told.answers)
    return Request(
        described=told.described(),
        kind=told.kind,
        question=told.question,
        urgency=told.urgency,
        wanted=wanted,
        files=[Joined(each.id, each.code, kept=True) for each in told.files],
        postal_address=told.postal_address,
        patient_informed=told.patient_informed,
    )


def _forget(draft: ReferralDraft) -> None:
    _erase([each.id for each in draft.content.files])
    session.delete(draft)
    session.flush()


def _erase(keys: Sequence[UUID]) -> None:
    with records.as_system("referrals.erase_files"):
        for key in keys:
            stored = session.get(StoredFile, key)
            if stored is not None and stored.state != "erased":
                files_erasing.erase_later(stored)
        session.flush()


def _record(action: str, draft: ReferralDraft) -> None:
    audit.record(action, object_kind="referral_draft", object_id=draft.id)
