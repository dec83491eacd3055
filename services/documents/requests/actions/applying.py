"""The applicant's gestures: begin, fill in, join, send, add what was missing, write, cancel, ask again."""

import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from auth.models import Patient
from portal import db, files, kpi
from portal.db import session
from portal.establishments import Establishment
from services.documents.requests import clock, queries, settings, states
from services.documents.requests.actions.facts import KindClosed, NotThere, ProofMissing, TooMany
from services.documents.requests.actions.steps import lock, move, note, record, say, tell, tell_desk
from services.documents.requests.kinds import Kind, needed_proofs
from services.documents.requests.models import RecordRequest, RecordRequestFile

ALPHABET: Final = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""No vowel, so no word; no 0, O, 1 or I, which people mistake for one another on the phone."""
MOST_OPEN: Final = 20
MOST_FILES: Final = 20
DRAFT_KEPT: Final = timedelta(days=30)


def begin(
    patient: Patient | None, place: Establishment, kind: Kind, quality: str, *, identity_known: bool
) -> RecordRequest:
    """Start a draft about this person, or about somebody who died (None). quality: as what the account acts.

    Raises KindClosed, TooMany.
    """
    if not settings.of(place.id).is_open(kind):
        raise KindClosed(kind.code)
    actor = db.current_actor()
    assert actor.account_id is not None, "somebody is signed in"
    _check_room(actor.account_id)
    request = RecordRequest(
        id=uuid4(),
        reference=new_reference(),
        establishment_id=place.id,
        patient_id=patient.id if patient else None,
        account_id=actor.account_id,
        kind=kind.code,
        desk=kind.desk,
        scope=kind.scope,
        quality=quality,
        applicant_name=actor.name,
        identity_known=identity_known,
        birth_name=patient.birth_name if patient else "",
        first_name=patient.first_name if patient else "",
        birth_on=patient.birth_on if patient else None,
        facts={},
        state=states.DRAFT,
        version=0,
    )
    request.establishment = place
    session.add(request)
    session.flush()
    note(request, "", "begun")
    record("record_request.begun", request)
    return request


def new_reference() -> str:
    """A reference people can read aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def _check_room(account_id: UUID) -> None:
    mine = select(func.count()).where(
        RecordRequest.account_id == account_id, RecordRequest.state.in_((states.DRAFT, *states.OPEN))
    )
    if (session.scalar(mine) or 0) >= MOST_OPEN:
        raise TooMany


def fill(request: RecordRequest, facts: Mapping[str, Any], **columns: Any) -> None:
    """Keep what one step says, in a draft. columns: text, masked, and for somebody who died their traits.

    Raises NotAllowed when it is sent already.
    """
    lock(request)
    _check_draft(request)
    request.facts = {**request.facts, **facts}
    for name, value in columns.items():
        setattr(request, name, value)
    request.changed_at = db.now()
    session.flush()
    record("record_request.filled", request)


def _check_draft(request: RecordRequest) -> None:
    if request.state != states.DRAFT:
        raise states.NotAllowed(request.state)


def join_proof(request: RecordRequest, file_id: UUID, use: str) -> RecordRequestFile:
    """Join a received file to a draft, or to a request that waits for something.

    Raises NotAllowed, TooMany, FileNotReadable.
    """
    lock(request)
    if request.state not in (states.DRAFT, *states.OPEN):
        raise states.NotAllowed(request.state)
    if len(queries.files_of(request.id)) >= MOST_FILES:
        raise TooMany
    stored = files.attach(file_id, establishment_id=request.establishment_id, staff_right=request.desk)
    joined = RecordRequestFile(
        id=uuid4(),
        request_id=request.id,
        establishment_id=request.establishment_id,
        file_id=stored.id,
        use=use,
        from_staff=False,
    )
    session.add(joined)
    request.version, request.changed_at = request.version + 1, db.now()
    session.flush()
    record("record_request.joined", request, use=use)
    return joined


def drop_proof(request: RecordRequest, file_id: UUID) -> None:
    """Take a file away before sending. Raises NotThere, NotAllowed."""
    lock(request)
    _check_draft(request)
    joined = queries.file_of(request.id, file_id)
    if joined is None or joined.from_staff:
        raise NotThere(file_id)
    session.delete(joined)
    session.flush()
    record("record_request.unjoined", request, use=joined.use)


