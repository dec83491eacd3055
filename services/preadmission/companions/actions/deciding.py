"""What an agent of the admissions office does about signatures."""

from uuid import uuid4

from portal import db, jobs
from portal.db import session
from services.preadmission.companions import states, texts
from services.preadmission.companions.actions import composing, traces
from services.preadmission.companions.models import Companion, Signature


def confirm_identity(companion: Companion) -> None:
    """Whoever came in under another name is the person who was named: they may read and sign.

    Raises TransitionRefused.
    """
    traces.lock(companion)
    if companion.state != "to_check":
        raise states.TransitionRefused(companion.state, "opened")
    traces.move(companion, "opened", "identity_confirmed")
    jobs.enqueue("companions.tell", companion_id=str(companion.id))


def refuse_identity(companion: Companion) -> None:
    """It is somebody else: they see nothing, and the person who was named signs at the hospital.

    Raises TransitionRefused.
    """
    traces.lock(companion)
    if companion.state != "to_check":
        raise states.TransitionRefused(companion.state, "on_paper")
    traces.move(companion, "on_paper", "identity_refused")
    companion.account_id, companion.words, companion.signer_name = None, "", ""
    session.flush()
    jobs.enqueue("companions.tell_patient", companion_id=str(companion.id))


def receive_sheet(companion: Companion) -> None:
    """The hospital holds the sheet, signed by hand. Raises TransitionRefused."""
    traces.lock(companion)
    if "signed" not in states.TRANSITIONS[companion.state]:
        traces.move(companion, "on_paper")
    traces.move(companion, "signed", "sheet_received")
    companion.link_digest = None
    act, words = texts.ACTS[companion.role], composing.compose(companion)
    session.add(
        Signature(
            id=uuid4(),
            companion_id=companion.id,
            at=db.now(),
            decision="received",
            signer_name=companion.full_name,
            text_kind=act.kind,
            text_version=act.version,
            locale=composing.current_language(),
            words=words,
            digest=texts.digest(words),
        )
    )
    traces.record("companion.sheet_received", companion)
    session.flush()


def waive(companion: Companion, reason: str) -> None:
    """The hospital needs no signature of this person (proof of sole authority, a judge’s decision).

    reason: the agent’s words, for the file. Raises TransitionRefused.
    """
    traces.lock(companion)
    traces.move(companion, "waived", reason)
    companion.link_digest = None
    session.flush()
