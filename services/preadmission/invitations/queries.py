"""Which invitations there are, and whom the portal knows already."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import joinedload

from auth.enrolment.models import Link
from auth.mandates import queries as mandates
from auth.models import Patient, PatientRecord
from portal import db
from portal.db import session
from portal.establishments import Unit, today_at
from services.preadmission.invitations.models import StayInvitation, StayInvitationChange
from services.preadmission.models import Preadmission

PAGE_SIZE = 50
CODE_LIFE: Final = timedelta(days=60)
GROUPS: Mapping[str, tuple[str, ...]] = {
    "waiting": ("waiting", "expired"),
    "sent": ("sent",),
    "reached": ("told", "opened"),
    "over": ("withdrawn", "cancelled"),
}
"""How the list is divided: nobody was reached yet, a code is on its way, the file is in their space, it is over."""
_TODAY_THERE = today_at(StayInvitation.establishment_id)
_PLACE = (joinedload(StayInvitation.unit), joinedload(StayInvitation.establishment))


@dataclass(frozen=True)
class InvitationList:
    """One page, and how many each group holds. secret: the files, of these invitations', whose patient asked that
    nobody be told."""

    invitations: Sequence[StayInvitation]
    states: Mapping[UUID, str]
    secret: frozenset[UUID]
    counts: Mapping[str, int]
    has_more: bool


def at(
    establishment_ids: frozenset[UUID], group: str = "waiting", words: str = "", page: int = 1
) -> InvitationList:  # fmt: skip
    """Invitations of these hospitals by day of the stay. group: of `GROUPS`, "" for all of them. words: the beginning
    of a birth name, or a visit number."""
    asked: list[ColumnElement[bool]] = [StayInvitation.establishment_id.in_(establishment_ids)]
    if words:
        start = words.strip().upper()
        # A secret stay is found by its number alone.
        is_secret = exists().where(Preadmission.id == StayInvitation.preadmission_id, Preadmission.confidential)
        asked.append(
            (func.upper(StayInvitation.birth_name).startswith(start, autoescape=True) & ~is_secret)
            | (StayInvitation.visit_number == words.strip())
        )
    found = session.scalars(
        select(StayInvitation)
        .options(*_PLACE)
        .where(*asked, *([StayInvitation.state.in_(GROUPS[group])] if group else []))
        .order_by(StayInvitation.planned_on, StayInvitation.birth_name, StayInvitation.id)
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    counted = select(StayInvitation.state, func.count()).where(*asked).group_by(StayInvitation.state)
    by_state: dict[str, int] = dict(session.execute(counted).all())
    counts = {name: sum(by_state.get(state, 0) for state in members) for name, members in GROUPS.items()}
    states, secret = _states_of(found)
    return InvitationList(found[:PAGE_SIZE], states, secret, counts, len(found) > PAGE_SIZE)


def _states_of(invitations: Sequence[StayInvitation]) -> tuple[Mapping[UUID, str], frozenset[UUID]]:
    """File → its state, for those that the hospital sees; and which of them are secret."""
    ids = [each.preadmission_id for each in invitations if each.preadmission_id]
    rows = session.execute(
        select(Preadmission.id, Preadmission.state, Preadmission.confidential).where(Preadmission.id.in_(ids))
    ).all()
    return {row.id: row.state for row in rows}, frozenset(row.id for row in rows if row.confidential)


def one_at(establishment_ids: frozenset[UUID], invitation_id: UUID) -> StayInvitation | None:
    return session.scalar(
        select(StayInvitation)
        .options(*_PLACE)
        .where(StayInvitation.id == invitation_id, StayInvitation.establishment_id.in_(establishment_ids))
    )


def history(invitation_id: UUID) -> Sequence[StayInvitationChange]:
    """Every change of one invitation, the latest first."""
    return session.scalars(
        select(StayInvitationChange)
        .where(StayInvitationChange.invitation_id == invitation_id)
        .order_by(StayInvitationChange.at.desc(), StayInvitationChange.id)
    ).all()


def of_visit(establishment_id: UUID, visit_number: str) -> StayInvitation | None:
    """The invitation of one visit of the hospital, locked; None when the number is not known yet."""
    if not visit_number:
        return None
    return session.scalar(
        select(StayInvitation)
        .where(StayInvitation.establishment_id == establishment_id, StayInvitation.visit_number == visit_number)
        .with_for_update(key_share=True)
    )


def of_file(preadmission_id: UUID) -> StayInvitation | None:
    return session.scalar(select(StayInvitation).where(StayInvitation.preadmission_id == preadmission_id).limit(1))


def of_code(digests: Collection[bytes], now: datetime) -> StayInvitation | None:
    """The invitation that this code opens, locked. As the system."""
    return session.scalar(
        select(StayInvitation)
        .where(StayInvitation.digest.in_(digests), StayInvitation.expires_at > now, StayInvitation.state == "sent")
        .with_for_update(key_share=True)
    )


def made_before(moment: datetime) -> int:
    """Codes that are good and were made before it. As the system."""
    good = StayInvitation.state == "sent", StayInvitation.expires_at > db.now()
    made = StayInvitation.expires_at < moment + CODE_LIFE
    return session.scalar(select(func.count()).select_from(StayInvitation).where(*good, made)) or 0


def to_print(establishment_ids: frozenset[UUID]) -> Sequence[StayInvitation]:
    """Nothing has left for these, and there is no address: letters."""
    return session.scalars(
        select(StayInvitation)
        .options(*_PLACE, joinedload(StayInvitation.unit).joinedload(Unit.site))
        .where(
            StayInvitation.establishment_id.in_(establishment_ids),
            StayInvitation.state == "waiting",
            StayInvitation.email == "",
        )
        .order_by(StayInvitation.planned_on, StayInvitation.birth_name)
        .limit(PAGE_SIZE)
    ).all()


def over(limit: int = 500) -> Sequence[UUID]:
    """Invitations that nobody answered and whose day has passed where the hospital is. As the system."""
    return session.scalars(
        select(StayInvitation.id)
        .where(
            StayInvitation.state.in_(("waiting", "sent")),
            StayInvitation.planned_on < _TODAY_THERE,
        )
        .limit(limit)
    ).all()


# -- whom the portal knows -----------------------------------------------------------------------------------------


def holder_of(invitation: StayInvitation) -> tuple[Patient | None, UUID | None]:
    """The patient whom this hospital knows by this number, and the account to tell: theirs, or a proxy's."""
    patient = _by_number(invitation.establishment_id, invitation.ipp)
    if patient is None or patient.deceased_on is not None:
        return None, None
    to_tell = mandates.accounts_to_tell(patient.id, "administrative")
    own = [each for each in to_tell if each.relation == "self"] or list(to_tell)
    return patient, own[0].account_id if own else None


