"""The staff's side of visits that go together: described, offered, booked for somebody on the phone, cancelled."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.models import Patient
from portal import calendar, db
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.appointments import queries as room
from services.appointments.actions import AlreadyOver, NotBookable, PatientBusy, SlotTaken
from services.appointments.forms import CancelForPatientForm, day_asked
from services.appointments.models import Appointment, Reason
from services.appointments.pathways import actions, queries
from services.appointments.pathways.forms import PathwayForm, PhoneVisitsForm, slots_asked
from services.appointments.pathways.models import DAY, Pathway
from services.appointments.pathways.queries import Visit

pathway_pages = guards.staff(
    Blueprint("admin_pathways", __name__, url_prefix="/admin/parcours", template_folder="templates"),
    right="appointments",
)


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


@pathway_pages.get("")
def pathways() -> str:
    return render_template("admin/pathways/list.html", pathways=queries.at(_here()), units=room.units_at(_here()))


# -- describing --------------------------------------------------------------------------------------------------


@pathway_pages.get("/nouveau")
def new() -> str:
    unit, held = _unit(), held_forms.take()
    form = PathwayForm(formdata=held) if held else PathwayForm(MultiDict())
    return _form_page(form, unit)


@pathway_pages.post("/nouveau")
@once
def create() -> Response | tuple[str, int]:
    unit, form = _unit(), PathwayForm()
    form.offer(_reasons(unit))
    if not form.validate():
        return _form_page(form, unit), 422
    actions.create(unit, form.facts, form.reasons)
    flash(_("The pathway is ready to be booked."), "success")
    return redirect(url_for(".pathways"), 303)


@pathway_pages.get("/<uuid:pathway_id>/modifier")
def edit(pathway_id: UUID) -> str:
    pathway, held = _one(pathway_id), held_forms.take()
    form = PathwayForm(formdata=held) if held else PathwayForm(obj=pathway)
    if not held:
        for field, reason in zip(form.steps, pathway.reasons, strict=False):
            field.data = str(reason.id)
    return _form_page(form, pathway.unit, pathway)


@pathway_pages.post("/<uuid:pathway_id>/modifier")
def change(pathway_id: UUID) -> Response | tuple[str, int]:
    pathway, form = _one(pathway_id), PathwayForm()
    form.offer(_reasons(pathway.unit))
    if not form.validate():
        return _form_page(form, pathway.unit, pathway), 422
    actions.change(pathway, form.facts, form.reasons)
    flash(_("The pathway is changed; visits already booked stay as they are."), "success")
    return redirect(url_for(".pathways"), 303)


@pathway_pages.post("/<uuid:pathway_id>/fermer")
def close(pathway_id: UUID) -> Response:
    actions.close(_one(pathway_id))
    flash(_("The pathway is offered no more; visits already booked stay."), "success")
    return redirect(url_for(".pathways"), 303)


@pathway_pages.post("/<uuid:pathway_id>/rouvrir")
def reopen(pathway_id: UUID) -> Response:
    actions.reopen(_one(pathway_id))
    flash(_("The pathway is offered again."), "success")
    return redirect(url_for(".pathways"), 303)


def _form_page(form: PathwayForm, unit: Unit, pathway: Pathway | None = None) -> str:
    form.offer(_reasons(unit))
    return render_template("admin/pathways/form.html", form=form, unit=unit, pathway=pathway)


def _reasons(unit: Unit) -> list[Reason]:
    """Those of the hospital, the unit's own first."""
    found = [each for each in room.reasons_at(_here()) if each.establishment_id == unit.establishment_id]
    return sorted(found, key=lambda each: each.unit_id != unit.id)


def _unit() -> Unit:
    units, asked = room.units_at(_here()), request.args.get("unit", "")
    return next((each for each in units if str(each.id) == asked), None) or abort(404)


def _one(pathway_id: UUID) -> Pathway:
    return queries.one_at(pathway_id, _here()) or abort(404)


