"""A patient's appointments: confirm, see, take to one's calendar, cancel."""

from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth import queries as people
from portal import db
from portal.web.repeated_posts import once
from services.appointments import actions, ics, queries, wording
from services.appointments.actions import (
    AlreadyOver,
    KnownPatientsOnly,
    NotBookable,
    PatientBusy,
    SlotTaken,
    TooLateToCancel,
)
from services.appointments.forms import BookForm, CancelForm
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.slots import Slot

pages = guards.patients(Blueprint("my_appointments", __name__, url_prefix="/rendez-vous", template_folder="templates"))


@pages.get("")
def mine() -> str:
    """My appointments and those of the people I act for."""
    to_come, over = queries.of_patients(db.current_actor().patients)
    several = len(db.current_actor().patients) > 1
    return render_template("appointments/mine.html", to_come=to_come, over=over, several=several)


# -- confirming --------------------------------------------------------------------------------------------------


@pages.get("/confirmer")
def confirm() -> str | Response:
    """Everything about the slot, before the last click."""
    reason, slot, opened = _wanted(request.args.get("reason", ""), request.args.get("slot", ""))
    if not queries.is_free(reason, opened, slot, reason.window("web", db.now())):
        return _already_mine(opened, slot) or _refused(reason, opened, slot, "taken")
    held = held_forms.take()
    form = _book_form(BookForm(formdata=held) if held else BookForm(reason=reason.id, slot=slot))
    return render_template(
        "appointments/confirm.html", form=form, reason=reason, opened=opened, at=opened.at(slot.first_cell)
    )


@pages.post("/confirmer")
@once
def book() -> Response | tuple[str, int]:
    form = _book_form(BookForm())
    reason, slot, opened = _wanted(form.reason.data or "", form.slot.data or "")
    if not form.validate():
        return render_template(
            "appointments/confirm.html", form=form, reason=reason, opened=opened, at=opened.at(slot.first_cell)
        ), 422
    try:
        made = actions.book(UUID(form.patient_id.data), reason.id, slot)
    except SlotTaken:
        return _refused(reason, opened, slot, "taken")
    except PatientBusy:
        return _refused(reason, opened, slot, "busy", UUID(form.patient_id.data))
    except KnownPatientsOnly:
        return _refused(reason, opened, slot, "known_only")
    except NotBookable:
        abort(404)
    return redirect(url_for(".booked", appointment_id=made.id), 303)


def _wanted(reason_id: str, slot_text: str) -> tuple[Reason, Slot, ConsultationSession]:
    """What the address asks for; 404 when it makes no sense."""
    try:
        reason, slot = queries.online_reason(UUID(reason_id)), Slot.parse(slot_text)
    except ValueError:
        abort(404)
    opened = queries.session_of(slot, reason.id) if reason else None
    if reason is None or opened is None:
        abort(404)
    return reason, slot, opened


def _book_form(form: BookForm) -> BookForm:
    form.offer({str(each.patient_id): each.patient.full_name for each in people.people()})
    if not form.is_submitted() and not form.patient_id.data:
        form.patient_id.data = str(guards.patient_id())
    return form


def _already_mine(opened: ConsultationSession, slot: Slot) -> Response | None:
    """Somebody who comes back after booking finds their appointment, not a slot that they lost to themselves."""
    own = queries.at_same_time(db.current_actor().patients, opened.at(slot.first_cell), opened.at(slot.first_cell + 1))
    if own is None or own.session_id != opened.id:
        return None
    return redirect(url_for(".show", appointment_id=own.id))


def _refused(
    reason: Reason, opened: ConsultationSession, slot: Slot, why: str, patient_id: UUID | None = None
) -> Response:
    """409: what happened, and the nearest other times. why: taken | busy | known_only."""
    wanted = opened.at(slot.first_cell)
    near = queries.nearest(reason, reason.window("web", db.now()), wanted) if why != "known_only" else ()
    several = len({each.practitioner for each in near}) > 1
    own = queries.at_same_time({patient_id}, wanted, opened.at(slot.first_cell + 1)) if patient_id else None
    page = render_template(
        "appointments/refused.html",
        why=why,
        reason=reason,
        at=wanted,
        own=own,
        days=wording.picker(near, reason.unit.establishment.tz, with_names=several),
    )
    return make_response(page, 409)


# -- one appointment ---------------------------------------------------------------------------------------------


@pages.get("/<uuid:appointment_id>/confirme")
def booked(appointment_id: UUID) -> str:
    """The receipt: it is done, what to bring, how to come."""
    return render_template("appointments/booked.html", appointment=_mine(appointment_id))


@pages.get("/<uuid:appointment_id>")
def show(appointment_id: UUID) -> str:
    appointment = _mine(appointment_id)
    return render_template("appointments/show.html", appointment=appointment, changes=queries.changes(appointment))


@pages.get("/<uuid:appointment_id>/rendez-vous.ics")
def calendar_file(appointment_id: UUID) -> Response:
    """The appointment for a calendar (RFC 5545)."""
    appointment = _mine(appointment_id)
    url = url_for(".show", appointment_id=appointment.id, _external=True)
    response = make_response(ics.calendar_file(appointment, queries.changes(appointment), url))
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="rendez-vous-{appointment.reference}.ics"'
    return response


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
    return queries.one_of_patients(appointment_id, db.current_actor().patients) or abort(404)
