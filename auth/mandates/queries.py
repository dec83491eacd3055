"""What pages and rooms ask about mandates."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import joinedload

from auth.mandates import states
from auth.mandates.models import Mandate, MandateChange
from auth.models import Account, Patient, PatientAccess, PatientRecord
from portal import db
from portal.db import session
from portal.establishments import today_in

PAGE_SIZE = 50
_ACTING_FOR = text("select * from accounts_acting_for(:person)")
_TODAY_THERE = today_in(Mandate.time_zone)
"""The civil day of the place that checked."""


@dataclass(frozen=True)
class Recipient:
    """An account that acts for a person today, themselves included (relation `self`). is_sole: alone in authority."""

    account_id: UUID
    name: str
    email: str
    locale: str
    relation: str
    scopes: frozenset[str]
    is_sole: bool


def acting_for(patient_id: UUID) -> Sequence[Recipient]:
    """Every account that acts for this person today, their own first. Whoever asks: agents and jobs write to them."""
    rows = session.execute(_ACTING_FOR, {"person": patient_id})
    return [Recipient(r.account_id, r.name, r.email, r.locale, r.relation, frozenset(r.scopes), r.sole) for r in rows]


def accounts_to_tell(patient_id: UUID, scope: str, *, masked: bool = False) -> Sequence[Recipient]:
    """Whom to write to about something of this person in this matter; of what is masked, the person alone hears."""
    return [each for each in acting_for(patient_id) if each.relation == "self" or (scope in each.scopes and not masked)]


@dataclass(frozen=True)
class Address:
    """Where to write to somebody about a person."""

    email: str
    locale: str = ""
    account_id: UUID | None = None


def address_for(
    patient_id: UUID, scope: str, *, masked: bool, account_id: UUID | None, email: str = ""
) -> Address | None:
    """Where news of this person goes: to the account that acted (at `email` if they gave one) while it still may be
    told, else to the person's own account, else to the address a hospital was given for somebody without account.

    Of what is masked, to the person's own account or to nobody: an address on paper may be a parent's.
    """
    to_tell = accounts_to_tell(patient_id, scope, masked=masked)
    for each in to_tell:
        if each.account_id == account_id and (email or each.email):
            return Address(email or each.email, each.locale, each.account_id)
    for each in to_tell:
        if each.relation == "self" and each.email:
            return Address(each.email, each.locale, each.account_id)
    return Address(email) if account_id is None and email and not masked else None


def no_longer_told(account_id: UUID | None, patient_id: UUID | None) -> bool:
    """Whether a patient's account has lost its right to hear of this person since a message to it was written."""
    account = session.get(Account, account_id) if account_id and patient_id else None
    if account is None or patient_id is None or account.audience != "patient":
        return False
    return account_id not in {each.account_id for each in acting_for(patient_id)}


# -- both holders --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Holder:
    """A holder of parental authority who may sign in. is_sole: a proof says that nobody shares it."""

    account_id: UUID
    name: str
    is_sole: bool


def needs_both(act: str) -> bool:
    """Whether every holder of parental authority must agree to this act for a minor (`states.NEEDS_BOTH`).

    An act that nobody listed does: better one signature too many. C. civ. 372 and 372-2.
    """
    return states.NEEDS_BOTH.get(act, True)


def holders(patient_id: UUID) -> Sequence[Holder]:
    """Those who hold parental authority over a minor and act for them on the portal today."""
    return [
        Holder(each.account_id, each.name, each.is_sole) for each in acting_for(patient_id) if each.relation == "parent"
    ]


def signatures_missing(patient_id: UUID, act: str, agreed: Collection[UUID]) -> int:
    """How many holders must still agree to an act; `agreed`: accounts of those who did.

    Two for an act that needs both, the second one unknown here included (they sign on paper then), unless a proof
    of sole authority was checked.
    """
    found = holders(patient_id)
    needed = 2 if needs_both(act) and not any(each.is_sole for each in found) else 1
    return max(0, needed - len({each.account_id for each in found} & set(agreed)))


# -- my account ----------------------------------------------------------------------------------------------------


def those_i_act_for() -> Sequence[Mandate]:
    """My mandates in force, the first to end first. An access that a hospital gave without one is not among them."""
    return session.scalars(
        _mine().where(Mandate.state == "active").order_by(Mandate.ends_on, Mandate.person_name)
    ).all()


def my_requests() -> Sequence[Mandate]:
    """What I asked for and nobody has answered."""
    return session.scalars(_mine().where(Mandate.state == "requested").order_by(Mandate.asked_at)).all()


def my_past() -> Sequence[Mandate]:
    """My mandates that are over, the last one first."""
    return session.scalars(_mine().where(Mandate.state.in_(states.OVER)).order_by(Mandate.changed_at.desc())).all()


def just_over() -> Sequence[Mandate]:
    """Those of my mandates that ended by themselves, and that nothing has replaced: say so, and what to bring."""
    newer = select(PatientAccess.patient_id).where(
        PatientAccess.account_id == db.current_actor().account_id,
        PatientAccess.patient_id.in_(db.current_actor().patients),
    )
    ended = or_(Mandate.state == "expired", (Mandate.state == "active") & (Mandate.ends_on < _TODAY_THERE))
    return session.scalars(
        _mine().where(ended, Mandate.kind.in_(("guardian", "curator")), Mandate.patient_id.not_in(newer))
    ).all()


def _mine() -> Select[Mandate]:
    query = select(Mandate).options(joinedload(Mandate.establishment))
    return query.where(Mandate.account_id == db.current_actor().account_id)


