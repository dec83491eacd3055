"""A practitioner sends a request; the units of their list are reached one after the other."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from auth import acts, records
from auth.models import Professional
from portal import audit, calendar, db, files, jobs, kpi
from portal.db import session
from portal.files import FileNotReadable, StoredFile
from services.referrals import deadlines, standing, states
from services.referrals.definition import Level
from services.referrals.models import Referral, ReferralFile, ReferralOffer, ReferralTarget
from services.sent_patients import actions as sent_patients
from services.sent_patients.actions import Described

_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else
MOST_TARGETS: Final = 5


class NobodyAsked(Exception):
    """No unit, too many of them, or the same twice."""


class OfferClosed(Exception):
    """A unit of the list takes no such request now. offer_id: which one."""

    def __init__(self, offer_id: UUID) -> None:
        super().__init__(str(offer_id))
        self.offer_id = offer_id


class NotForThatAge(OfferClosed):
    """A unit of the list does not receive people of that age."""


class ByPhoneOnly(Exception):
    """So urgent a request is never left to a form: one calls. number: which number, "" when none is known."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number


class FileMissing(Exception):
    """A file that the first unit requires did not come. code: which one."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, repr=False)
class Wanted:
    """A unit to ask. answers: to its own questions, as services.questionnaires.answers dumps them."""

    offer_id: UUID
    questionnaire_id: UUID | None = None
    answers: str = ""


@dataclass(frozen=True)
class Joined:
    """A file that comes with the request. code: which one the offer asked for, "" for any other. kept: the
    practitioner's own already, since a draft kept it."""

    file_id: UUID
    code: str = ""
    kept: bool = False


@dataclass(frozen=True, repr=False)
class Request:
    """What a practitioner asks, of which units, by order of preference. urgency: a level of the first unit's grid."""

    described: Described
    kind: str
    question: str
    urgency: str
    wanted: Sequence[Wanted]
    files: Sequence[Joined] = ()
    postal_address: str = ""
    patient_informed: bool = False
    channel: str = "web"


def send(request: Request, *, professional: Professional | None = None, rpps: str = "", author: str = "") -> Referral:
    """Ask the first unit now, and keep the others for the case where it cannot.

    professional: who asks; rpps, author: the same for somebody whose account does not exist yet. Raises NobodyAsked,
    OfferClosed, NotForThatAge, ByPhoneOnly, FileMissing, FileNotReadable, KeyError for an unknown urgency.
    """
    offers = _asked(request)
    level = _level(offers[0], request.urgency)
    _check_files(offers[0], request.files, professional)
    referral = _referral(request, level, professional, rpps, author)
    session.add(referral)
    session.flush()
    for position, (offer, wanted) in enumerate(zip(offers, request.wanted, strict=True)):
        session.add(_target(referral, offer, wanted, position))
    session.flush()
    _join(referral, request.files)
    kpi.count(
        "referral_sent",
        establishment_id=offers[0].establishment_id,
        channel=request.channel,
        dimension=request.kind,
        account_id=db.current_actor().account_id,
        unit_id=offers[0].unit_id,
    )
    acts.count("referrals", offers[0].establishment_id)
    reached = reach_next(referral)
    assert reached is not None, "at least one unit is wanted"
    reached.professional_seen_at = reached.changed_at
    return referral


def reach_next(referral: Referral) -> ReferralTarget | None:
    """Ask the next unit of the list; None when nobody is left. Its hospital learns whom it is about, not the others."""
    following = session.scalars(
        select(ReferralTarget)
        .where(ReferralTarget.referral_id == referral.id, ReferralTarget.state == "waiting")
        .order_by(ReferralTarget.position)
        .limit(1)
        .with_for_update(key_share=True)
    ).one_or_none()
    if following is None:
        return None
    _introduce(referral, following)
    session.add(states.move(following, "received", db.current_actor()))
    following.received_at = following.changed_at
    start_clock(following)
    session.flush()
    audit.record(
        "referral.sent",
        patient_id=following.patient_id,
        establishment_id=following.establishment_id,
        object_kind="referral_target",
        object_id=following.id,
    )
    jobs.enqueue("referrals.tell_unit", target_id=str(following.id))
    jobs.enqueue("referrals.tell_patient", target_id=str(following.id))
    return following


def lock(target: ReferralTarget) -> None:
    """Nobody else decides meanwhile."""
    session.flush()  # what this transaction changed already is not forgotten
    session.refresh(target, with_for_update={"of": ReferralTarget, "key_share": True})


def start_clock(target: ReferralTarget) -> None:
    """The unit owes an answer, from now on."""
    place = target.establishment
    target.answer_by = deadlines.answer_by(db.now(), target.answer_hours, place.tz, place.holiday_rules)
    target.escalated_at = None


def follow_proposal(target: ReferralTarget) -> ReferralTarget:
    """The practitioner agrees with the unit that another one named: it is asked now, before any other.

    Raises NotPossibleNow, OfferClosed, NotForThatAge, NobodyAsked when it was asked already.
    """
    lock(target)  # the patient may object meanwhile, or the practitioner leave it in another window
    offer = session.get(ReferralOffer, target.proposed_id) if target.proposed_id else None
    if target.state != "redirected" or offer is None:
        raise states.NotPossibleNow(target.state)
    if not offer.is_open:
        raise OfferClosed(offer.id)
    referral = target.referral
    session.expire(referral, ["targets"])
    if any(each.offer_id == offer.id for each in referral.targets):
        raise NobodyAsked
    if not offer.takes_age(age_on(referral.birth_on, offer)):
        raise NotForThatAge(offer.id)
    first = min(each.position for each in referral.targets) - 1
    session.add(_target(referral, offer, Wanted(offer.id), first))
    session.flush()
    reached = reach_next(referral)
    assert reached is not None
    target.professional_seen_at = reached.professional_seen_at = reached.changed_at
    session.expire(referral, ["targets"])
    return reached


