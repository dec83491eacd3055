"""The steps of the file name who signs: a signature waits for each of them, and no longer for those named before."""

from dataclasses import dataclass
from uuid import uuid4

from portal import db
from portal.db import session
from services.preadmission import queries
from services.preadmission.answers import Answers, Holders, Situation, Trust
from services.preadmission.companions import queries as companion_queries
from services.preadmission.companions import states
from services.preadmission.companions.actions import traces
from services.preadmission.companions.models import Companion
from services.preadmission.models import Preadmission

OPERATED = frozenset({"day_case", "inpatient"})
"""Kinds of stay that may be for an operation."""


@dataclass(frozen=True)
class Named:
    """Somebody as the patient described them. on_paper: signs a sheet rather than here."""

    first_name: str
    family_name: str
    link: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    on_paper: bool = False


def follow_holders(preadmission: Preadmission, answers: Answers) -> None:
    """Both holders, the only one, or who stands in for them: those whose authorisation an operation needs."""
    assert isinstance(answers, Holders), "it follows the step of the holders"
    situation = queries.answers_of(preadmission.id).get("situation")
    authority: str = situation.authority if isinstance(situation, Situation) else ""
    if preadmission.stay_kind not in OPERATED:
        authority = "none"
    for rank, named in enumerate(_holders(authority, answers), 1):
        keep(preadmission, "holder", rank, named)


def _holders(authority: str, answers: Holders) -> tuple[Named | None, Named | None]:
    if authority == "none":
        return None, None
    if authority == "third":
        # A service or a guardian signs where it is found: the hospital calls, and looks at the decision.
        return Named("", answers.third_party, answers.third_kind, answers.third_phone, on_paper=True), None
    first = Named("", answers.first_name)
    if authority == "sole":
        return first, None
    second = Named(
        answers.second_first_name,
        answers.second_name,
        phone=answers.second_phone,
        email=answers.second_email,
        on_paper=answers.signing == "paper",
    )
    return first, second


def follow_trust(preadmission: Preadmission, answers: Answers) -> None:
    """The person of trust, when one is named for this stay."""
    assert isinstance(answers, Trust), "it follows the step of the person of trust"
    named = None
    if answers.wanted == "yes":
        named = Named(
            answers.first_name,
            answers.name,
            answers.link,
            answers.phone,
            answers.email,
            answers.address,
            answers.signing == "paper",
        )
    keep(preadmission, "trust", 1, named)


def keep(preadmission: Preadmission, role: str, rank: int, named: Named | None) -> None:
    """Wait for the signature of this person and of nobody else in this rank."""
    former = companion_queries.standing_one(preadmission.id, role, rank)
    if former is not None:
        traces.lock(former)
        if named is not None and _is_same(former, named):
            _correct(former, named)
            return
        traces.move(former, "withdrawn")
        former.link_digest = None
        session.flush()
    if named is not None and (named.first_name or named.family_name):
        _name(preadmission, role, rank, named)


def _is_same(former: Companion, named: Named) -> bool:
    return (former.first_name, former.family_name) == (named.first_name, named.family_name)


def _correct(companion: Companion, named: Named) -> None:
    """The same person, reached otherwise: the link that went to another address is good no more."""
    if companion.email != named.email:
        companion.link_digest = None
    companion.link, companion.phone, companion.email = named.link, named.phone, named.email
    companion.address = named.address
    if named.on_paper and "on_paper" in states.TRANSITIONS[companion.state]:
        traces.move(companion, "on_paper")
        companion.link_digest = None
    session.flush()


def _name(preadmission: Preadmission, role: str, rank: int, named: Named) -> None:
    made = Companion(
        id=uuid4(),
        preadmission_id=preadmission.id,
        establishment_id=preadmission.establishment_id,
        patient_id=preadmission.patient_id,
        role=role,
        rank=rank,
        state="",
        first_name=named.first_name,
        family_name=named.family_name,
        link=named.link,
        phone=named.phone,
        email=named.email,
        address=named.address,
        link_number=0,
    )
    first = states.change(made, "named", db.current_actor())
    session.add(made)
    session.flush()
    session.add(first)
    traces.record("companion.named", made)
    session.flush()
    if named.on_paper:
        traces.move(made, "on_paper")
