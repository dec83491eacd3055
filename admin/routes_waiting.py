"""The staff's side of the waiting list: who waits for a unit, what was offered, patients added by phone."""

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from auth.agents import queries as agent_units
from auth.models import Patient
from portal import db
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.appointments import queries as room
from services.appointments.actions import (
    AlreadyOver,
    HoldEnded,
    KnownPatientsOnly,
    NotBookable,
    PatientBusy,
    ReferralOnly,
    TooManyAppointments,
)
from services.appointments.desk import patients
from services.appointments.models import Appointment, Reason
from services.appointments.waiting import actions, queries
from services.appointments.waiting.actions import AlreadyWaiting, EntryClosed, NothingEarlier, OfferGone
from services.appointments.waiting.forms import PutFirstForm, WaitingForm, WhoForm
from services.appointments.waiting.models import WaitingEntry, WaitingOffer

pages = guards.staff(
    Blueprint("admin_waiting", __name__, url_prefix="/admin/liste-d-attente", template_folder="templates"),
    right="appointments",
)
Answer = Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


# -- who waits ---------------------------------------------------------------------------------------------------


@pages.get("")
def waiting_list() -> str:
    """Who waits for a unit, in the order in which times are offered, and what was offered."""
    units = room.units_at(_here())
    unit = _asked_unit(units)
    if unit is None:
        return render_template("admin/appointments/no_unit.html")
    closed = request.args.get("group") == "closed"
    entries = queries.of_unit(unit, closed=closed)
    actions.open_list(unit)
    return render_template(
        "admin/waiting/list.html",
        units=units,
        unit=unit,
        closed=closed,
        entries=entries,
        offers=queries.offers([each.id for each in entries]),
    )


def _asked_unit(units: Sequence[Unit]) -> Unit | None:
    """The unit of the address, else the first one where the agent works; 404 for a unit of another hospital."""
    if "unit" not in request.args:
        mine = agent_units.my_units()
        return next((unit for unit in units if unit.id in mine), units[0] if units else None)
    return next((unit for unit in units if str(unit.id) == request.args["unit"]), None) or abort(404)


# -- one entry ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:entry_id>")
def show(entry_id: UUID) -> str:
    entry = _one(entry_id)
    actions.open_entry(entry)
    return _page(entry)


def _page(entry: WaitingEntry, form: PutFirstForm | None = None, why: str = "") -> str:
    offered = queries.offers([entry.id])[entry.id]
    return render_template(
        "admin/waiting/show.html",
        entry=entry,
        offer=next((each for each in offered if each.may_be_taken), None),
        offers=offered,
        names=[
            each.full_name for each in queries.practitioners_of(entry.reason_id) if each.id in entry.practitioner_ids
        ],
        changes=queries.changes(entry),
        form=form or PutFirstForm(MultiDict()),
        why=why,
    )


@pages.post("/<uuid:entry_id>/passer-en-premier")
def put_first(entry_id: UUID) -> Answer:
    """Before those who came earlier: a reason is asked, and the journal keeps it."""
    entry, form = _one(entry_id), PutFirstForm()
    if not form.validate():
        return _page(entry, form), 422
    return _done(entry, lambda: actions.put_first(entry, form.why.data), _("They come first now."))


@pages.post("/<uuid:entry_id>/remettre-a-sa-place")
def put_back(entry_id: UUID) -> Response:
    entry = _one(entry_id)
    return _done(entry, lambda: actions.put_back(entry), _("They are back at the place of the day they entered."))


@pages.post("/<uuid:entry_id>/retirer")
def remove(entry_id: UUID) -> Response:
    """The patient asked on the phone not to wait any more."""
    entry = _one(entry_id)
    return _done(entry, lambda: actions.leave(entry), _("The patient is not on the list any more."))


@pages.post("/<uuid:entry_id>/offres/<uuid:offer_id>/refuser")
def decline(entry_id: UUID, offer_id: UUID) -> Response:
    entry, offer = _offer(entry_id, offer_id)
    return _done(entry, lambda: actions.decline(offer), _("The time goes to the next person."))


