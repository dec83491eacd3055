"""The patient's side: prove it with what the hospital gave, or ask its staff.

Whatever is typed, the answer is the same until something is proven: nobody learns whether a number exists, whose it
is, or how near they were.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from auth.enrolment import belongings
from auth.enrolment.actions import codes, linking
from auth.enrolment.actions.linking import AlreadyLinked, NumberHeld
from auth.enrolment.models import Link, LinkCode, LinkRequest, LinkTry
from auth.identity import traits
from auth.models import Patient, PatientRecord
from auth.records import as_system, open_record
from portal import audit, db, kpi
from portal.db import session

_LIMITS: Final = ((timedelta(hours=1), 5), (timedelta(days=1), 15))


class TooManyTries(Exception):
    """This account has typed too many numbers; it may come back later, or ask the hospital."""


def count_try(establishment_id: UUID) -> None:
    """Count one try of the current account, before looking at what was typed. Raises TooManyTries."""
    account_id = _account()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"link try {account_id}", 0))))
    for span, most in _LIMITS:
        recent = select(func.count()).where(LinkTry.account_id == account_id, LinkTry.at > db.now() - span)
        if (session.scalar(recent) or 0) >= most:
            raise TooManyTries
    session.add(LinkTry(id=uuid4(), account_id=account_id, establishment_id=establishment_id))
    session.flush()


def prove(patient_id: UUID, establishment_id: UUID, typed: str) -> Link | None:
    """Link the patient when what they typed (code, visit or invoice number) belongs to the same person.

    None in every other case, whatever it is; a doubtful one (one trait differs, or the number is another account's)
    waits for the identity unit, which the answer does not say. Raises AlreadyLinked.
    """
    with as_system("enrolment.prove"):
        code = codes.valid_code(establishment_id, typed)
        on_paper = belongings.owner_of(establishment_id, typed.strip())
        known_as = code.patient_id if code else on_paper
        record = session.get(PatientRecord, (known_as or patient_id, establishment_id))
        patient = session.get_one(Patient, patient_id)
        known = session.get_one(Patient, known_as or patient_id)
        differs = traits.differences(patient, known)
        ipp = record.ipp if record and known_as else None
    if ipp is None or len(differs) > 1:
        _nothing(patient_id, establishment_id)
        return None
    if differs:
        _doubt(patient_id, establishment_id, known_as, "traits_differ", differs)
        return None
    try:
        made = linking.link(patient_id, establishment_id, ipp, "letter" if code else "number")
    except NumberHeld:
        _doubt(patient_id, establishment_id, None, "already_linked", ())
        return None
    _spend(code)
    return made


def ask(patient_id: UUID, establishment_id: UUID) -> LinkRequest:
    """Ask the hospital's staff to look. Asked again, the same request goes on waiting. Raises AlreadyLinked."""
    record = session.get(PatientRecord, (patient_id, establishment_id))
    if record and record.ipp:
        raise AlreadyLinked
    open_record(patient_id, establishment_id)  # so that the hospital's staff see who asks
    request = _request(patient_id, establishment_id, "asked")
    request.asked_at = request.asked_at or db.now()
    session.flush()
    audit.record("link.asked", patient_id=patient_id, establishment_id=establishment_id, object_kind="link_request",
                 object_id=request.id)  # fmt: skip
    kpi.count("link_asked", establishment_id=establishment_id)
    return request


def _nothing(patient_id: UUID, establishment_id: UUID) -> None:
    audit.record("link.not_proven", patient_id=patient_id, establishment_id=establishment_id)
    kpi.count("link_not_proven", establishment_id=establishment_id)


def _doubt(
    patient_id: UUID, establishment_id: UUID, known_as: UUID | None, doubt: str, differs: tuple[str, ...]
) -> None:
    open_record(patient_id, establishment_id)
    request = _request(patient_id, establishment_id, doubt)
    request.doubt, request.differs, request.record_patient_id = doubt, ",".join(differs), known_as
    session.flush()
    _nothing(patient_id, establishment_id)


def _request(patient_id: UUID, establishment_id: UUID, doubt: str) -> LinkRequest:
    """The open request of this patient there, or a new one; two tabs ask for the same."""
    session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"link request {patient_id} {establishment_id}", 0)))
    )
    found = session.scalar(
        select(LinkRequest).where(
            LinkRequest.patient_id == patient_id,
            LinkRequest.establishment_id == establishment_id,
            LinkRequest.decided_at.is_(None),
        )
    )
    if found is None:
        found = LinkRequest(
            id=uuid4(),
            establishment_id=establishment_id,
            patient_id=patient_id,
            account_id=_account(),
            doubt=doubt,
        )
        session.add(found)
        session.flush()
    return found


def _spend(code: LinkCode | None) -> None:
    if code is not None:
        with as_system("enrolment.prove"):
            session.get_one(LinkCode, code.id).used_at = db.now()


def _account() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "a signed-in person"
    return account_id
