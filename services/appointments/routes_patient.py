"""A patient's appointments: keep a time, confirm, see, take to one's calendar, move, cancel."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms, sessions
from auth import queries as people
from portal import db
from portal.web import branding
from portal.web.repeated_posts import once
from portal.web.security import public_url
from services.appointments import actions, for_whom, ics, queries, times, wording
from services.appointments.actions import (
    AlreadyOver,
    HoldEnded,
    KnownPatientsOnly,
    NotBookable,
    NotTheAge,
    PatientBusy,
    ReferralOnly,
    SlotTaken,
    TooLateToCancel,
    TooManyAppointments,
)
from services.appointments.forms import BookForm, CancelForm, KeepForm, MoveForm, uuid_asked
from services.appointments.models import Appointment, Reason
from services.appointments.queries import Choice, Kept
from services.appointments.queries.appointments import PARTS
from services.appointments.reasons.queries import remote_link
from services.appointments.slots import Slot
from services.appointments.times import Address, Asker

pages = guards.patients(
    Blueprint("my_appointments", __name__, url_prefix="/rendez-vous", template_folder="templates"), "appointments"
)

_REFUSALS = (SlotTaken, PatientBusy, KnownPatientsOnly, ReferralOnly, TooManyAppointments, NotTheAge)
_WHOEVER_ASKS = ("KnownPatientsOnly", "ReferralOnly", "TooManyAppointments", "NotTheAge")
"""Facts about the person: another time would change nothing."""


@pages.get("")
def mine() -> str:
    """One person's appointments at every hospital of the group, and a way to those of the others."""
    person, others = _whose()
    part, page = request.args.get("show", ""), request.args.get("page", "")
    asked = int(page) if page.isascii() and page.isdecimal() and len(page) < 5 else 1
    return render_template(
        "appointments/mine.html",
        timeline=queries.timeline(person, part if part in PARTS else PARTS[0], asked),
        person=person,
        is_me=person == guards.patient_id(),
        others=others,
        counts=queries.others_to_come(others),
        kept=queries.kept(),
    )


def _whose() -> tuple[UUID, dict[UUID, str]]:
    """Whose appointments are shown, and the names of the others: nobody's under the band of somebody else."""
    me, current = guards.patient_id(), sessions.signed_in()
    if current is None or current.is_for_somebody_else:
        return me, {}
    names = {each.patient_id: each.patient.full_name for each in people.people() if each.patient_id in _people()}
    wanted = uuid_asked(request.args.get("person", ""))
    return (wanted if wanted in names else me), (names if len(names) > 1 else {})


# -- keeping a time, and booking it ------------------------------------------------------------------------------


@pages.post("/garder")
def keep() -> Response | tuple[str, int]:
    """Keep the chosen time for ten minutes: only a POST does."""
    address, form, whom = Address.read(request.form), KeepForm(), for_whom.asked(request.form.get("patient_id", ""))
    if not form.slot.data:
        chosen = address.arguments(**{"for": whom.patient_id, "continue": 1})
        return redirect(url_for("appointments.choose_slot", **chosen), 303)
    choice = _choice(address.reasons, form.slot.data)
    form.name(whom.people or {})
    if not form.validate() or whom.patient_id is None:
        return _chosen(choice, form), 422
    obstacle = _obstacle(choice, whom.patient_id)
    if obstacle is not None:
        return _already_mine(choice, [whom.patient_id]) or _refused(choice, obstacle, whom.patient_id)
    try:
        actions.hold(choice.reason.id, choice.slot)
    except NotBookable:
        abort(404)
    except SlotTaken as refusal:
        return _refused(choice, refusal, whom.patient_id)
    return redirect(_to_confirm(choice, whom.patient_id), 303)


@pages.get("/confirmer")
def confirm() -> str | Response | tuple[str, int]:
    """Everything about the time that is kept, before the last click; a time that is only chosen is not kept yet."""
    kept = queries.kept()
    if not request.args.get("slot"):
        return redirect(_to_go_on(kept) if kept else url_for("appointments.choose"))
    choice = _choice(Address.read(request.args).reasons, request.args["slot"])
    whom, held = for_whom.asked(request.args.get("for", "")), held_forms.take()
    if whom.patient_id is not None and kept is not None and kept.is_for(choice):
        return _confirmation(choice, kept, whom.patient_id, whom.name)
    if (own := _already_mine(choice, whom.people or {})) is not None:
        return own
    refusal: Exception | None = _obstacle(choice, whom.patient_id) if whom.patient_id else None
    if refusal is None and not choice.is_free and not (kept and kept.is_for(choice)):
        refusal = SlotTaken()
    if refusal is not None:
        return _refused(choice, refusal, whom.patient_id)
    form = KeepForm(formdata=held) if held else KeepForm()
    form.name(whom.people or {})
    form.patient_id.data = form.patient_id.data or str(whom.patient_id or guards.patient_id())
    return _chosen(choice, form)


