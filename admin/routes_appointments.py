"""The staff's side of appointments: the day of a unit, an appointment taken on the phone, a cancellation."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms, records
from auth.agents import queries as agent_units
from auth.models import Patient
from portal import db, establishments
from portal.establishments import Establishment, Unit
from portal.web.repeated_posts import once
from services.appointments import actions, queries, wording
from services.appointments.actions import AlreadyOver, NotBookable, PatientBusy, SlotTaken
from services.appointments.forms import (
    CancelForPatientForm,
    FindPatientForm,
    NewPatientForm,
    PhoneBookingForm,
    day_asked,
)
from services.appointments.models import Appointment, Reason
from services.appointments.slots import Slot

pages = guards.staff(
    Blueprint("admin_appointments", __name__, url_prefix="/admin/rendez-vous", template_folder="templates"),
    right="appointments",
)


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


# -- the day of a unit -------------------------------------------------------------------------------------------


@pages.get("")
def day() -> str:
    """Who is expected in a unit on a day (today in the hospital's calendar when none is asked for)."""
    units = queries.units_at(_here())
    unit = _asked_unit(units)
    if unit is None:
        return render_template("admin/appointments/no_unit.html")
    shown = day_asked(request.args.get("day", "")) or db.now().astimezone(unit.establishment.tz).date()
    expected = queries.of_day(unit, shown)
    actions.open_day(unit, shown)
    return render_template(
        "admin/appointments/day.html",
        units=units,
        unit=unit,
        day=shown,
        expected=expected,
        numbers=queries.numbers(expected),
        before=shown - timedelta(days=1),
        after=shown + timedelta(days=1),
    )


def _asked_unit(units: Sequence[Unit]) -> Unit | None:
    """The unit of the address, else the first one where the agent works; 404 for a unit of another hospital."""
    if "unit" not in request.args:
        mine = agent_units.my_units()
        return next((unit for unit in units if unit.id in mine), units[0] if units else None)
    return next((unit for unit in units if str(unit.id) == request.args["unit"]), None) or abort(404)


# -- one appointment ---------------------------------------------------------------------------------------------


@pages.get("/<uuid:appointment_id>")
def show(appointment_id: UUID) -> str:
    appointment = _one(appointment_id)
    actions.open_appointment(appointment)
    return _appointment_page(appointment, CancelForPatientForm())


@pages.post("/<uuid:appointment_id>/annuler")
def cancel(appointment_id: UUID) -> Response | tuple[str, int]:
    appointment, form = _one(appointment_id), CancelForPatientForm()
    if not form.validate():
        return _appointment_page(appointment, form), 422
    try:
        actions.cancel_for_patient(appointment, form.why.data)
    except AlreadyOver:
        flash(_("This appointment was already cancelled, or is over."), "info")
    else:
        flash(_("The appointment is cancelled and the patient is told by mail, if we have an address."), "success")
    return redirect(url_for(".show", appointment_id=appointment.id), 303)


def _appointment_page(appointment: Appointment, form: CancelForPatientForm) -> str:
    return render_template(
        "admin/appointments/show.html",
        appointment=appointment,
        form=form,
        number=queries.numbers([appointment]).get(appointment.patient_id, ""),
        changes=queries.changes(appointment),
    )


def _one(appointment_id: UUID) -> Appointment:
    return queries.one_at(appointment_id, _here()) or abort(404)


# -- somebody on the phone: who ----------------------------------------------------------------------------------


@pages.route("/nouveau", methods=["GET", "POST"])
def find_patient() -> str | tuple[str, int]:
    """Find the person on the phone. A post, so that names stay out of addresses and logs."""
    hospitals = _hospitals()
    form = _find_form(hospitals)
    if request.method == "GET":
        return render_template("admin/appointments/find_patient.html", form=form, found=None)
    if not form.validate():
        return render_template("admin/appointments/find_patient.html", form=form, found=None), 422
    establishment_id = UUID(form.establishment.data)
    found = queries.find_patients(
        establishment_id,
        ipp=(form.ipp.data or "").strip(),
        birth_name=form.birth_name.data or "",
        birth_on=form.birth_on.data,
    )
    return render_template(
        "admin/appointments/find_patient.html", form=form, found=found, establishment_id=establishment_id
    )


def _hospitals() -> list[Establishment]:
    return [each for each in establishments.establishments() if each.id in _here()]


def _find_form(hospitals: Sequence[Establishment]) -> FindPatientForm:
    held = held_forms.take()
    form = FindPatientForm(formdata=held) if held else FindPatientForm()
    form.offer({str(each.id): each.name for each in hospitals})
    return form


@pages.get("/nouveau/patient")
def new_patient() -> str:
    held = held_forms.take()
    form = NewPatientForm(formdata=held) if held else NewPatientForm(MultiDict(), establishment=_hospital_asked())
    return render_template("admin/appointments/new_patient.html", form=form)


@pages.post("/nouveau/patient")
@once
def register_patient() -> Response | tuple[str, int]:
    """Register a person the hospital does not know, then choose their time."""
    form = NewPatientForm()
    establishment_id = _establishment(form.establishment.data or "")
    if not form.validate():
        return render_template("admin/appointments/new_patient.html", form=form), 422
    patient = records.register_patient(
        establishment_id,
        birth_name=form.birth_name.data or "",
        first_name=form.first_name.data or "",
        birth_on=form.birth_on.data,
        sex=form.sex.data,
        mobile=(form.mobile.data or "").strip(),
        email=(form.email.data or "").strip(),
    )
    return redirect(url_for(".choose_time", patient_id=patient.id, establishment=establishment_id), 303)


def _hospital_asked() -> str:
    return str(_establishment(request.args.get("establishment", "")))


def _establishment(text: str) -> UUID:
    """A hospital where the agent takes appointments; 404 otherwise."""
    return next((each for each in _here() if str(each) == text), None) or abort(404)


# -- somebody on the phone: when ---------------------------------------------------------------------------------


@pages.get("/nouveau/<uuid:patient_id>")
def choose_time(patient_id: UUID) -> str:
    """Free times for a reason, next ones first, for a known patient."""
    return _time_page(_patient(patient_id), PhoneBookingForm(MultiDict()))


@pages.post("/nouveau/<uuid:patient_id>")
@once
def book(patient_id: UUID) -> Response | tuple[str, int]:
    patient, form = _patient(patient_id), PhoneBookingForm()
    reason = _reason_asked(queries.reasons_at(_here())) or abort(404)
    if not form.validate():
        return _time_page(patient, form), 422
    try:
        made = actions.book_by_phone(patient.id, reason.id, Slot.parse(form.slot.data or ""))
    except (ValueError, NotBookable):
        abort(404)
    except SlotTaken:
        form.slot.errors = [_("This time has just been taken: choose another one")]
    except PatientBusy:
        form.slot.errors = [_("The patient already has an appointment at that time: choose another one")]
    else:
        flash(_("The appointment is booked."), "success")
        return redirect(url_for(".show", appointment_id=made.id), 303)
    return _time_page(patient, form), 409


def _time_page(patient: Patient, form: PhoneBookingForm) -> str:
    reasons = queries.reasons_at(_here())
    reason = _reason_asked(reasons)
    page = _free_times(reason) if reason else None
    return render_template(
        "admin/appointments/choose_time.html",
        patient=patient,
        form=form,
        reasons=reasons,
        reason=reason,
        days=_picker(reason, page) if reason and page else [],
        next_day=page.next_day if page else None,
    )


def _free_times(reason: Reason) -> queries.SlotPage:
    today = db.now().astimezone(reason.unit.establishment.tz).date()
    first_day = max(day_asked(request.args.get("from", "")) or today, today)
    return queries.open_slots(reason, reason.window("phone", db.now()), first_day)


def _picker(reason: Reason, page: queries.SlotPage) -> list[dict[str, object]]:
    found = [slot for day in page.days.values() for slot in day]
    several = len({slot.practitioner for slot in found}) > 1
    return wording.picker(found, reason.unit.establishment.tz, with_names=several)


def _reason_asked(reasons: Sequence[Reason]) -> Reason | None:
    return next((each for each in reasons if str(each.id) == request.args.get("reason", "")), None)


def _patient(patient_id: UUID) -> Patient:
    return queries.known_patient(patient_id, _here()) or abort(404)
