"""One week of one hospital as the rules of unusual accesses look at it, read from the audit. As the system."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from auth.identity import traits
from auth.models import Account, EmergencyAccess, Patient, StaffRight
from auth.oversight import ties
from auth.oversight.rules import Opened, Person, Week
from auth.support.models import SupportSession
from portal.db import session
from portal.establishments import Establishment

TIED_WITHIN = timedelta(days=183)
_BEFORE = timedelta(weeks=4)

# An access is an event of an agent, about a patient, by which something of the file is seen; what an emergency opened
# is judged apart. Night: 20:00 to 7:00 on the hospital's clock.
_ACCESSES = (
    " from audit_event e where e.at >= :since and e.at < :until and e.establishment_id = :place"
    " and e.patient_id is not null and e.actor like 'staff:%' and e.object_kind <> 'emergency_access'"
    " and e.action ~ '(opened|downloaded|looked|revealed|read)$' and e.action <> 'journal.opened'"
)
_OUTSIDE = (
    "count(*) filter (where extract(isodow from e.at at time zone :zone) >= 6"
    " or extract(hour from e.at at time zone :zone) >= 20 or extract(hour from e.at at time zone :zone) < 7)"
)
_OPENED = text(f"select substring(e.actor from 7), e.patient_id, count(*), {_OUTSIDE}{_ACCESSES} group by 1, 2")
_USUAL = text(f"select substring(e.actor from 7), {_OUTSIDE}, count(*){_ACCESSES} group by 1")


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def gathered(hospital: Establishment, first: date) -> Week:
    """The week that begins on this Monday, on the hospital's clock."""
    since, until = _midnight(hospital, first), _midnight(hospital, first + timedelta(days=7))
    opened = _opened(hospital, since, until)
    return Week(
        first=first,
        opened=opened,
        roles=_roles(hospital.id),
        colleagues=_colleagues(hospital.id),
        patients=_patients({each.patient_id for each in opened}),
        tied=frozenset(ties.tied(hospital.id, since - TIED_WITHIN, until + TIED_WITHIN)),
        discreet=frozenset(ties.discreet(hospital.id, since - TIED_WITHIN, until + TIED_WITHIN)),
        before=_before(hospital, since),
        emergencies=_emergencies(hospital.id, since, until),
        alone=_alone(hospital.id, since, until),
    )


def _midnight(hospital: Establishment, day: date) -> datetime:
    return datetime.combine(day, time(), hospital.tz)


def _bounds(hospital: Establishment, since: datetime, until: datetime) -> dict[str, Any]:
    return {"place": hospital.id, "since": since, "until": until, "zone": hospital.time_zone}


def _opened(hospital: Establishment, since: datetime, until: datetime) -> tuple[Opened, ...]:
    rows = session.execute(_OPENED, _bounds(hospital, since, until))
    return tuple(Opened(UUID(account), patient, times, outside) for account, patient, times, outside in rows)


def _before(hospital: Establishment, since: datetime) -> dict[UUID, tuple[int, int]]:
    rows = session.execute(_USUAL, _bounds(hospital, since - _BEFORE, since))
    return {UUID(account): (outside, times) for account, outside, times in rows}


def _roles(establishment_id: UUID) -> dict[UUID, frozenset[str]]:
    query = select(StaffRight.account_id, StaffRight.right).where(StaffRight.establishment_id == establishment_id)
    found: dict[UUID, set[str]] = {}
    for account_id, right in session.execute(query):
        found.setdefault(account_id, set()).add(right)
    return {account_id: frozenset(rights) for account_id, rights in found.items()}


def _colleagues(establishment_id: UUID) -> dict[UUID, Person]:
    holds = select(StaffRight.account_id).where(StaffRight.establishment_id == establishment_id)
    query = select(Account.id, Account.name, Account.email).where(Account.id.in_(holds))
    return {account_id: _agent(name, email) for account_id, name, email in session.execute(query)}


def _agent(name: str, email: str) -> Person:
    words = [traits.key(word) for word in name.split()]
    return Person(frozenset(filter(None, words)), words[0] if words else "", email.strip().lower())


def _patients(ids: Iterable[UUID]) -> dict[UUID, Person]:
    columns = (
        Patient.id,
        Patient.birth_name,
        Patient.used_name,
        Patient.first_names,
        Patient.email,
        Patient.deceased_on,
    )
    wanted, found = sorted(ids), {}
    for start in range(0, len(wanted), 5000):
        rows = session.execute(select(*columns).where(Patient.id.in_(wanted[start : start + 5000])))
        for patient_id, birth_name, used_name, first_names, email, deceased_on in rows:
            names = frozenset(filter(None, (traits.key(birth_name), traits.key(used_name))))
            found[patient_id] = Person(names, traits.first_key(first_names), email.strip().lower(), deceased_on)
    return found


def _emergencies(establishment_id: UUID, since: datetime, until: datetime) -> dict[UUID, int]:
    query = select(EmergencyAccess.account_id).where(
        EmergencyAccess.establishment_id == establishment_id,
        EmergencyAccess.opened_at >= since,
        EmergencyAccess.opened_at < until,
    )
    found: dict[UUID, int] = {}
    for account_id in session.scalars(query):
        found[account_id] = found.get(account_id, 0) + 1
    return found


def _alone(establishment_id: UUID, since: datetime, until: datetime) -> dict[UUID, frozenset[UUID]]:
    """Screens seen by support without the person."""
    query = select(SupportSession.account_id, SupportSession.patient_id).where(
        SupportSession.establishment_id == establishment_id,
        SupportSession.alone_kind != "",
        SupportSession.opened_at >= since,
        SupportSession.opened_at < until,
    )
    found: dict[UUID, set[UUID]] = {}
    for account_id, patient_id in session.execute(query):
        found.setdefault(account_id, set()).add(patient_id)
    return {account_id: frozenset(patients) for account_id, patients in found.items()}
