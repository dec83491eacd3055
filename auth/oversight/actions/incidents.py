"""The register of incidents: opened with what is known, completed step by step, closed when those who must know do."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from auth.oversight.models import IncidentStep, SecurityIncident
from portal import audit, db
from portal.db import session
from portal.establishments import Establishment


class AlreadyClosed(Exception):
    """Nothing is written any more about this incident."""


class StillOpen(Exception):
    """The CNIL was neither told nor said not to be concerned; or people at high risk were not told."""


@dataclass(frozen=True)
class Report:
    """What is known of an incident. people: how many are touched, None while nobody knows. Texts name nobody."""

    kind: str
    title: str
    facts: str
    detected_at: datetime
    risk: str
    people: int | None = None


def open_incident(hospital: Establishment, report: Report) -> SecurityIncident:
    """Write an incident into the register of a hospital, with its number there."""
    # One number each: two officers who open one at the same moment go one after the other.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"parvis.incident.{hospital.id}"))))
    last = select(func.coalesce(func.max(SecurityIncident.number), 0)).where(
        SecurityIncident.establishment_id == hospital.id
    )
    incident = SecurityIncident(establishment_id=hospital.id, number=(session.scalar(last) or 0) + 1, **_words(report))
    session.add(incident)
    session.flush()
    _step(incident, "opened", "")
    _record("incident.opened", incident, kind=report.kind)
    return incident


def revise(incident: SecurityIncident, report: Report) -> None:
    """Write what is known now; what was known before stays in the steps. Raises AlreadyClosed."""
    _check_open(incident)
    latter = _words(report)
    former = {name: getattr(incident, name) for name in latter}
    for name, value in latter.items():
        setattr(incident, name, value)
    session.flush()
    # The 72 hours are counted from the moment: moving it leaves a trace, as everything does.
    changed = [name for name, value in latter.items() if former[name] != value]
    _step(
        incident, "revised", ", ".join(f"{name}: {_plain(former[name])} → {_plain(latter[name])}" for name in changed)
    )
    _record("incident.revised", incident)


def add_step(incident: SecurityIncident, kind: str, words: str) -> None:
    """Write what was done: `note`, `authority` (the CNIL was told), `not_authority` (why not), `cert` (ARS and CERT
    Santé), `people` (those concerned). Raises AlreadyClosed."""
    _check_open(incident)
    moment = db.now()
    if kind == "authority":
        incident.authority_told_at = moment
    elif kind == "not_authority":
        incident.authority_why = words.strip()
    elif kind == "cert":
        incident.cert_told_at = moment
    elif kind == "people":
        incident.people_told_at = moment
    session.flush()
    _step(incident, kind, words.strip())
    _record("incident.followed", incident, step=kind)


def close_incident(incident: SecurityIncident, words: str) -> None:
    """Nothing more is to be done. Raises AlreadyClosed, StillOpen."""
    _check_open(incident)
    settled = incident.risk == "none" or incident.authority_told_at is not None or bool(incident.authority_why)
    if not settled or (incident.risk == "high" and incident.people_told_at is None):
        raise StillOpen
    incident.closed_at = db.now()
    session.flush()
    _step(incident, "closed", words.strip())
    _record("incident.closed", incident)


def _words(report: Report) -> dict[str, object]:
    return vars(report) | {"title": report.title.strip(), "facts": report.facts.strip()}


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat(timespec="minutes") if isinstance(value, datetime) else value


def _check_open(incident: SecurityIncident) -> None:
    held = select(SecurityIncident.closed_at).where(SecurityIncident.id == incident.id)
    if session.scalar(held.with_for_update(key_share=True)) is not None:
        raise AlreadyClosed


def _step(incident: SecurityIncident, kind: str, words: str) -> None:
    actor = db.current_actor()
    session.add(
        IncidentStep(
            incident_id=incident.id,
            establishment_id=incident.establishment_id,
            actor=actor.label,
            actor_name=actor.name,
            kind=kind,
            words=words,
        )
    )
    session.flush()


def _record(event: str, incident: SecurityIncident, **details: Any) -> None:
    audit.record(
        event,
        establishment_id=incident.establishment_id,
        object_kind="security_incident",
        object_id=incident.id,
        **details,
    )
