"""What a practice's software does for a practitioner: send, take back, answer the unit. As a system job: a request may
come before its practitioner has ever signed in."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from auth.models import Professional
from portal import audit, files
from portal.db import session
from portal.files import StoredFile
from services.referrals import states
from services.referrals.actions import leaving, sending, thread
from services.referrals.actions.sending import Joined, Request, Wanted
from services.referrals.fhir import records
from services.referrals.fhir.incoming import Carried, Person, Reply, Told
from services.referrals.fhir.models import ReferralIdentifier
from services.referrals.fhir.records import Reader
from services.referrals.models import Referral, ReferralOffer, ReferralTarget
from services.sent_patients.actions import Described

JOB: Final = "referrals.fhir"
CHANNEL: Final = "software"


class NotHere(Exception):
    """What is asked for is not taken at the hospital of this machine."""


class AnotherRequest(Exception):
    """Its identifiers are those of two requests."""


class AnotherPractitioner(Exception):
    """A request is taken back, and its unit answered, in the name of whoever sent it."""


class UnknownUrgency(Exception):
    """No level of the unit's grid has this code."""


def receive(carried: Sequence[Carried]) -> list[StoredFile]:
    """Check and scan files, before anything else is written. Raises FileRefused."""
    return [files.receive(files.from_bytes([each.content]), each.name) for each in carried]


def alone(reader: Reader, told: Told) -> UUID | None:
    """The request known under these identifiers, once nobody else is at work on it. Raises AnotherRequest."""
    found = set()
    for named in sorted(told.identifiers):
        key = f"referral {reader.sender} {named[0]}|{named[1]}"
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
        if (referral_id := records.known(reader.sender, named)) is not None:
            found.add(referral_id)
    if len(found) > 1:
        raise AnotherRequest
    return next(iter(found), None)


def send(reader: Reader, told: Told, stored: Sequence[StoredFile]) -> UUID:
    """A new request in a practitioner's name. Raises NotHere, UnknownUrgency, and as `sending.send`."""
    offers = _offers(reader, told)
    person = told.person
    assert person is not None, "a request that is not taken back describes somebody"
    joined = [Joined(file.id, each.code) for file, each in zip(stored, told.files, strict=True)]
    request = Request(
        described=_described(person),
        kind=offers[0].kind,
        question=told.question,
        urgency=_urgency(offers[0], told),
        wanted=[Wanted(each.id) for each in offers],
        files=joined,
        postal_address=person.address,
        channel=CHANNEL,
    )
    professional = session.scalar(select(Professional).where(Professional.rpps == told.rpps))
    author = told.author or (professional.titled_name if professional else told.rpps)
    made = sending.send(request, professional=professional, rpps=told.rpps, author=author)
    for system, value in dict.fromkeys(told.identifiers):
        session.add(
            ReferralIdentifier(
                sender=reader.sender,
                system=system,
                value=value,
                establishment_id=reader.establishment_id,
                referral_id=made.id,
                rpps=told.rpps,
            )
        )
    session.flush()
    audit.record(
        "referral.sent_by_software",
        establishment_id=reader.establishment_id,
        object_kind="referral",
        object_id=made.id,
        sender=reader.sender,
    )
    return made.id


def _described(person: Person) -> Described:
    return Described(person.birth_name, person.first_name, person.birth_on, person.sex, person.mobile, person.email)


def _offers(reader: Reader, told: Told) -> list[ReferralOffer]:
    query = select(ReferralOffer).where(
        ReferralOffer.id.in_(told.offers), ReferralOffer.establishment_id == reader.establishment_id
    )
    found = {each.id: each for each in session.scalars(query)}
    if any(key not in found for key in told.offers):
        raise NotHere
    return [found[key] for key in told.offers]


def _urgency(offer: ReferralOffer, told: Told) -> str:
    """The level that was named; else what the priority stands for in the unit's grid: `stat` and `asap` its most
    urgent one (often: call), `urgent` the first that is written, `routine` the last."""
    codes = [level.code for level in offer.levels]
    if told.urgency:
        if told.urgency not in codes:
            raise UnknownUrgency(*codes)
        return told.urgency
    written = [level.code for level in offer.levels if not level.by_phone]
    return {"routine": written[-1], "urgent": written[0]}.get(told.priority, codes[0])


def withdraw(referral_id: UUID, rpps: str) -> bool:
    """Taken back, wherever it is open; False when it was already. Raises NotPossibleNow, AnotherPractitioner."""
    referral = session.get_one(Referral, referral_id)
    _check_author(referral, rpps)
    if not any(each.state in states.LIVE for each in referral.targets):
        if any(each.state == "withdrawn" for each in referral.targets):
            return False
        raise states.NotPossibleNow
    leaving.withdraw(referral, "other")
    return True


def _check_author(referral: Referral, rpps: str) -> None:
    known = referral.professional.rpps if referral.professional else referral.rpps
    if rpps != known:
        raise AnotherPractitioner


def answer(target_id: UUID, told: Reply, stored: Sequence[StoredFile]) -> None:
    """The practitioner's word to a unit. Raises EmptyMessage, NotPossibleNow, FileNotReadable."""
    target = session.get_one(ReferralTarget, target_id)
    author = target.referral.professional_name
    thread.write(target, told.text, file_ids=[each.id for each in stored], author=author)


def read(target: ReferralTarget) -> None:
    """Write down that a machine read it."""
    audit.record(
        "referral.read_by_machine",
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
    )


def read_list(establishment_id: UUID, count: int) -> None:
    """Write down that a machine read a list of them."""
    audit.record("referral_list.read_by_machine", establishment_id=establishment_id, count=count)
