"""Asking a hospital to check that one may act for a child or a protected adult."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from auth.mandates import ages, changing, queries, states
from auth.mandates.facts import MeasureOver, NotAMinor, TooManyRequests
from auth.mandates.models import Mandate
from portal import db, files
from portal.db import session
from portal.establishments import Establishment

MOST_REQUESTS: Final = 5
"""An account may have waiting: each one is read by an agent."""


@dataclass(frozen=True)
class Asked:
    """What somebody types of the person they ask to act for, and what proves it."""

    kind: str
    establishment_id: UUID
    birth_name: str
    first_names: str
    birth_on: date
    proof_kind: str
    proof_file_id: UUID
    judged_on: date | None = None
    ends_on: date | None = None


def request(asked: Asked) -> Mandate:
    """Ask a hospital to check that one may act for a child or a protected adult. Nothing is searched, and nothing
    tells whether the hospital knows them.

    Raises TooManyRequests, NotAMinor, MeasureOver, portal.files.FileNotReadable.
    """
    actor = db.current_actor()
    if len(queries.my_requests()) >= MOST_REQUESTS:
        raise TooManyRequests
    place = session.get_one(Establishment, asked.establishment_id)
    check_days(asked.kind, asked.birth_on, asked.ends_on, ages.today_in(place.time_zone, db.now()))
    files.attach(asked.proof_file_id, establishment_id=place.id, staff_right="identity")
    mandate = Mandate(
        id=uuid4(),
        kind=asked.kind,
        state="requested",
        account_id=actor.account_id,
        establishment_id=place.id,
        time_zone=place.time_zone,
        proxy_name=actor.name,
        asked_birth_name=asked.birth_name.strip(),
        asked_first_names=asked.first_names.strip(),
        asked_birth_on=asked.birth_on,
        asked_ends_on=asked.ends_on,
        judged_on=asked.judged_on,
        proof_kind=asked.proof_kind,
        proof_file_id=asked.proof_file_id,
        scopes=list(states.SCOPES_OF[asked.kind]),
    )
    session.add(mandate)
    session.flush()
    changing.note(mandate, "", "requested")
    return mandate


def withdraw(mandate: Mandate) -> None:
    """Whoever asked, or designated, no longer wants it. Raises TransitionRefused."""
    changing.become(mandate, "withdrawn", "withdrawn")


def check_days(kind: str, birth_on: date, ends_on: date | None, today: date) -> None:
    if kind == "parent":
        if ages.majority_on(birth_on) <= today:
            raise NotAMinor
    elif ends_on is not None and ends_on < today:
        raise MeasureOver