def those_who_act_for(patient_id: UUID) -> Sequence[Mandate]:
    """Who acts, or holds a code to act, for the person who asks; row-level security shows it to them alone."""
    return session.scalars(
        select(Mandate)
        .options(joinedload(Mandate.establishment))
        .where(Mandate.patient_id == patient_id, Mandate.state.in_(("active", "offered")))
        .order_by(Mandate.state, Mandate.ends_on)
    ).all()


def past_of(patient_id: UUID) -> Sequence[Mandate]:
    """Who acted for the person who asks, the last one first."""
    return session.scalars(
        select(Mandate)
        .where(Mandate.patient_id == patient_id, Mandate.state.in_(states.OVER))
        .order_by(Mandate.changed_at.desc())
    ).all()


def one_of_mine(mandate_id: UUID, own_id: UUID | None) -> Mandate | None:
    """A mandate with which I act, or with which somebody acts for me."""
    mine = or_(Mandate.account_id == db.current_actor().account_id, Mandate.patient_id == own_id)
    return session.scalar(
        select(Mandate)
        .options(joinedload(Mandate.establishment), joinedload(Mandate.proof_file))
        .where(Mandate.id == mandate_id, mine)
    )


def over_for(patient_id: UUID) -> Mandate | None:
    """My last mandate for this person, whatever became of it."""
    return session.scalar(_mine().where(Mandate.patient_id == patient_id).order_by(Mandate.changed_at.desc()).limit(1))


def changes(mandate: Mandate) -> Sequence[MandateChange]:
    return session.scalars(
        select(MandateChange).where(MandateChange.mandate_id == mandate.id).order_by(MandateChange.at)
    ).all()


# -- the identity unit ---------------------------------------------------------------------------------------------

GROUPS = {
    "requested": ("requested",),
    "active": ("active",),
    "over": ("refused", "withdrawn", "ended", "expired", "revoked", "given_up"),
}


def at(establishments: Collection[UUID], group: str, page: int = 1) -> Sequence[Mandate]:
    """The mandates that these hospitals check or checked; requests: the oldest first. One more than a page tells that
    there is another page."""
    order = Mandate.asked_at if group == "requested" else Mandate.changed_at.desc()
    return session.scalars(
        select(Mandate)
        .options(joinedload(Mandate.establishment))
        .where(Mandate.establishment_id.in_(establishments), Mandate.state.in_(GROUPS[group]))
        .order_by(order, Mandate.id)
        .limit(PAGE_SIZE + 1)
        .offset((page - 1) * PAGE_SIZE)
    ).all()


def waiting_at(establishments: Collection[UUID]) -> int:
    """How many requests wait for an agent."""
    query = select(func.count()).where(Mandate.establishment_id.in_(establishments), Mandate.state == "requested")
    return session.scalar(query) or 0


def one_at(mandate_id: UUID, establishments: Collection[UUID]) -> Mandate | None:
    return session.scalar(
        select(Mandate)
        .options(joinedload(Mandate.establishment), joinedload(Mandate.proof_file), joinedload(Mandate.patient))
        .where(Mandate.id == mandate_id, Mandate.establishment_id.in_(establishments))
    )


def candidates(establishment_id: UUID, birth_name: str, birth_on: date | None) -> Sequence[tuple[Patient, str | None]]:
    """Patients of one hospital born that day, or whose birth name begins so; with their IPP there. For an agent, who
    compares; nobody else learns whether there is one."""
    wanted = [Patient.birth_on == birth_on] if birth_on else []
    if len(name := birth_name.strip()) >= 2:
        wanted.append(func.upper(Patient.birth_name).startswith(name.upper(), autoescape=True))
    if not wanted:
        return []
    rows = session.execute(
        select(Patient, PatientRecord.ipp)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .where(PatientRecord.establishment_id == establishment_id, or_(*wanted))
        .order_by((Patient.birth_on == birth_on).desc(), Patient.birth_name, Patient.birth_on)
        .limit(20)
    )
    return [(patient, ipp) for patient, ipp in rows]


# -- jobs ----------------------------------------------------------------------------------------------------------


def over_now() -> Sequence[UUID]:
    """Mandates whose last day is over and that nobody has closed."""
    return session.scalars(
        select(Mandate.id).where(Mandate.state == "active", Mandate.ends_on < _TODAY_THERE).limit(500)
    ).all()


def codes_over() -> Sequence[UUID]:
    """Codes that nobody used in time."""
    return session.scalars(
        select(Mandate.id).where(Mandate.state == "offered", Mandate.code_expires_at < db.now()).limit(500)
    ).all()


def ending_soon(days: int) -> Sequence[UUID]:
    """Mandates that end within so many days, and of which nobody was warned."""
    return session.scalars(
        select(Mandate.id).where(
            Mandate.state == "active",
            Mandate.warned_at.is_(None),
            Mandate.ends_on >= _TODAY_THERE,
            Mandate.ends_on < _TODAY_THERE + days + 1,
        )
    ).all()


def children_born_by(day: date) -> Sequence[UUID]:
    """Parents' mandates for children born on that day or before, of whom no parent was told that they may sign in."""
    return session.scalars(
        select(Mandate.id)
        .join(Patient, Patient.id == Mandate.patient_id)
        .where(Mandate.kind == "parent", Mandate.state == "active", Mandate.prompted_at.is_(None))
        .where(Patient.birth_on <= day)
    ).all()
