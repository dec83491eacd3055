"""What the desk says of visits: who arrived, was called in, was seen, did not come; what is moved and cancelled."""

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.routes_appointments import Asked, asked, here, pages
from portal import calendar, db
from portal.web.repeated_posts import once
from services.appointments import actions, queries, states, wording
from services.appointments.actions import AlreadyOver, NotBookable, NotYet, PatientBusy, SlotTaken
from services.appointments.desk import patients
from services.appointments.desk import queries as desk
from services.appointments.desk import wording as desk_words
from services.appointments.desk.agenda import Agenda, Visit, gestures
from services.appointments.desk.forms import EndOfDayForm, MissForm, MoveForm
from services.appointments.desk.queries import Span
from services.appointments.forms import CancelForPatientForm, day_asked
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from services.appointments.states import NotAllowed

Page = str | tuple[str, int] | Response

GESTURES: Mapping[str, Callable[[Appointment], None]] = {
    "arrive": actions.arrive,
    "call_in": actions.call_in,
    "finish": actions.finish,
    "correct": actions.correct,
}


def one(appointment_id: UUID) -> Appointment:
    """404 for another hospital's."""
    return queries.one_at(appointment_id, here()) or abort(404)


# -- gestures of the day -----------------------------------------------------------------------------------------


@pages.post("/accueil")
def say() -> Response:
    """A button of the day's list: its name says what, its value of which visit. Back to where the agent was."""
    gesture = next((each for each in GESTURES if each in request.form), None) or abort(400)
    appointment = one(_uuid(request.form[gesture]))
    try:
        GESTURES[gesture](appointment)
    except (NotAllowed, AlreadyOver):
        flash(_told_otherwise(appointment), "warning")
    except NotYet:
        flash(_("It is too early: this visit is not for now."), "warning")
    if request.form.get("from") == "show":
        return redirect(url_for(".show", appointment_id=appointment.id), 303)
    back = asked() or abort(404)
    return redirect(back.address(_anchor=f"v-{appointment.id}"), 303)


def _told_otherwise(appointment: Appointment) -> str:
    """Somebody else was quicker: say what they said."""
    time = wording.hospital_time(appointment.start_at, appointment.tz)
    state = desk_words.CHANGES[appointment.state]
    return str(_("The visit at %(time)s had changed meanwhile: “%(state)s”. Nothing was written.", time=time,
                 state=state))  # fmt: skip


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        abort(404)


@pages.route("/<uuid:appointment_id>/absent", methods=["GET", "POST"])
def miss(appointment_id: UUID) -> Page:
    """The patient did not come: why, as far as the desk knows."""
    appointment, form = one(appointment_id), MissForm()
    if request.method == "GET" or not form.validate():
        page = render_template("admin/appointments/miss.html", appointment=appointment, form=form)
        return page, 422 if form.errors else 200
    try:
        actions.miss(appointment, form.why.data)
    except (NotAllowed, AlreadyOver):
        flash(_told_otherwise(appointment), "warning")
    except NotYet:
        flash(_("It is too early: this visit is not for now."), "warning")
    return redirect(_day_of(appointment), 303)


def _day_of(appointment: Appointment) -> str:
    day = calendar.civil_day(appointment.start_at, appointment.tz)
    return url_for(".day", unit=appointment.unit_id, day=day.isoformat(), _anchor=f"v-{appointment.id}")


# -- the end of the day ------------------------------------------------------------------------------------------


@pages.route("/fin-de-journee", methods=["GET", "POST"])
def end_day() -> Page:
    """Say at once what became of everybody of whom nobody said anything: names first, then the gesture."""
    wanted, form = asked() or abort(404), EndOfDayForm()
    if request.method == "POST" and form.validate():
        chosen = {_uuid(each) for each in form.visits.data or ()}
        said = actions.end_day(wanted.unit, chosen, form.state.data)
        flash(ngettext("%(num)d visit written down.", "%(num)d visits written down.", said), "success")
        if missing := len(chosen) - said:
            flash(_("%(count)d had changed meanwhile and stay as they are.", count=missing), "warning")
        return redirect(wanted.address(state=None, practitioner=None), 303)
    left = _unanswered(wanted)
    if request.method == "GET":
        actions.open_day(wanted.unit, wanted.day)
        form.visits.data = [str(visit.id) for _agenda, visit in left]
    page = render_template(
        "admin/appointments/end_day.html",
        asked=wanted,
        form=form,
        left=left,
        said=desk_words.Said(wanted.unit.establishment.tz),
    )
    return page, 422 if form.errors else 200


