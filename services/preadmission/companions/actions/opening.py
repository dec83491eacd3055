"""Somebody follows a link, signed in as themselves: the link is spent, and they see what they are asked to sign.

Whoever comes in under another name than the one given sees nothing before an agent has said that it is them.
"""

from uuid import UUID

from sqlalchemy import select

from auth.guests.secrets import digest
from auth.identity import traits
from auth.mandates import ages
from auth.models import Patient
from portal import calendar, db
from portal.db import session
from services.preadmission.asked import ADULT
from services.preadmission.companions.actions import composing, traces
from services.preadmission.companions.actions.facts import ForOneself, LinkDead, SameSigner, TooYoung
from services.preadmission.companions.models import OVER, Companion


def claim(token: str, own_id: UUID | None) -> Companion:
    """Spend the link for the account that acts. own_id: the patient they are themselves, None when nobody knows.

    Raises LinkDead; ForOneself, SameSigner, TooYoung, and then the link stays good for whom it was sent to.
    """
    account_id = db.current_actor().account_id
    refused: Exception | None = None
    matches = False
    with traces.as_system():
        found = _held(token)
        person = session.get(Patient, own_id) if own_id else None
        if found is None or account_id is None:
            refused = LinkDead()
        elif (refused := _objection(found, account_id, person)) is None:
            matches = person is not None and is_same(found, person)
            found.account_id, found.link_digest = account_id, None
            found.signer_name = person.full_name if person else ""
            found.words = composing.compose(found)
            session.flush()
    if refused is not None:
        raise refused
    assert found is not None, "nothing was refused"
    traces.move(found, "opened" if matches else "to_check")
    return found


def is_same(companion: Companion, person: Patient) -> bool:
    """Whether the name that was given is this person's: birth name or name in use, and one of their first names;
    accents, case, hyphens and spaces do not count."""
    given = traits.key(companion.family_name)
    names = {traits.key(each) for each in (person.birth_name, person.used_name) if each}
    first = traits.key(companion.first_name)
    return given in names and (not first or first in {traits.key(each) for each in person.first_names})


def _held(token: str) -> Companion | None:
    """The companion of this link, held still: of two browsers that follow it at one moment, one comes in."""
    found = session.scalar(
        select(Companion)
        .where(Companion.link_digest == digest(token))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    is_good = found is not None and found.state == "invited" and (found.link_expires_at or db.now()) > db.now()
    return found if is_good else None


def _objection(found: Companion, account_id: UUID, person: Patient | None) -> Exception | None:
    if person is not None and person.id == found.patient_id:
        return ForOneself()
    others = session.scalars(
        select(Companion.account_id).where(
            Companion.preadmission_id == found.preadmission_id,
            Companion.role == found.role,
            Companion.id != found.id,
            Companion.state.not_in(OVER),
        )
    )
    if found.role == "holder" and account_id in set(others):
        return SameSigner()
    today = calendar.civil_day(db.now(), found.establishment.tz)
    if person is not None and ages.age_on(person.birth_on, today) < ADULT and found.role == "trust":
        return TooYoung()
    return None