def missing_proofs(request: RecordRequest) -> tuple[str, ...]:
    """What must still be joined before it is complete."""
    needed = needed_proofs(request.definition, request.quality, identity_known=request.identity_known)
    joined = {each.use for each in queries.files_of(request.id)}
    return tuple(proof for proof in needed if proof not in joined)


def send(request: RecordRequest) -> RecordRequest:
    """The draft goes to the hospital, and its time begins. Raises NotAllowed, KindClosed, ProofMissing."""
    lock(request)
    _check_draft(request)
    if not settings.of(request.establishment_id).is_open(request.definition):
        raise KindClosed(request.kind)
    if missing := missing_proofs(request):
        raise ProofMissing(missing)
    request.sent_at = db.now()
    request.is_old = request.definition.old_term is not None and clock.is_old(_until(request), request.today)
    move(request, states.RECEIVED, "sent")
    record("record_request.sent", request)
    kpi.count(
        "record_request_sent",
        establishment_id=request.establishment_id,
        dimension=request.kind,
        account_id=request.account_id,
    )
    tell(request, "received")
    tell_desk(request)
    return request


def _until(request: RecordRequest) -> date | None:
    """The last day of what is asked for; None when it is everything."""
    text = request.facts.get("until_on") if request.facts.get("extent") == "period" else None
    return date.fromisoformat(text) if text else None


def drop_draft(request: RecordRequest) -> None:
    """Nothing was sent, nothing is kept. Raises NotAllowed."""
    lock(request)
    _check_draft(request)
    record("record_request.dropped", request)
    session.delete(request)
    session.flush()


def supply(request: RecordRequest, text: str) -> None:
    """What the hospital asked for is there: its time goes on, or begins. Raises NotAllowed, ProofMissing."""
    lock(request)
    if request.state != states.MISSING:
        raise states.NotAllowed(request.state)
    wanted = [each for each in request.missing if each in ("identity", "quality")]
    since = _asked_since(request)
    joined = {each.use for each in queries.files_of(request.id) if each.added_at >= since}
    if lacking := tuple(each for each in wanted if each not in joined):
        raise ProofMissing(lacking)
    if not text.strip() and not joined:
        raise ProofMissing(("other",))
    request.missing = []
    say(request, text, from_staff=False)
    request.unread = True
    move(request, states.HANDLED if request.agent_id else states.RECEIVED, "supplied")
    record("record_request.supplied", request)
    tell_desk(request)


def _asked_since(request: RecordRequest) -> Any:
    asked = [each.at for each in queries.changes(request.id) if each.after == states.MISSING]
    return max(asked, default=request.created_at)


def go_on(request: RecordRequest, text: str) -> None:
    """A few words to the office, while it is open. Raises NotAllowed."""
    lock(request)
    if not request.is_open:
        raise states.NotAllowed(request.state)
    say(request, text, from_staff=False)
    record("record_request.written", request)
    tell_desk(request)


def cancel(request: RecordRequest) -> None:
    """The applicant does not want it any more. Raises NotAllowed."""
    lock(request)
    move(request, states.CANCELLED, "by_applicant")
    request.missing = []
    record("record_request.cancelled", request)


def reopen(request: RecordRequest, text: str) -> None:
    """The answer does not do, or it was cancelled by mistake: the hospital owes an answer again. Raises NotAllowed."""
    lock(request)
    if not request.is_closed:
        raise states.NotAllowed(request.state)
    request.complete_at, request.refusal, request.delivered_by = None, "", ""
    request.sent_at, request.facts = db.now(), {**request.facts, "reopened": True}
    move(request, states.RECEIVED, "reopened")
    say(request, text, from_staff=False)
    record("record_request.reopened", request)
    kpi.count("record_request_reopened", establishment_id=request.establishment_id, dimension=request.kind)
    tell_desk(request)


def forget_drafts() -> int:
    """Delete drafts that nobody touched for a month; returns how many. For a system job."""
    found = queries.old_drafts(db.now() - DRAFT_KEPT)
    for request in found:
        record("record_request.dropped", request)
        session.delete(request)
    session.flush()
    return len(found)