@pages.post("/confirmer")
@once
def book() -> Response | tuple[str, int]:
    """Book what is kept, and nothing else."""
    form, whom = BookForm(), for_whom.asked(request.form.get("patient_id", ""))
    choice = _choice([uuid_asked(form.reason.data or "") or abort(404)], form.slot.data)
    form.name(whom.people or {})
    if not form.validate() or whom.patient_id is None:
        return _chosen(choice, KeepForm(formdata=request.form), form), 422
    kept = queries.kept()
    try:
        if kept is None or not kept.is_for(choice):
            raise HoldEnded
        made = actions.confirm(kept.hold.id, whom.patient_id)
    except NotBookable:
        abort(404)
    except HoldEnded as ended:
        refusal = ended if choice.is_free else SlotTaken()
        return _already_mine(choice, [whom.patient_id]) or _refused(choice, refusal, whom.patient_id)
    except _REFUSALS as refused:
        return _refused(choice, refused, whom.patient_id)
    return redirect(url_for(".booked", appointment_id=made.id), 303)


@pages.post("/rendre")
def give_back() -> Response:
    """Give back what was kept: somebody else may have it at once."""
    kept = queries.kept()
    if kept is None:
        return redirect(url_for("appointments.choose"), 303)
    reason_id = kept.hold.reason_id
    actions.give_up(kept.hold)
    flash(_("The time is free again for somebody else. Nothing was booked."), "info")
    return redirect(url_for("appointments.choose_slot", reason=reason_id), 303)


def _choice(reasons: Sequence[UUID], slot: str | None) -> Choice:
    """What the address or the form asks for; 404 when it makes no sense."""
    return queries.choice(reasons, _parsed(slot)) or abort(404)


def _parsed(slot: str | None) -> Slot:
    try:
        return Slot.parse(slot or "")
    except ValueError:
        abort(404)


def _to_go_on(kept: Kept) -> str:
    return url_for(".confirm", reason=kept.hold.reason_id, slot=kept.slot)


def _to_confirm(choice: Choice, patient_id: UUID) -> str:
    whom: dict[str, Any] = {"for": patient_id} if len(_people()) > 1 else {}
    return url_for(".confirm", reason=choice.reason.id, slot=choice.slot, **whom)


def _confirmation(choice: Choice, kept: Kept, patient_id: UUID, name: str) -> str:
    form = BookForm(formdata=None, reason=choice.reason.id, slot=choice.slot, patient_id=str(patient_id))
    return render_template(
        "appointments/confirm.html", form=form, choice=choice, reason=choice.reason, kept=kept, name=name
    )


def _chosen(choice: Choice, form: KeepForm, failed: BookForm | None = None) -> str:
    """A time that is chosen and not kept yet: after signing in, after the back button, in another tab."""
    if failed is not None:
        form.name({})
        form.patient_id.choices = failed.patient_id.choices
        form.validate()
    return render_template(
        "appointments/chosen.html", form=form, choice=choice, reason=choice.reason, other=queries.kept()
    )


# -- refusals ----------------------------------------------------------------------------------------------------


def _obstacle(choice: Choice, patient_id: UUID) -> Exception | None:
    """What stands in the way of this person, whoever is free: told before the time is kept."""
    refusal = queries.standings(patient_id, [choice.reason])[choice.reason.id].refusal
    if refusal is not None:
        return refusal()
    return PatientBusy() if queries.at_same_time([patient_id], choice.at, choice.end_at) else None


def _already_mine(choice: Choice, patients: Any) -> Response | None:
    """Somebody who comes back after booking finds their appointment, not a time that they lost to themselves."""
    own = queries.at_same_time(list(patients), choice.at, choice.end_at)
    if own is None or own.session_id != choice.opened.id or own.start_at != choice.at:
        return None
    return redirect(url_for(".show", appointment_id=own.id), 303)


def _refused(
    choice: Choice, refusal: Exception, patient_id: UUID | None = None, moved: Appointment | None = None
) -> Response:
    """409: what happened, what to do, and the nearest other times."""
    reason, why = choice.reason, type(refusal).__name__
    own = queries.at_same_time([patient_id], choice.at, choice.end_at) if patient_id and why == "PatientBusy" else None
    if why == "PatientBusy" and (own is None or own is moved):
        why = "SlotTaken"  # by an appointment that is kept from those who act for the person: say nothing of it
    page = render_template(
        "appointments/refused.html",
        why=why,
        reason=reason,
        choice=choice,
        own=own,
        days=_alternatives(reason, choice, patient_id, moved) if why not in _WHOEVER_ASKS else [],
        patient_id=patient_id,
        moved=moved,
        form=MoveForm(formdata=None) if moved else None,
    )
    return make_response(page, 409)