# -- somebody on the phone ---------------------------------------------------------------------------------------


@pathway_pages.get("/pour/<uuid:patient_id>")
def choose(patient_id: UUID) -> str:
    """Which pathway, for a known patient."""
    offered = [each for each in queries.at(_here()) if each.closed_at is None]
    return render_template("admin/pathways/choose.html", patient=_patient(patient_id), pathways=offered)


@pathway_pages.get("/<uuid:pathway_id>/pour/<uuid:patient_id>")
def choose_time(pathway_id: UUID, patient_id: UUID) -> str:
    """The next days when it can take place."""
    return _time_page(_one(pathway_id), _patient(patient_id), PhoneVisitsForm(MultiDict()))


@pathway_pages.post("/<uuid:pathway_id>/pour/<uuid:patient_id>")
@once
def book(pathway_id: UUID, patient_id: UUID) -> Response | tuple[str, int]:
    pathway, patient, form = _one(pathway_id), _patient(patient_id), PhoneVisitsForm()
    visits = _visits(pathway, form.slots.data or "", patient.id)
    if not form.validate() or not visits:
        form.slots.errors = [_("Choose a day")]
        return _time_page(pathway, patient, form), 422
    try:
        chain_id = actions.book_by_phone(patient.id, pathway, visits)
    except NotBookable:
        abort(404)
    except SlotTaken:
        form.slots.errors = [_("One of these times has just been taken: choose another day")]
    except PatientBusy:
        form.slots.errors = [_("The patient already has an appointment at one of these times: choose another day")]
    else:
        flash(_("The visits are booked."), "success")
        return redirect(url_for(".show", chain_id=chain_id), 303)
    return _time_page(pathway, patient, form), 409


def _visits(pathway: Pathway, text: str, patient_id: UUID) -> list[Visit] | None:
    slots = slots_asked(text)
    if pathway.kind == DAY or len(slots) != 1:
        return queries.chosen(pathway, slots)
    return [each for each in queries.series(pathway, slots[0], "phone", patient_id) if isinstance(each, Visit)]


def _time_page(pathway: Pathway, patient: Patient, form: PhoneVisitsForm) -> str:
    today = calendar.civil_day(db.now(), pathway.establishment.tz)
    first: date = max(day_asked(request.args.get("from", "")) or today, today)
    ways = queries.ways(pathway, "phone", first, patient.id)
    return render_template(
        "admin/pathways/choose_time.html",
        pathway=pathway,
        patient=patient,
        form=form,
        ways=ways,
        is_first="from" not in request.args,
    )


def _patient(patient_id: UUID) -> Patient:
    return room.known_patient(patient_id, _here()) or abort(404)


# -- what was booked ---------------------------------------------------------------------------------------------


@pathway_pages.get("/reserves/<uuid:chain_id>")
def show(chain_id: UUID) -> str:
    """The visits booked together."""
    visits = _booked(chain_id)
    actions.open_visits(visits)
    return _show_page(visits, CancelForPatientForm())


@pathway_pages.post("/reserves/<uuid:chain_id>/annuler")
def cancel(chain_id: UUID) -> Response | tuple[str, int]:
    visits, form = _booked(chain_id), CancelForPatientForm()
    if not form.validate():
        return _show_page(visits, form), 422
    try:
        actions.cancel_for_patient(visits, form.why.data)
    except AlreadyOver:
        flash(_("These visits were already cancelled, or are over."), "info")
    else:
        flash(_("The visits are cancelled and the patient is told by mail, if we have an address."), "success")
    return redirect(url_for(".show", chain_id=chain_id), 303)


def _show_page(visits: Sequence[Appointment], form: CancelForPatientForm) -> str:
    return render_template(
        "admin/pathways/show.html", visits=visits, form=form, is_to_come=any(each.is_to_come for each in visits)
    )


def _booked(chain_id: UUID) -> Sequence[Appointment]:
    return queries.of_chain_at(chain_id, _here()) or abort(404)