@pages.post("/<uuid:entry_id>/offres/<uuid:offer_id>/accepter")
def accept(entry_id: UUID, offer_id: UUID) -> Response:
    """The patient says yes on the phone."""
    entry, offer = _offer(entry_id, offer_id)
    try:
        made = actions.accept(offer, "phone")
    except (OfferGone, HoldEnded, EntryClosed, AlreadyOver, PatientBusy) as refusal:
        return _refused(entry, "busy" if isinstance(refusal, PatientBusy) else "gone")
    except (ReferralOnly, KnownPatientsOnly, TooManyAppointments):
        return _refused(entry, "not_allowed")
    if patients.contact(made.patient, masked=made.masked).is_told:
        flash(_("The patient has this time now, and is told by mail."), "success")
    else:
        flash(_("The appointment is booked."), "success")
        flash(_("We have no address: give the patient the reference, %(reference)s.", reference=made.reference), "info")
    return redirect(url_for("admin_appointments.show", appointment_id=made.id), 303)


def _done(entry: WaitingEntry, act: Callable[[], None], words: str) -> Response:
    try:
        act()
    except (EntryClosed, OfferGone):
        return _refused(entry, "gone")
    flash(words, "success")
    return redirect(url_for(".show", entry_id=entry.id), 303)


def _refused(entry: WaitingEntry, why: str) -> Response:
    """409: the page as the entry is now."""
    entry_id = entry.id
    db.session.rollback()
    return make_response(_page(_one(entry_id), why=why), 409)


def _offer(entry_id: UUID, offer_id: UUID) -> tuple[WaitingEntry, WaitingOffer]:
    entry = _one(entry_id)
    return entry, queries.offer_of(entry, offer_id) or abort(404)


def _one(entry_id: UUID) -> WaitingEntry:
    return queries.one_at(entry_id, _here()) or abort(404)


# -- adding somebody by phone ------------------------------------------------------------------------------------


@pages.route("/ajouter", methods=["GET", "POST"])
def find_patient() -> Answer | str:
    """For what, and who: their number at the hospital. A post, so that numbers stay out of addresses and logs."""
    form = WhoForm() if request.method == "POST" else WhoForm(MultiDict())
    form.offer(queries.reasons_at(_here()))
    if request.method == "GET":
        return render_template("admin/waiting/find_patient.html", form=form)
    if not form.validate():
        return render_template("admin/waiting/find_patient.html", form=form), 422
    reason = form.reasons[form.reason.data]
    found = room.find_patients(reason.establishment_id, ipp=(form.ipp.data or "").strip())
    if not found:
        form.ipp.errors = [_("The hospital knows nobody by this number")]
        return render_template("admin/waiting/find_patient.html", form=form), 422
    return redirect(url_for(".new", patient_id=found[0].id, reason=reason.id), 303)


@pages.get("/ajouter/<uuid:patient_id>")
def new(patient_id: UUID) -> str:
    """What suits the patient, for a visit to come (`?appointment=`) or for a reason (`?reason=`)."""
    form = WaitingForm(MultiDict())
    form.appointment.data, form.reason.data = request.args.get("appointment", ""), request.args.get("reason", "")
    return _form_page(patient_id, form)


@pages.post("/ajouter/<uuid:patient_id>")
@once
def add(patient_id: UUID) -> Answer:
    form = WaitingForm()
    patient, visit, reason = _wanted(patient_id, form)
    form.offer(queries.practitioners_of(reason.id))
    if not form.validate():
        return _form_page(patient_id, form), 422
    try:
        if visit is not None:
            entry = actions.enter_for_visit(visit, form.asked)
        else:
            entry = actions.enter(patient.id, reason, form.asked)
    except (NothingEarlier, AlreadyWaiting, NotBookable) as refusal:
        return _form_page(patient_id, form, type(refusal).__name__), 409
    flash(_("The patient is on the list."), "success")
    return redirect(url_for(".show", entry_id=entry.id), 303)


def _form_page(patient_id: UUID, form: WaitingForm, why: str = "") -> str:
    patient, visit, reason = _wanted(patient_id, form)
    form.offer(queries.practitioners_of(reason.id))
    return render_template("admin/waiting/new.html", form=form, patient=patient, visit=visit, reason=reason, why=why)


def _wanted(patient_id: UUID, form: WaitingForm) -> tuple[Patient, Appointment | None, Reason]:
    """404 when the patient, the visit or the reason is not of a hospital of the agent."""
    patient = room.known_patient(patient_id, _here()) or abort(404)
    if visit_id := _id(form.appointment.data):
        visit = queries.visit_at(visit_id, _here())
        if visit is None or visit.patient_id != patient.id:
            abort(404)
        return patient, visit, visit.reason
    wanted = _id(form.reason.data)
    reason = next((each for each in queries.reasons_at(_here()) if each.id == wanted), None) or abort(404)
    return patient, None, reason


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
