"""Signing, declining, taking back: each decision is one row of evidence that nobody can change.

Nobody signs for somebody else: the account that acts is written, and row-level security refuses another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from auth.mandates import queries as mandates
from portal import calendar, db, jobs
from portal.db import session
from services.preadmission.actions.facts import ChangedMeanwhile
from services.preadmission.companions import queries, texts
from services.preadmission.companions.actions import composing, traces
from services.preadmission.companions.actions.facts import NotAHolder, NotInPerson
from services.preadmission.companions.models import Companion, Signature
from services.preadmission.companions.states import TransitionRefused
from services.preadmission.models import Preadmission


@dataclass(frozen=True)
class Evidence:
    """How the person had proven who they are (their session), and the SHA-256 of the text on their page, in hex."""

    provider: str
    acr: str
    read: str


def sign(companion: Companion, evidence: Evidence) -> None:
    """The companion signs what they have read. Raises TransitionRefused, ChangedMeanwhile (the file changed since: the
    new text is to be read)."""
    _reread(companion, evidence)
    traces.move(companion, "signed")
    _keep(companion, "signed", evidence, companion.words)
    _tell_patient(companion)


def decline(companion: Companion, evidence: Evidence) -> None:
    """The companion says no. Raises TransitionRefused."""
    traces.lock(companion)
    traces.move(companion, "declined")
    _keep(companion, "declined", evidence, companion.words)
    _tell_patient(companion)


def revoke(companion: Companion, evidence: Evidence) -> None:
    """Whoever signed takes it back. Raises TransitionRefused: it was not signed, or the operation's day is over."""
    traces.lock(companion)
    with traces.as_system():
        file = session.get_one(Preadmission, companion.preadmission_id)
        is_over = file.planned_on < calendar.civil_day(db.now(), file.establishment.tz)
    if is_over and companion.role == "holder":
        raise TransitionRefused(companion.state, "revoked")
    traces.move(companion, "revoked")
    _keep(companion, "revoked", evidence, companion.words)
    _tell_patient(companion)


def sign_as_holder(preadmission: Preadmission, evidence: Evidence) -> None:
    """A holder who acts for the child signs from the file. Raises NotAHolder, ChangedMeanwhile."""
    actor = db.current_actor()
    if actor.account_id not in {each.account_id for each in mandates.holders(preadmission.patient_id)}:
        raise NotAHolder(preadmission.id)
    companion = place_of(actor.account_id, queries.of_file(preadmission.id))
    if companion is None:
        raise NotAHolder(preadmission.id)
    traces.lock(companion)
    companion.account_id, companion.signer_name, companion.link_digest = actor.account_id, actor.name, None
    companion.words = composing.compose(companion)
    session.flush()
    _reread(companion, evidence)
    if companion.state in ("declined", "to_check"):
        traces.move(companion, "opened")
    traces.move(companion, "signed")
    _keep(companion, "signed", evidence, companion.words)


def place_of(account_id: UUID | None, companions: Sequence[Companion]) -> Companion | None:
    """Which holder this account is: the one it acted as, else the first whom nobody is yet."""
    holders = [each for each in companions if each.role == "holder" and not each.is_over]
    own = next((each for each in holders if each.account_id == account_id), None)
    return own or next((each for each in holders if each.account_id is None and each.state != "waived"), None)


def designate(companion: Companion, evidence: Evidence) -> None:
    """The patient signs the naming of their person of trust, in person. Raises NotInPerson, ChangedMeanwhile."""
    if companion.patient_id in db.current_actor().proxied:
        raise NotInPerson(companion.id)
    traces.lock(companion)
    words = composing.compose(companion, texts.DESIGNATION)
    if texts.digest(words).hex() != evidence.read:
        raise ChangedMeanwhile(companion.id)
    _keep(companion, "signed", evidence, words, by_patient=True)
    traces.record("companion.designated", companion)


def revoke_for_patient(companion: Companion, evidence: Evidence) -> None:
    """The patient no longer wants this person of trust, whatever they had answered; they are told.

    Raises NotInPerson, TransitionRefused.
    """
    if companion.patient_id in db.current_actor().proxied:
        raise NotInPerson(companion.id)
    traces.lock(companion)
    was_told = companion.state not in ("named", "on_paper")
    traces.move(companion, "revoked" if companion.state == "signed" else "withdrawn")
    companion.link_digest = None
    _keep(companion, "revoked", evidence, composing.compose(companion, texts.DESIGNATION), by_patient=True)
    if was_told:
        jobs.enqueue("companions.tell", companion_id=str(companion.id))
    _tell_patient(companion)


def _reread(companion: Companion, evidence: Evidence) -> None:
    """Compose the text again: the stay may have moved since the page was shown."""
    traces.lock(companion)
    with traces.as_system():
        fresh = companion.words = composing.compose(companion)
        session.flush()
    if texts.digest(fresh).hex() != evidence.read:
        raise ChangedMeanwhile(companion.id)


def text_for(companion: Companion) -> str:
    """What the companion reads: the act as it stands today until they decide, then what they decided about."""
    if companion.state != "opened":
        return companion.words
    with traces.as_system():
        return composing.compose(companion)


def _keep(companion: Companion, decision: str, evidence: Evidence, words: str, *, by_patient: bool = False) -> None:
    actor, act = db.current_actor(), texts.DESIGNATION if by_patient else texts.ACTS[companion.role]
    session.add(
        Signature(
            id=uuid4(),
            companion_id=companion.id,
            account_id=actor.account_id,
            by_patient=by_patient,
            at=db.now(),
            decision=decision,
            signer_name=actor.name,
            provider=evidence.provider,
            acr=evidence.acr,
            text_kind=act.kind,
            text_version=act.version,
            locale=composing.current_language(),
            words=words,
            digest=texts.digest(words),
        )
    )
    session.flush()


def _tell_patient(companion: Companion) -> None:
    jobs.enqueue("companions.tell_patient", companion_id=str(companion.id))
