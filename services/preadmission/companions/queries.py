"""Who signs with whom: for the patient, the companion themselves, the admissions office, and the clock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.guests.secrets import digest
from portal import db
from portal.db import session
from services.preadmission.companions.models import OVER, Companion, CompanionChange, Signature
from services.preadmission.models import OPEN_STATES, Preadmission
from services.preadmission.queries.files import PLACE, TODAY_THERE
from services.preadmission.states import READY


def standing_one(preadmission_id: UUID, role: str, rank: int = 1) -> Companion | None:
    """The one whose signature is waited for, or was given, in this rank."""
    return session.scalar(
        select(Companion).where(
            Companion.preadmission_id == preadmission_id,
            Companion.role == role,
            Companion.rank == rank,
            Companion.state.not_in(OVER),
        )
    )


def of_file(preadmission_id: UUID) -> Sequence[Companion]:
    """Everybody named in a file, those before included; the caller has found the file under its own rules."""
    return session.scalars(
        select(Companion)
        .options(joinedload(Companion.establishment))
        .where(Companion.preadmission_id == preadmission_id)
        .order_by(Companion.role, Companion.rank, Companion.created_at)
    ).all()


def one_of_file(preadmission_id: UUID, companion_id: UUID) -> Companion | None:
    return session.scalar(
        select(Companion)
        .options(joinedload(Companion.establishment))
        .where(Companion.id == companion_id, Companion.preadmission_id == preadmission_id)
    )


def signatures(companion_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Signature]]:
    """Companion → what was decided, the latest first; the caller has found them under their own rules."""
    found: dict[UUID, list[Signature]] = {each: [] for each in companion_ids}
    for row in session.scalars(
        select(Signature).where(Signature.companion_id.in_(companion_ids)).order_by(Signature.at.desc(), Signature.id)
    ):
        found[row.companion_id].append(row)
    return found


def changes(companion_ids: Collection[UUID]) -> Sequence[CompanionChange]:
    """Every change, the latest first."""
    return session.scalars(
        select(CompanionChange)
        .where(CompanionChange.companion_id.in_(companion_ids))
        .order_by(CompanionChange.at.desc(), CompanionChange.id)
    ).all()


# -- the companion -------------------------------------------------------------------------------------------------


def mine() -> Sequence[Companion]:
    """What the person who is signed in was asked to sign, the latest first."""
    return session.scalars(
        select(Companion)
        .options(joinedload(Companion.establishment))
        .where(Companion.account_id == db.current_actor().account_id, Companion.state != "named")
        .order_by(Companion.changed_at.desc())
        .limit(100)
    ).all()


def one_of_mine(companion_id: UUID) -> Companion | None:
    return session.scalar(
        select(Companion)
        .options(joinedload(Companion.establishment))
        .where(Companion.id == companion_id, Companion.account_id == db.current_actor().account_id)
    )


def behind(token: str) -> Companion | None:
    """The companion whom this link is good for, today. As the system."""
    return session.scalar(
        select(Companion)
        .options(joinedload(Companion.establishment))
        .where(
            Companion.link_digest == digest(token), Companion.state == "invited", Companion.link_expires_at > db.now()
        )
    )


# -- the hospital --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NamedPerson:
    """The person of trust as the hospital's system is told of them."""

    first_name: str
    family_name: str
    link: str
    phone: str
    address: str
    accepted_at: datetime


def named(preadmission_id: UUID) -> NamedPerson | None:
    """The person of trust of this stay: named by the patient, who signed, and who accepted; None otherwise.

    For the stay's message alone, bound to the visit (NK1-7 = K). The caller has found the file under its own rules.
    """
    found = standing_one(preadmission_id, "trust")
    if found is None or found.state != "signed":
        return None
    made = signatures([found.id])[found.id]
    accepted = next((each for each in made if each.decision in ("signed", "received") and not each.by_patient), None)
    on_sheet = accepted is not None and accepted.decision == "received"
    if accepted is None or not (on_sheet or any(each.by_patient for each in made)):
        return None
    return NamedPerson(found.first_name, found.family_name, found.link, found.phone, found.address, accepted.at)


def waiting_for_theatre(
    establishment_ids: Collection[UUID] | None = None, within: timedelta = timedelta(days=7)
) -> Sequence[Preadmission]:
    """Children's files whose stay is so near and whose authorisation may not be whole, the nearest first.

    establishment_ids: of an agent; None for the clock, which sees them all.
    """
    unsigned = select(Companion.preadmission_id).where(Companion.role == "holder", Companion.state.not_in(OVER))
    wanted = (
        select(Preadmission)
        .options(*PLACE, joinedload(Preadmission.patient))
        .where(
            Preadmission.state.in_((*OPEN_STATES, *READY)),
            Preadmission.submitted_at.is_not(None),
            Preadmission.planned_on >= TODAY_THERE,
            Preadmission.planned_on <= TODAY_THERE + within.days,
            Preadmission.id.in_(unsigned),
        )
        .order_by(Preadmission.planned_on, Preadmission.id)
        .limit(200)
    )
    if establishment_ids is not None:
        wanted = wanted.where(Preadmission.establishment_id.in_(establishment_ids))
    return session.scalars(wanted).all()


def over_since(day: date) -> Sequence[UUID]:
    """Files that still have companions and whose stay was before that day."""
    return session.scalars(
        select(Companion.preadmission_id)
        .join(Preadmission, Preadmission.id == Companion.preadmission_id)
        .where(Preadmission.planned_on < day)
        .distinct()
        .limit(500)
    ).all()