def leave_proposal(target: ReferralTarget) -> ReferralTarget | None:
    """The practitioner does not want the unit that this one named: the next of their list is asked, if one is left.

    Raises NotPossibleNow.
    """
    lock(target)
    if target.state != "redirected":
        raise states.NotPossibleNow(target.state)
    session.add(states.move(target, "withdrawn", db.current_actor(), "proposal_left"))
    target.professional_seen_at = target.changed_at
    audit.record(
        "referral.proposal_left",
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
    )
    session.flush()
    return reach_next(target.referral) if standing.may_go_on(target.referral.targets) else None


# -- the steps -----------------------------------------------------------------------------------------------------


def _asked(request: Request) -> list[ReferralOffer]:
    keys = [wanted.offer_id for wanted in request.wanted]
    if not 1 <= len(keys) <= MOST_TARGETS or len(set(keys)) != len(keys):
        raise NobodyAsked
    found = {each.id: each for each in session.scalars(select(ReferralOffer).where(ReferralOffer.id.in_(keys)))}
    for key in keys:
        if key not in found or not found[key].is_open or found[key].kind != request.kind:
            raise OfferClosed(key)
        if not found[key].takes_age(age_on(request.described.birth_on, found[key])):
            raise NotForThatAge(key)
    return [found[key] for key in keys]


def age_on(birth_on: date, offer: ReferralOffer) -> int:
    """In whole years, today at that hospital."""
    today = calendar.civil_day(db.now(), offer.establishment.tz)
    return today.year - birth_on.year - ((today.month, today.day) < (birth_on.month, birth_on.day))


def _level(offer: ReferralOffer, code: str) -> Level:
    level = {each.code: each for each in offer.levels}[code]
    if level.by_phone:
        raise ByPhoneOnly(offer.call)
    return level


def _check_files(offer: ReferralOffer, joined: Sequence[Joined], professional: Professional | None) -> None:
    codes = {each.code for each in joined}
    for asked in offer.asked_files:
        if asked.required and asked.code not in codes:
            raise FileMissing(asked.code)
    for each in joined:
        if each.kept and not _is_theirs(session.get(StoredFile, each.file_id), professional):
            raise FileNotReadable(each.file_id)


def _is_theirs(stored: StoredFile | None, professional: Professional | None) -> bool:
    """Whether a file that a draft kept is the practitioner's, and may be opened once it is scanned."""
    if stored is None or professional is None:
        return False
    return stored.professional_id == professional.id and stored.state in ("clean", "waiting")


def _referral(request: Request, level: Level, professional: Professional | None, rpps: str, author: str) -> Referral:
    told = request.described
    return Referral(
        id=uuid4(),
        reference=new_reference(),
        professional_id=professional.id if professional else None,
        rpps="" if professional else rpps,
        author_name=author or db.current_actor().name,
        kind=request.kind,
        question=request.question.strip(),
        urgency=level.code,
        urgency_label=level.label,
        birth_name=told.birth_name.strip().upper(),
        first_name=told.first_name.strip(),
        birth_on=told.birth_on,
        sex=told.sex,
        mobile=told.mobile,
        email=told.email,
        postal_address=request.postal_address.strip(),
        patient_informed=request.patient_informed,
        channel=request.channel,
        sent_at=db.now(),
    )


def _target(referral: Referral, offer: ReferralOffer, wanted: Wanted, position: int) -> ReferralTarget:
    # A level that only the first unit knows: the others answer within the time of its namesake, or of their first
    # written one.
    known = {level.code: level.answer_hours for level in offer.levels}
    usual = next(level.answer_hours for level in offer.levels if not level.by_phone)
    return ReferralTarget(
        id=uuid4(),
        referral_id=referral.id,
        professional_id=referral.professional_id,
        establishment_id=offer.establishment_id,
        unit_id=offer.unit_id,
        offer_id=offer.id,
        position=position,
        state="waiting",
        questionnaire_id=wanted.questionnaire_id,
        answers=wanted.answers,
        answer_hours=known.get(referral.urgency) or usual,
        changed_at=db.now(),
    )


def _join(referral: Referral, joined: Sequence[Joined]) -> None:
    for position, each in enumerate(joined):
        if not each.kept:
            files.attach(each.file_id, professional_id=referral.professional_id)
        session.add(
            ReferralFile(id=uuid4(), referral_id=referral.id, file_id=each.file_id, code=each.code, position=position)
        )
    session.flush()


def _introduce(referral: Referral, target: ReferralTarget) -> None:
    """Register the person, as described, at the unit's hospital: its identity unit sees whom they resemble."""
    told = Described(
        referral.birth_name, referral.first_name, referral.birth_on, referral.sex, referral.mobile, referral.email
    )
    if referral.professional_id:
        sent = sent_patients.describe_once(referral.professional_id, target.establishment_id, told)
        target.sent_patient_id, target.patient_id = sent.id, sent.patient_id
        return
    with records.as_system("referrals.introduce"):
        target.patient_id = records.register_patient(
            target.establishment_id,
            birth_name=told.birth_name,
            first_name=told.first_name,
            birth_on=told.birth_on,
            sex=told.sex,
            mobile=told.mobile,
            email=told.email,
        ).id


def new_reference() -> str:
    """What people quote to name a request."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"