def _unanswered(wanted: Asked) -> list[tuple[Agenda, Visit]]:
    now = db.now()
    agendas = desk.agendas(Span(wanted.unit, wanted.day, wanted.day, wanted.practitioner_id))
    left = [(agenda, visit) for agenda in agendas for visit in agenda.visits if visit.is_unanswered(now)]
    return sorted(left, key=lambda each: each[1].at)


# -- one appointment ---------------------------------------------------------------------------------------------


@pages.get("/<uuid:appointment_id>")
def show(appointment_id: UUID) -> str:
    appointment = one(appointment_id)
    actions.open_appointment(appointment)
    return _appointment_page(appointment, CancelForPatientForm())


@pages.post("/<uuid:appointment_id>/annuler")
def cancel(appointment_id: UUID) -> Page:
    appointment, form = one(appointment_id), CancelForPatientForm()
    if not form.validate():
        return _appointment_page(appointment, form), 422
    try:
        actions.cancel_for_patient(appointment, form.why.data)
    except AlreadyOver:
        flash(_("This appointment was already cancelled, or is over."), "info")
    else:
        flash(_("The appointment is cancelled."), "success")
        _say_who_is_told(appointment)
    return redirect(url_for(".show", appointment_id=appointment.id), 303)


def _say_who_is_told(appointment: Appointment) -> None:
    if not patients.contact(appointment.patient, masked=appointment.masked).is_told:
        flash(_("We have no address: nobody is told by mail. Call the patient."), "warning")


def _appointment_page(appointment: Appointment, form: CancelForPatientForm) -> str:
    now = db.now()
    return render_template(
        "admin/appointments/show.html",
        appointment=appointment,
        form=form,
        number=queries.numbers([appointment]).get(appointment.patient_id, ""),
        changes=queries.changes(appointment),
        contact=patients.contact(appointment.patient, masked=appointment.masked),
        gestures=gestures(appointment.state, appointment.start_at, appointment.called_at, now),
        may_be_moved=appointment.state == states.BOOKED and now < appointment.start_at,
        step="called" if appointment.state == states.ARRIVED and appointment.called_at else appointment.state,
    )


# -- another time ------------------------------------------------------------------------------------------------


@pages.get("/<uuid:appointment_id>/deplacer")
def move(appointment_id: UUID) -> Page:
    """Free times for the same reason, and why it moves."""
    appointment = one(appointment_id)
    if appointment.state != states.BOOKED or db.now() >= appointment.start_at:
        flash(_told_otherwise(appointment), "warning")
        return redirect(url_for(".show", appointment_id=appointment.id), 303)
    return _move_page(appointment, MoveForm(MultiDict()))


@pages.post("/<uuid:appointment_id>/deplacer")
@once
def take_other_time(appointment_id: UUID) -> Page:
    appointment, form = one(appointment_id), MoveForm()
    if not form.validate():
        return _move_page(appointment, form), 422
    try:
        actions.move_for_patient(appointment, Slot.parse(form.slot.data or ""), form.why.data)
    except (ValueError, NotBookable):
        abort(404)
    except AlreadyOver:
        flash(_told_otherwise(appointment), "warning")
    except SlotTaken:
        form.slot.errors = [_("This time has just been taken: choose another one")]
        return _move_page(appointment, form), 409
    except PatientBusy:
        form.slot.errors = [_("The patient already has an appointment at that time: choose another one")]
        return _move_page(appointment, form), 409
    else:
        flash(_("The appointment is moved."), "success")
        _say_who_is_told(appointment)
    return redirect(url_for(".show", appointment_id=appointment.id), 303)


def _move_page(appointment: Appointment, form: MoveForm) -> str:
    reason, tz = appointment.reason, appointment.tz
    today = calendar.civil_day(db.now(), tz)
    asked_day = day_asked(request.args.get("from", ""))
    page = queries.open_slots(reason, reason.window("phone", db.now()), max(asked_day or today, today))
    found = [slot for day in page.days.values() for slot in day]
    several = len({slot.practitioner for slot in found}) > 1
    return render_template(
        "admin/appointments/move.html",
        appointment=appointment,
        form=form,
        days=wording.picker(found, tz, with_names=several),
        next_day=page.next_day,
    )


# -- one patient -------------------------------------------------------------------------------------------------


@pages.get("/patients/<uuid:patient_id>")
def patient(patient_id: UUID) -> str:
    """Everything a patient has, or had, at the agent's hospitals."""
    person = queries.known_patient(patient_id, here()) or abort(404)
    visits = patients.visits(person.id, here())
    actions.open_patient(person, {each.establishment_id for each in (*visits.to_come, *visits.over)} or here())
    return render_template(
        "admin/appointments/patient.html",
        patient=person,
        visits=visits,
        contact=patients.contact(person),
        may_be_moved=lambda each: each.state == states.BOOKED and db.now() < each.start_at,
    )