def _alternatives(
    reason: Reason, choice: Choice, patient_id: UUID | None, moved: Appointment | None
) -> list[dict[str, Any]]:
    window = reason.window("web", db.now())
    but = [moved.id] if moved else []
    busy = queries.busy(patient_id, window.earliest, window.latest, but) if patient_id else None
    near = queries.nearest(reason, window, choice.at, busy)
    return wording.offers(near, with_names=len({each.practitioner for each in near}) > 1, with_places=False)


# -- one appointment ---------------------------------------------------------------------------------------------


@pages.get("/<uuid:appointment_id>/confirme")
def booked(appointment_id: UUID) -> str:
    """The receipt: it is done, what to bring, how to come."""
    return render_template("appointments/booked.html", appointment=_mine(appointment_id))


@pages.get("/<uuid:appointment_id>")
def show(appointment_id: UUID) -> str:
    appointment = _mine(appointment_id)
    return render_template(
        "appointments/show.html",
        appointment=appointment,
        changes=queries.changes(appointment),
        video=remote_link(appointment),
    )


@pages.get("/<uuid:appointment_id>/rendez-vous.ics")
def calendar_file(appointment_id: UUID) -> Response:
    """The appointment for a calendar (RFC 5545)."""
    appointment = _mine(appointment_id)
    url = public_url("my_appointments.show", appointment_id=appointment.id)
    response = make_response(ics.calendar_file(appointment, queries.changes(appointment), url))
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="rendez-vous-{appointment.reference}.ics"'
    return response


@pages.get("/<uuid:appointment_id>/deplacer")
def choose_other_time(appointment_id: UUID) -> str | Response:
    """Free times for the same reason, to take instead."""
    appointment = _mine(appointment_id)
    if not appointment.is_to_come:
        return redirect(url_for(".show", appointment_id=appointment.id))
    return _other_times(appointment, MoveForm())


@pages.post("/<uuid:appointment_id>/deplacer")
@once
def move(appointment_id: UUID) -> Response | tuple[str, int]:
    appointment, form = _mine(appointment_id), MoveForm()
    if not form.validate():
        return _other_times(appointment, form), 422
    slot = _parsed(form.slot.data)
    try:
        actions.move(appointment, slot)
    except NotBookable:
        abort(404)
    except TooLateToCancel:
        return _other_times(appointment, form), 409
    except AlreadyOver:
        flash(_("This appointment was already cancelled, or is over."), "info")
    except (SlotTaken, PatientBusy) as refusal:
        return _refused(_choice([appointment.reason_id], form.slot.data), refusal, appointment.patient_id, appointment)
    else:
        flash(_("Your appointment is at its new time. The former one is free for somebody else."), "success")
    return redirect(url_for(".show", appointment_id=appointment.id), 303)


def _other_times(appointment: Appointment, form: MoveForm) -> str:
    reason = queries.online_reason(appointment.reason_id) if appointment.may_be_cancelled else None
    found = None
    if reason is not None:
        asker = Asker(appointment.patient_id, moved=appointment)
        where = {"appointment_id": appointment.id}
        found = times.shown(Address.read(request.args), [reason], [], asker, ".choose_other_time", **where)
    return render_template("appointments/move.html", appointment=appointment, form=form, times=found, reason=reason)


@pages.get("/<uuid:appointment_id>/annuler")
def ask_to_cancel(appointment_id: UUID) -> str | Response:
    appointment = _mine(appointment_id)
    if not appointment.is_to_come:
        return redirect(url_for(".show", appointment_id=appointment.id))
    held = held_forms.take()
    form = CancelForm(formdata=held) if held else CancelForm()
    return render_template("appointments/cancel.html", form=form, appointment=appointment)


@pages.post("/<uuid:appointment_id>/annuler")
def cancel(appointment_id: UUID) -> Response | tuple[str, int]:
    appointment, form = _mine(appointment_id), CancelForm()
    if not form.validate():
        return render_template("appointments/cancel.html", form=form, appointment=appointment), 422
    try:
        actions.cancel(appointment, form.why.data)
    except TooLateToCancel:
        return render_template("appointments/cancel.html", form=form, appointment=appointment), 409
    except AlreadyOver:
        flash(_("This appointment was already cancelled, or is over."), "info")
    else:
        flash(_("Your appointment is cancelled. Thank you: somebody else can have this time."), "success")
    return redirect(url_for(".show", appointment_id=appointment.id), 303)


def _mine(appointment_id: UUID) -> Appointment:
    return branding.of(queries.one_of_patients(appointment_id, _people()) or abort(404))


def _people() -> frozenset[UUID]:
    """Oneself, and those whose appointments one may see to."""
    return db.current_actor().people("administrative")