def _by_number(establishment_id: UUID, ipp: str) -> Patient | None:
    if not ipp:
        return None
    linked = select(Link.patient_id).where(
        Link.establishment_id == establishment_id, Link.ipp == ipp, Link.undone_at.is_(None)
    )
    recorded = select(PatientRecord.patient_id).where(
        PatientRecord.establishment_id == establishment_id, PatientRecord.ipp == ipp
    )
    found = session.scalars(select(Patient).where(Patient.id.in_(linked) | Patient.id.in_(recorded))).all()
    return found[0] if len(found) == 1 else session.scalar(select(Patient).where(Patient.id.in_(linked)))


def begun_by_themselves(invitation: StayInvitation, patient_id: UUID) -> Preadmission | None:
    """A file that the person had begun for this very stay: they are not asked for a second one. As the system."""
    return session.scalar(
        select(Preadmission)
        .where(
            Preadmission.patient_id == patient_id,
            Preadmission.unit_id == invitation.unit_id,
            Preadmission.planned_on == invitation.planned_on,
            Preadmission.state.not_in(("cancelled_by_patient", "cancelled_by_hospital", "lapsed", "purged", "refused")),
        )
        .limit(1)
    )


def older_than(establishment_id: UUID, day: date, limit: int) -> Sequence[UUID]:
    """Invitations to stays before this day that still name somebody."""
    return session.scalars(
        select(StayInvitation.id)
        .where(
            StayInvitation.establishment_id == establishment_id,
            StayInvitation.planned_on < day,
            StayInvitation.birth_name != "",
        )
        .order_by(StayInvitation.planned_on)
        .limit(limit)
    ).all()
