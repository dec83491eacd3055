"""Keeping one stay, appointment, letter or bill from those who act for the person (CSP L1111-5 for minors).

Row-level security hides a masked row from proxies, whatever asks for it: lists, counts, files, journal. Each room says
which of its rows can be masked, with which right an agent may, and which pages show one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for

from auth import sessions
from auth.mandates import ages, changing, queries
from auth.mandates.facts import NotPossible
from auth.models import Patient
from portal import audit, calendar, db
from portal.db import session


@dataclass(frozen=True)
class Maskable:
    """A kind of row. right: what an agent must hold where it belongs. page, desk: endpoints that show it to the person
    and to agents, each with the name of its parameter."""

    code: str
    model: Any
    right: str
    page: tuple[str, str]
    desk: tuple[str, str]


@dataclass(frozen=True)
class Box:
    """What a page shows: whether it is kept, and where to post the change."""

    masked: bool
    action: str
    by_staff: bool


_kinds: dict[str, Maskable] = {}


def offer(kind: Maskable) -> None:
    """Let rows of this kind be masked."""
    _kinds[kind.code] = kind


def kinds() -> Mapping[str, Maskable]:
    return _kinds


def box(code: str, row: Any) -> Box | None:
    """What the current actor may do about this row; None when nothing: the page then says nothing of it."""
    kind, actor = _kinds[code], db.current_actor()
    if row.patient_id is None:
        return None
    if actor.kind == "staff":
        if not actor.may(kind.right, row.establishment_id):
            return None
        return Box(row.masked, url_for("admin_masking.change", code=code, object_id=row.id), True)
    if not _may_alone(row.patient_id) or not (row.masked or _has_proxy(row.patient_id)):
        return None
    return Box(row.masked, url_for("masking.change", code=code, object_id=row.id), False)


def one(code: str, object_id: UUID) -> Any | None:
    """A row that the actor may mask: their own, or one of a hospital where they hold the right."""
    kind, actor = _kinds.get(code), db.current_actor()
    row = session.get(kind.model, object_id) if kind else None
    if kind is None or row is None or row.patient_id is None:
        return None
    allowed = actor.may(kind.right, row.establishment_id) if actor.kind == "staff" else _may_alone(row.patient_id)
    return row if allowed else None


def mask(code: str, row: Any, masked: bool) -> None:
    """Keep a row from proxies, or show it to them again. Raises NotPossible when it is not the actor's to decide."""
    actor, object_id = db.current_actor(), row.id
    if actor.kind != "staff" and not _may_alone(row.patient_id):
        raise NotPossible
    with changing.as_system():  # patients do not write what hospitals sent them
        session.get_one(_kinds[code].model, object_id, with_for_update={"key_share": True}).masked = masked
    audit.record(
        "object.masked" if masked else "object.unmasked",
        patient_id=row.patient_id,
        establishment_id=row.establishment_id,
        object_kind=code,
        object_id=object_id,
    )


def _may_alone(patient_id: UUID) -> bool:
    """The person in person, old enough: nobody decides for somebody else what is kept from whom."""
    current = sessions.signed_in()
    if current is None or current.own_id != patient_id or current.patient_id != patient_id:
        return False
    person = session.get(Patient, patient_id)
    today = calendar.civil_day(db.now(), calendar.GROUP_ZONE)
    return person is not None and ages.reaches(person.birth_on, ages.MAY_MASK) <= today


def _has_proxy(patient_id: UUID) -> bool:
    return any(each.relation != "self" for each in queries.acting_for(patient_id))
