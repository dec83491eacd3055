"""A practitioner asks to be around somebody whom they describe: who is so, if anybody, decides.

What is typed is looked for by a job, whatever it is and always as long after: the practitioner's page, and the time it
takes, tell nothing. A name that two patients have is nobody's.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, update

from auth.identity.traits import key
from auth.models import Account, Patient, PatientAccess
from portal import audit, db, jobs
from portal.db import session
from portal.establishments import goes_on, today_in
from services.circle import mails, states, telling
from services.circle.actions.writing import Sharing, Somebody, known_as, move, new_member, write_change
from services.circle.models import CircleMember, CircleProposal

LIFE: Final = timedelta(days=30)


@dataclass(frozen=True, repr=False)
class Described:
    """A patient in a practitioner's words: the strict traits (RNIV)."""

    birth_name: str
    first_name: str
    birth_on: date
    sex: str


def propose(who: Somebody, role: str, why: str, told: Described) -> CircleProposal:
    """Ask to be in the circle of the person who is exactly so."""
    account_id = db.current_actor().account_id
    assert account_id is not None, "a practitioner is signed in"
    proposal = CircleProposal(
        id=uuid4(),
        account_id=account_id,
        identity=who.identity,
        name=who.name,
        occupation=who.occupation,
        place=who.place,
        role=role,
        why=why.strip(),
        birth_name=told.birth_name.strip().upper(),
        first_name=told.first_name.strip(),
        birth_on=told.birth_on,
        sex=told.sex,
        created_at=db.now(),
        expires_at=db.now() + LIFE,
    )
    session.add(proposal)
    session.flush()
    audit.record("circle.proposed", object_kind="circle_proposal", object_id=proposal.id)
    jobs.enqueue("circle.look_for", proposal_id=str(proposal.id))
    return proposal


def withdraw(proposal: CircleProposal) -> None:
    """The practitioner no longer asks; it is not shown to anybody any more."""
    proposal.withdrawn_at = db.now()
    session.flush()
    audit.record("circle.proposal_withdrawn", object_kind="circle_proposal", object_id=proposal.id)
    jobs.enqueue("circle.look_for", proposal_id=str(proposal.id))


def look_for(proposal: CircleProposal) -> None:
    """As the system: show the proposal to the one patient who is so, or take it back from them."""
    if proposal.withdrawn_at is not None:
        _take_back(proposal.id)
    elif proposal.looked_at is None:
        proposal.looked_at = db.now()
        found = _matching(proposal)
        if len(found) == 1 and known_as(found[0].id, proposal.identity) is None:
            before = _asked_lately(found[0].id, proposal.identity)
            if states.REFUSED not in before:
                _show(proposal, found[0], is_news=not before)
    session.flush()


def _matching(proposal: CircleProposal) -> list[Patient]:
    """Living patients with an account who are exactly so; two at most are needed to know that it is nobody's."""
    live = (
        select(PatientAccess.patient_id)
        .join(Account, Account.id == PatientAccess.account_id)
        .where(
            PatientAccess.patient_id == Patient.id,
            PatientAccess.revoked_at.is_(None),
            goes_on(PatientAccess.ends_on, today_in(PatientAccess.time_zone)),
            Account.closed_at.is_(None),
        )
    )
    query = select(Patient).where(
        Patient.name_key == key(proposal.birth_name),
        Patient.first_key == key(proposal.first_name),
        Patient.birth_on == proposal.birth_on,
        Patient.sex == proposal.sex,
        Patient.deceased_on.is_(None),
        live.exists(),
    )
    return list(session.scalars(query.limit(2)))


def _asked_lately(patient_id: UUID, identity: str) -> set[str]:
    """What became of what they asked this patient in the last month: who was refused does not ask again at once, and
    who asks, takes it back and asks again fills nobody's mailbox."""
    query = select(CircleMember.state).where(
        CircleMember.patient_id == patient_id,
        CircleMember.identity == identity,
        CircleMember.origin == "practitioner",
        CircleMember.created_at > db.now() - LIFE,
    )
    return set(session.scalars(query))


def _show(proposal: CircleProposal, patient: Patient, *, is_news: bool) -> None:
    who = Somebody(proposal.identity, proposal.name, proposal.occupation, proposal.place)
    member = new_member(patient, who, proposal.role, states.TEAM, states.ASKED, "practitioner", Sharing())
    member.why, member.proposal_id = proposal.why, proposal.id
    session.add(member)
    write_change(member, "asked", "")
    if is_news:
        telling.tell_patient(patient.id, mails.ASKED)


def _take_back(proposal_id: UUID) -> None:
    asked = session.scalars(
        select(CircleMember).where(CircleMember.proposal_id == proposal_id, CircleMember.state == states.ASKED)
    )
    for member in asked:
        move(member, states.ENDED, "asked_no_more")


def lapse() -> int:
    """As the system: proposals that nobody answered in a month are forgotten, and what they asked is closed."""
    over = session.scalars(select(CircleProposal).where(CircleProposal.expires_at <= db.now()).limit(500)).all()
    for proposal in over:
        _take_back(proposal.id)
        session.execute(
            update(CircleMember).where(CircleMember.proposal_id == proposal.id).values(proposal_id=None),
            execution_options={"synchronize_session": False},
        )
        audit.record("circle.proposal_lapsed", object_kind="circle_proposal", object_id=proposal.id)
        session.delete(proposal)
    session.flush()
    return len(over)
