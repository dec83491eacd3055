"""What agents do to agendas: publish a template, open or close one day, announce an absence and end it, call patients.

One hand at a time changes the agendas of a hospital, so that no absence misses a session that is being opened.
Bookings do not wait for it, but for the few sessions that change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from portal import audit, db, kpi
from portal.db import session
from portal.establishments import Establishment
from services.appointments.agendas import clashes, plans, sessions
from services.appointments.agendas.models import (
    Absence,
    CallToMake,
    SchoolHoliday,
    SessionTemplate,
    TemplateDay,
    TemplateReason,
)
from services.appointments.agendas.plans import Plan
from services.appointments.agendas.rules import Rule
from services.appointments.models import Appointment, ConsultationSession


class AlreadyEnded(Exception):
    """This absence is over."""


class NothingTaken(Exception):
    """A template takes one reason at least."""


@dataclass(frozen=True)
class Draft:
    """A template as an agent wants it. reasons: reason → at most how many of it in a session (None: all that fit)."""

    practitioner_id: UUID
    unit_id: UUID
    rule: Rule
    reasons: Mapping[UUID, int | None]
    room_id: UUID | None = None


# -- templates ---------------------------------------------------------------------------------------------------


def publish(establishment: Establishment, draft: Draft, template: SessionTemplate | None = None) -> tuple[UUID, Plan]:
    """Let agendas follow a new template, or a template be as wanted from now on; gives what became of its sessions.

    A template keeps its practitioner and its unit: copy it for others. Raises AlreadyReceives, RoomTaken,
    NothingTaken.
    """
    if not draft.reasons:
        raise NothingTaken
    _one_hand(establishment.id)
    verb = "changed" if template else "published"
    if template:
        session.expire(template)  # somebody else's hand may have changed it while we waited for our turn
    template = template or _add(establishment.id, draft)
    template.follow(draft.rule)
    template.room_id = draft.room_id
    _take_reasons(template, draft.reasons)
    session.flush()
    plan = _apply([template], establishment, offers=True)
    _audit("session_template", verb, establishment.id, template.id)
    return template.id, plan


def _add(establishment_id: UUID, draft: Draft) -> SessionTemplate:
    template = SessionTemplate(
        id=uuid4(), establishment_id=establishment_id, practitioner_id=draft.practitioner_id, unit_id=draft.unit_id
    )
    session.add(template)
    return template


def _take_reasons(template: SessionTemplate, wanted: Mapping[UUID, int | None]) -> None:
    kept = {each.reason_id: each for each in template.reasons}
    for reason_id in kept.keys() - wanted.keys():
        session.delete(kept[reason_id])
    for reason_id, most in wanted.items():
        if reason_id in kept:
            kept[reason_id].most = most
        else:
            session.add(
                TemplateReason(
                    template_id=template.id, reason_id=reason_id, establishment_id=template.establishment_id, most=most
                )
            )
    session.flush()
    session.expire(template, ["reasons"])


def stop(establishment: Establishment, template: SessionTemplate, last_on: date) -> Plan:
    """End a template after a day; its patients of later days are stranded."""
    _one_hand(establishment.id)
    template.last_on = last_on
    session.flush()
    plan = _apply([template], establishment)
    _audit("session_template", "stopped", establishment.id, template.id)
    return plan


def set_day(
    establishment: Establishment,
    template: SessionTemplate,
    day: date,
    *,
    is_open: bool,
    opens: time | None = None,
    closes: time | None = None,
) -> Plan:
    """Open or close a template on one day, at other hours if given; its rule stays as it is.

    Raises AlreadyReceives, RoomTaken.
    """
    _one_hand(establishment.id)
    values = {"is_open": is_open, "opens": opens, "closes": closes}
    row = {"id": uuid4(), "establishment_id": establishment.id, "template_id": template.id, "day": day}
    adding = insert(TemplateDay).values(row | values)
    session.execute(adding.on_conflict_do_update(index_elements=["template_id", "day"], set_=values).inline())
    return _apply_day(establishment, template, "day_set")


def forget_day(establishment: Establishment, template: SessionTemplate, day: date) -> Plan:
    """Let a day follow the rule again. Raises AlreadyReceives, RoomTaken."""
    _one_hand(establishment.id)
    session.execute(delete(TemplateDay).where(TemplateDay.template_id == template.id, TemplateDay.day == day))
    return _apply_day(establishment, template, "day_forgotten")


def _apply_day(establishment: Establishment, template: SessionTemplate, verb: str) -> Plan:
    session.expire(template, ["days"])
    plan = _apply([template], establishment)
    _audit("session_template", verb, establishment.id, template.id)
    return plan


def open_ahead(establishment: Establishment, templates: Sequence[SessionTemplate]) -> Plan:
    """Open what the calendar brings within reach, thirteen months ahead. Twice is once."""
    _one_hand(establishment.id)
    return _apply(templates, establishment, refuses=False)


def _apply(
    templates: Sequence[SessionTemplate], establishment: Establishment, *, offers: bool = False, refuses: bool = True
) -> Plan:
    plan = plans.of_templates(templates, establishment)
    if offers or plan.changed or plan.gone:
        sessions.hold_still(_to_come([each.id for each in templates]))
        plan = plans.of_templates(templates, establishment)  # as they are, now that nobody books in them
    if not refuses:
        clashes.leave_taken_rooms(plan)
    sessions.carry_out(plan, offers=offers)
    if refuses:
        clashes.check_practitioners(plan)
    if refuses and any(each.room_id for each in templates):
        clashes.check_rooms([each.id for each in templates])
    _count_time(establishment.id, plan)
    return plan


def _to_come(templates: Sequence[UUID]) -> Sequence[UUID]:
    query = select(ConsultationSession.id).where(
        ConsultationSession.template_id.in_(templates), ConsultationSession.start_at > db.now()
    )
    return session.scalars(query).all()


def _count_time(establishment_id: UUID, plan: Plan) -> None:
    minutes = sum(row["step_min"] * int(row["open"]).bit_count() for row in plan.new)
    if minutes:
        kpi.count("session_time_opened", establishment_id=establishment_id, quantity=minutes)


# -- absences ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Away:
    """Whose time closes (a practitioner, a unit or a room), from when until when, and why."""

    start_at: datetime
    end_at: datetime
    why: str
    practitioner_id: UUID | None = None
    unit_id: UUID | None = None
    room_id: UUID | None = None


def announce(establishment_id: UUID, away: Away, *, source_reference: str | None = None) -> UUID:
    """Close the time of whoever is away: nobody books it any more, and its patients are stranded, never cancelled.

    source_reference: what the hospital's own agenda calls it; the same one again changes the absence it made.
    """
    _one_hand(establishment_id)
    former = _imported(establishment_id, source_reference) if source_reference else None
    absence = former or Absence(
        id=uuid4(),
        establishment_id=establishment_id,
        source_reference=source_reference,
        by_name=db.current_actor().name,
    )
    before = [_about(former)] if former else []
    for name in ("start_at", "end_at", "why", "practitioner_id", "unit_id", "room_id"):
        setattr(absence, name, getattr(away, name))
    session.add(absence)
    session.flush()
    _recount(establishment_id, [*before, away])
    _audit("absence", "changed" if former else "announced", establishment_id, absence.id)
    return absence.id


def end(absence: Absence, at: datetime) -> None:
    """End an absence sooner, at a moment: the time that follows is open again, at once. Raises AlreadyEnded."""
    _one_hand(absence.establishment_id)
    query = select(Absence).where(Absence.id == absence.id).execution_options(populate_existing=True)
    found = session.scalar(query.with_for_update(key_share=True))
    if found is None or found.end_at <= db.now():
        raise AlreadyEnded
    before = _about(absence)
    if at > absence.start_at:
        absence.end_at = min(at, absence.end_at)
    else:
        session.delete(absence)
    session.flush()
    _recount(absence.establishment_id, [before])
    _audit("absence", "ended", absence.establishment_id, absence.id)


def _imported(establishment_id: UUID, source_reference: str) -> Absence | None:
    return session.scalar(
        select(Absence).where(
            Absence.establishment_id == establishment_id, Absence.source_reference == source_reference
        )
    )


def _about(absence: Absence) -> Away:
    return Away(
        absence.start_at,
        absence.end_at,
        absence.why,
        absence.practitioner_id,
        absence.unit_id,
        absence.room_id,
    )


def _recount(establishment_id: UUID, aways: Sequence[Away]) -> None:
    """Open again what no absence closes, close what one does, in the sessions these concern."""
    table, now = ConsultationSession, db.now()
    concerned = select(table.id).where(
        table.establishment_id == establishment_id,
        table.start_at > now - timedelta(hours=15),
        or_(*(_meets(each) for each in aways)),
    )
    ids = session.scalars(concerned).all()
    if not ids:
        return
    sessions.hold_still(ids)
    rows = session.execute(
        select(
            table.id, table.practitioner_id, table.unit_id, table.room_id, table.start_at, table.step_min,
            table.n_cells, table.planned, table.open,
        ).where(table.id.in_(ids))
    ).all()  # fmt: skip
    # What is over stays as it was: an absence told afterwards changes nothing of it.
    since = min(each.start_at for each in aways) - timedelta(hours=15)
    sessions.reopen(list(plans.recount(rows, plans.Absences(establishment_id, since))))


def _meets(away: Away) -> ColumnElement[bool]:
    table = ConsultationSession
    whose = (
        table.practitioner_id == away.practitioner_id
        if away.practitioner_id
        else table.unit_id == away.unit_id
        if away.unit_id
        else table.room_id == away.room_id
    )
    return and_(whose, table.start_at < away.end_at, table.start_at > away.start_at - timedelta(hours=15))


# -- school holidays ---------------------------------------------------------------------------------------------


def add_school_holiday(zone: str, name: str, first_on: date, last_on: date) -> None:
    """Days without school in a zone, both included; the same first day again corrects them."""
    values = {"name": name, "last_on": last_on}
    adding = insert(SchoolHoliday).values({"id": uuid4(), "zone": zone, "first_on": first_on} | values)
    session.execute(adding.on_conflict_do_update(index_elements=["zone", "first_on"], set_=values).inline())


# -- calls -------------------------------------------------------------------------------------------------------


def to_call(appointment: Appointment) -> None:
    """Put a patient on the list of those to call; once."""
    adding = insert(CallToMake).values(
        id=uuid4(),
        establishment_id=appointment.establishment_id,
        appointment_id=appointment.id,
        state="to_call",
        tries=0,
        by_name="",
        created_at=db.now(),
    )
    session.execute(adding.on_conflict_do_nothing(index_elements=["appointment_id"]).inline())
    _audit_call(appointment, "listed")


def tried(call: CallToMake, state: str) -> None:
    """Somebody called. state: one of models.CALLS but `to_call`."""
    session.execute(
        update(CallToMake)
        .where(CallToMake.id == call.id)
        .values(state=state, tries=CallToMake.tries + 1, tried_at=db.now(), by_name=db.current_actor().name)
    )
    _audit_call(call.appointment, state)


def _audit_call(appointment: Appointment, verb: str) -> None:
    audit.record(
        f"call_to_patient.{verb}",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )


def open_list(establishment_id: UUID) -> None:
    """An agent opens the list of stranded patients or of calls: names and numbers are shown, so the audit knows."""
    audit.record("stranded_list.opened", establishment_id=establishment_id, object_kind="establishment",
                 object_id=establishment_id)  # fmt: skip


# ----------------------------------------------------------------------------------------------------------------


def _one_hand(establishment_id: UUID) -> None:
    key = func.hashtextextended(f"agendas {establishment_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(key)))


def _audit(kind: str, verb: str, establishment_id: UUID, object_id: UUID) -> None:
    audit.record(f"{kind}.{verb}", establishment_id=establishment_id, object_kind=kind, object_id=object_id)
