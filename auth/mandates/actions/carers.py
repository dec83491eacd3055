"""An adult designates a carer: a code given by hand, used once, by the person it names."""

import hashlib
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.mandates import ages, changing, queries, states
from auth.mandates.actions.asking import MOST_REQUESTS
from auth.mandates.facts import CodeRefused, MeasureOver, NothingInScope, NotPossible, TooLong, TooManyRequests
from auth.mandates.models import Mandate
from auth.models import Patient, PatientRecord
from portal import db
from portal.db import session
from portal.establishments import Establishment

CODE_LIFE: Final = timedelta(days=7)
_CODE_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowel (no word by accident), no 0/O nor 1/I (read aloud, copied by hand)."""
_CODE_SIGNS: Final = 10
"""3e14 possibilities."""


@dataclass(frozen=True)
class Offer:
    """What a code opens, before it is accepted."""

    person_name: str
    scopes: tuple[str, ...]
    ends_on: date


def offer(patient_id: UUID, carer_name: str, scopes: Collection[str], ends_on: date) -> tuple[Mandate, str]:
    """An adult designates somebody by their family name; return the mandate and the code to give them, kept nowhere.

    Raises NotPossible (a minor, or for somebody else), NothingInScope, TooLong, MeasureOver, TooManyRequests.
    """
    actor = db.current_actor()
    person = session.get_one(Patient, patient_id)
    zone = _zone_of(patient_id)
    today = ages.today_in(zone, db.now())
    if patient_id in actor.proxied or ages.majority_on(person.birth_on) > today:
        raise NotPossible
    if sum(each.state == "offered" for each in queries.those_who_act_for(patient_id)) >= MOST_REQUESTS:
        raise TooManyRequests
    _check_carer_days(ends_on, today)
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_SIGNS))
    mandate = Mandate(
        id=uuid4(),
        kind="carer",
        state="offered",
        patient_id=patient_id,
        person_name=person.full_name,
        carer_name=carer_name.strip(),
        scopes=_wanted("carer", scopes),
        ends_on=ends_on,
        time_zone=zone,
        code_digest=_digest(code),
        code_expires_at=db.now() + CODE_LIFE,
    )
    session.add(mandate)
    session.flush()
    changing.note(mandate, "", "offered")
    return mandate, code


def offered(code: str) -> Offer:
    """What a code would open to the signed-in person. Raises CodeRefused, whatever the reason."""
    mandate = _find_offer(code)
    assert mandate.ends_on is not None, "an adult says until when"
    return Offer(mandate.person_name, tuple(mandate.scopes), mandate.ends_on)


def accept(code: str) -> UUID:
    """The carer uses their code, once; return the mandate's id. Raises CodeRefused."""
    mandate_id, actor = _find_offer(code).id, db.current_actor()
    with changing.as_system():
        mandate = session.get_one(Mandate, mandate_id, with_for_update={"key_share": True}, populate_existing=True)
        if mandate.state == "offered":
            mandate.account_id, mandate.proxy_name, mandate.code_digest = actor.account_id, actor.name, None
            mandate.starts_on = ages.today_in(mandate.time_zone, db.now())
    mandate = session.get_one(Mandate, mandate_id)
    changing.become(mandate, "active", "accepted")
    return mandate_id


def renew(mandate: Mandate, ends_on: date) -> None:
    """The adult lets their carer go on. Raises NotPossible, TooLong, MeasureOver."""
    if mandate.kind != "carer" or mandate.state != "active":
        raise NotPossible
    _check_carer_days(ends_on, ages.today_in(mandate.time_zone, db.now()))
    changing.become(mandate, "active", "renewed", facts={"ends_on": ends_on, "warned_at": None})


def _check_carer_days(ends_on: date, today: date) -> None:
    if ends_on > ages.a_year_from(today):
        raise TooLong
    if ends_on < today:
        raise MeasureOver


def _wanted(kind: str, scopes: Collection[str]) -> list[str]:
    if not (kept := [scope for scope in states.SCOPES_OF[kind] if scope in scopes]):
        raise NothingInScope
    return kept


def _find_offer(code: str) -> Mandate:
    """The offer that this code opens to this actor: one answer for every refusal."""
    own_names: set[str] = set()
    with changing.as_system() as account_id:
        mandate = session.scalar(
            select(Mandate).where(Mandate.code_digest == _digest(code), Mandate.state == "offered")
        )
        if mandate is not None:
            session.expunge(mandate)
        own = changing.own_patient(account_id)
        if own is not None:
            own_names = {_letters(own.birth_name), _letters(own.used_name)} - {""}
    if (
        mandate is None
        or own is None
        or mandate.code_expires_at is None
        or mandate.code_expires_at < db.now()
        or mandate.patient_id == own.id
        or _letters(mandate.carer_name) not in own_names
    ):
        raise CodeRefused
    return mandate


def _zone_of(patient_id: UUID) -> str:
    """Where the person is cared for: the time zone of the first hospital that knew them."""
    known = (
        select(Establishment.time_zone)
        .join(PatientRecord, PatientRecord.establishment_id == Establishment.id)
        .where(PatientRecord.patient_id == patient_id)
        .order_by(PatientRecord.created_at)
        .limit(1)
    )
    return session.scalar(known) or "Europe/Paris"


def _digest(code: str) -> bytes:
    """A code as it is typed: spaces, dashes and lower case do not matter."""
    typed = "".join(sign for sign in code.upper() if sign.isalnum())
    return hashlib.sha256(typed.encode()).digest()


def _letters(name: str) -> str:
    """A family name without accents, case, spaces or hyphens."""
    plain = unicodedata.normalize("NFKD", name).upper()
    return "".join(sign for sign in plain if sign.isalpha())
