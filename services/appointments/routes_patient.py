"""A patient's appointments: confirm, see, take to one's calendar, cancel."""

from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth import queries as people
from portal import db
from portal.web.repeated_posts import once
from portal.web.security import public_url
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
from services.appointments.models import Appointment
from services.appointments.queries import Choice
from services.appointments.slots import Slot

pages = guards.patients(
    Blueprint("my_appointments", __name__, url_prefix="/rendez-vous", template_folder="templates"), "appointments"
)


@pages.get("")
def mine() -> str:
    """My appointments and those of the people I act for."""
    to_come, over = queries.of_patients(_people())
    several = len(_people()) > 1
    return render_template("appointments/mine.html", to_come=to_come, over=over, several=several)


# -- confirming --------------------------------------------------------------------------------------------------


@pages.get("/confirmer")
def confirm() -> str | Response:
    """Everything about the slot, before the last click."""
    choice = _choice(request.args.get("reason", ""), request.args.get("slot", ""))
    if not choice.is_free:
        return _already_mine(choice) or _refused(choice, SlotTaken())
    held = held_forms.take()
    form = BookForm(formdata=held) if held else BookForm(reason=choice.reason.id, slot=choice.slot)
    form.patient_id.data = form.patient_id.data or str(guards.patient_id())
    return _confirmation(choice, form)


@pages.post("/confirmer")
@once
def book() -> Response | tuple[str, int]:
    form = BookForm()
    form.allowed = _people()
    if not form.validate():
        return _confirmation(_choice(form.reason.data, form.slot.data), form), 422
    patient_id, (reason_id, slot) = UUID(form.patient_id.data), _parsed(form.reason.data, form.slot.data)
    try:
        made = actions.book(patient_id, reason_id, slot)
    except NotBookable:
        abort(404)
    except (SlotTaken, PatientBusy, KnownPatientsOnly) as refusal:
        return _refused(_choice(form.reason.data, form.slot.data), refusal, patient_id)
    return redirect(url_for(".booked", appointment_id=made.id), 303)


def _parsed(reason_id: str | None, slot: str | None) -> tuple[UUID, Slot]:
    try:
        return UUID(reason_id or ""), Slot.parse(slot or "")
    except ValueError:
        abort(404)


def _choice(reason_id: str | None, slot: str | None) -> Choice:
    """What the address or the form asks for; 404 when it makes no sense."""
    return queries.choice(*_parsed(reason_id, slot)) or abort(404)


def _confirmation(choice: Choice, form: BookForm) -> str:
    may = _people()
    form.name({str(each.patient_id): each.patient.full_name for each in people.people() if each.patient_id in may})
    return render_template("appointments/confirm.html", form=form, choice=choice, reason=choice.reason)


def _already_mine(choice: Choice) -> Response | None:
    """Somebody who comes back after booking finds their appointment, not a slot that they lost to themselves."""
    own = queries.at_same_time(_people(), choice.at, choice.end_at)
    if own is None or own.session_id != choice.opened.id:
        return None
    return redirect(url_for(".show", appointment_id=own.id))


def _refused(choice: Choice, refusal: Exception, patient_id: UUID | None = None) -> Response:
    """409: what happened, and the nearest other times."""
    reason, why = choice.reason, type(refusal).__name__
    near = queries.nearest(reason, reason.window("web", db.now()), choice.at) if why != "KnownPatientsOnly" else ()
    several = len({each.practitioner for each in near}) > 1
    own = queries.at_same_time({patient_id}, choice.at, choice.end_at) if patient_id and why == "PatientBusy" else None
    if why == "PatientBusy" and own is None:
        why = "SlotTaken"  # by an appointment that is kept from those who act for the person: say nothing of it
    days = wording.picker(near, reason.unit.establishment.tz, with_names=several)
    page = render_template("appointments/refused.html", why=why, reason=reason, at=choice.at, own=own, days=days)
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
    url = public_url("my_appointments.show", appointment_id=appointment.id)
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
    return queries.one_of_patients(appointment_id, _people()) or abort(404)


def _people() -> frozenset[UUID]:
    """Oneself, and those whose appointments one may see to."""
    return db.current_actor().people("administrative")
