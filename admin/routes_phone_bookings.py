"""Booking for somebody: who, then when; or a free time of an agenda, then who; or somebody who is at the desk now."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.routes_appointments import here, pages
from auth import held_forms, records
from auth.models import Patient
from portal import calendar, db, establishments
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.appointments import actions, queries, wording
from services.appointments.actions import NotBookable, PatientBusy, SlotTaken
from services.appointments.desk import cells, patients
from services.appointments.desk import wording as desk_words
from services.appointments.desk.cells import Cell, Excess, Offer
from services.appointments.desk.forms import CellForm, TimeForm, WalkInForm
from services.appointments.desk.patients import Doubt
from services.appointments.forms import FindPatientForm, NewPatientForm, day_asked
from services.appointments.models import Appointment, Reason
from services.appointments.slots import Slot

Page = str | tuple[str, int] | Response


# -- who ---------------------------------------------------------------------------------------------------------


def _kept() -> dict[str, str]:
    """What the agent pointed at before saying for whom: a time, or a unit where somebody waits."""
    return {key: request.args[key] for key in ("slot", "walk_in") if request.args.get(key)}


@pages.route("/nouveau", methods=["GET", "POST"])
def find_patient() -> Page:
    """Find the person on the phone or at the desk. A post, so that names stay out of addresses and logs."""
    cell = _cell_asked()
    form = _find_form(_hospitals(cell))
    found, establishment_id = None, None
    if request.method == "POST" and form.validate():
        establishment_id = UUID(form.establishment.data)
        found = queries.find_patients(
            establishment_id,
            ipp=(form.ipp.data or "").strip(),
            birth_name=form.birth_name.data or "",
            birth_on=form.birth_on.data,
        )
    page = render_template(
        "admin/appointments/find_patient.html",
        form=form,
        found=found,
        establishment_id=establishment_id,
        kept=_kept(),
        cell=cell,
    )
    return page, 422 if form.errors else 200


def _cell_asked() -> Cell | None:
    """The time of the address; 404 when it is not one of the agent's hospitals."""
    if not request.args.get("slot"):
        return None
    try:
        slot = Slot.parse(request.args["slot"])
    except ValueError:
        abort(404)
    return cells.cell(slot, here()) or abort(404)


def _hospitals(cell: Cell | None) -> list[Establishment]:
    """Where to look for the person: at the hospital of what was pointed at, else at all of the agent's."""
    if cell is not None:
        return [cell.unit.establishment]
    if reasons := _reasons_of_unit("walk_in"):
        return [reasons[0].unit.establishment]
    return [each for each in establishments.establishments() if each.id in here()]


def _find_form(hospitals: Sequence[Establishment]) -> FindPatientForm:
    held = held_forms.take()
    form = FindPatientForm(formdata=held) if held else FindPatientForm()
    form.offer({str(each.id): each.name for each in hospitals})
    return form


@pages.get("/nouveau/patient")
def new_patient() -> str:
    held = held_forms.take()
    hospital = str(_establishment(request.args.get("establishment", "")))
    form = NewPatientForm(formdata=held) if held else NewPatientForm(MultiDict(), establishment=hospital)
    return render_template("admin/appointments/new_patient.html", form=form, kept=_kept())


@pages.post("/nouveau/patient")
@once
def register_patient() -> Page:
    """Register a person the hospital does not know, then choose their time."""
    form = NewPatientForm()
    establishment_id = _establishment(form.establishment.data or "")
    if not form.validate():
        return render_template("admin/appointments/new_patient.html", form=form, kept=_kept()), 422
    patient = records.register_patient(
        establishment_id,
        birth_name=form.birth_name.data or "",
        first_name=form.first_name.data or "",
        birth_on=form.birth_on.data,
        sex=form.sex.data,
        mobile=(form.mobile.data or "").strip(),
        email=(form.email.data or "").strip(),
    )
    return redirect(next_step(patient.id, **_kept()), 303)


def next_step(patient_id: UUID, slot: str = "", walk_in: str = "") -> str:
    """Where the agent goes once the person is known."""
    if slot:
        return url_for(".choose_reason", patient_id=patient_id, slot=slot)
    if walk_in:
        return url_for(".choose_place", patient_id=patient_id, unit=walk_in)
    return url_for(".choose_time", patient_id=patient_id)


def _establishment(text: str) -> UUID:
    """A hospital where the agent takes appointments; 404 otherwise."""
    return next((each for each in here() if str(each) == text), None) or abort(404)


def _patient(patient_id: UUID) -> Patient:
    return queries.known_patient(patient_id, here()) or abort(404)


# -- when --------------------------------------------------------------------------------------------------------


@pages.get("/nouveau/<uuid:patient_id>")
def choose_time(patient_id: UUID) -> str:
    """Free times for a reason, next ones first, for a known patient."""
    patient = _patient(patient_id)
    return _time_page(patient, TimeForm(MultiDict()), _planned(patient))


@pages.post("/nouveau/<uuid:patient_id>")
@once
def book(patient_id: UUID) -> Page:
    patient, form = _patient(patient_id), TimeForm()
    reason = _reason_asked(queries.reasons_at(here())) or abort(404)
    planned = _planned(patient)
    if not form.validate():
        return _time_page(patient, form, planned), 422
    cell = _cell_of(form.slot.data or "")
    doubts = patients.doubts(planned, reason, cell.at)
    if doubts and not form.anyway.data:
        return _time_page(patient, form, planned, doubts), 409
    try:
        made = actions.book_by_phone(patient.id, reason.id, cell.slot)
    except NotBookable:
        abort(404)
    except SlotTaken:
        form.slot.errors = [_("This time has just been taken: choose another one")]
    except PatientBusy:
        form.slot.errors = [_("The patient already has an appointment at that time: choose another one")]
    else:
        return _booked(made, patient)
    return _time_page(patient, form, planned), 409


def _cell_of(text: str) -> Cell:
    try:
        return cells.cell(Slot.parse(text), here()) or abort(404)
    except ValueError:
        abort(404)


def _planned(patient: Patient) -> Sequence[Appointment]:
    return patients.visits(patient.id, here()).to_come


def _booked(made: Appointment, patient: Patient) -> Response:
    flash(_("The appointment is booked."), "success")
    if not patients.contact(patient).is_told:
        flash(_("We have no address: give the patient the reference, %(reference)s.", reference=made.reference), "info")
    return redirect(url_for(".show", appointment_id=made.id), 303)


def _time_page(patient: Patient, form: TimeForm, planned: Sequence[Appointment], doubts: Sequence[Doubt] = ()) -> str:
    reasons = queries.reasons_at(here())
    reason = _reason_asked(reasons)
    page = _free_times(reason) if reason else None
    return render_template(
        "admin/appointments/choose_time.html",
        patient=patient,
        form=form,
        planned=planned,
        doubts=doubts,
        contact=patients.contact(patient),
        reasons=reasons,
        reason=reason,
        days=_picker(reason, page) if reason and page else [],
        next_day=page.next_day if page else None,
    )


def _free_times(reason: Reason) -> queries.SlotPage:
    today = calendar.civil_day(db.now(), reason.unit.establishment.tz)
    first_day = max(day_asked(request.args.get("from", "")) or today, today)
    return queries.open_slots(reason, reason.window("phone", db.now()), first_day)


def _picker(reason: Reason, page: queries.SlotPage) -> list[dict[str, object]]:
    found = [slot for day in page.days.values() for slot in day]
    several = len({slot.practitioner for slot in found}) > 1
    return wording.picker(found, reason.unit.establishment.tz, with_names=several)


def _reason_asked(reasons: Sequence[Reason]) -> Reason | None:
    return next((each for each in reasons if str(each.id) == request.args.get("reason", "")), None)


# -- a time chosen in an agenda ----------------------------------------------------------------------------------


@pages.get("/nouveau/<uuid:patient_id>/motif")
def choose_reason(patient_id: UUID) -> str:
    """For which reason, at the chosen time; what does not fit is said."""
    patient, cell = _patient(patient_id), _cell_asked() or abort(404)
    return _reason_page(patient, cell, CellForm(MultiDict()))


@pages.post("/nouveau/<uuid:patient_id>/motif")
@once
def book_cell(patient_id: UUID) -> Page:
    patient, cell, form = _patient(patient_id), _cell_asked() or abort(404), CellForm()
    if not form.validate():
        return _reason_page(patient, cell, form), 422
    offer = cell.offer(form.reason.data) or abort(404)
    if offer.impossible:
        form.reason.errors = [desk_words.IMPOSSIBLE[offer.impossible]]
        return _reason_page(patient, cell, form), 409
    doubts = patients.doubts(_planned(patient), offer.reason, cell.at)
    asks = Asks(() if offer.fits or form.beyond.data else offer.beyond, () if form.anyway.data else doubts)
    if asks:
        return _reason_page(patient, cell, form, offer, asks), 409
    try:
        made = actions.book_by_phone(patient.id, offer.reason.id, cell.slot, beyond=form.beyond.data)
    except SlotTaken:
        form.reason.errors = [_("This time has just been taken.")]
    except PatientBusy:
        form.reason.errors = [_("The patient already has an appointment at that time.")]
    else:
        return _booked(made, patient)
    return _reason_page(patient, cell, form), 409


@dataclass(frozen=True)
class Asks:
    """What an agent must confirm before booking."""

    beyond: Sequence[Excess] = ()
    doubts: Sequence[Doubt] = ()

    def __bool__(self) -> bool:
        return bool(self.beyond or self.doubts)


def _reason_page(patient: Patient, cell: Cell, form: CellForm, offer: Offer | None = None, asks: Asks = Asks()) -> str:
    form.reason.choices = choices((str(each.reason.id), each.reason.name) for each in cell.offers)
    return render_template(
        "admin/appointments/choose_reason.html",
        patient=patient,
        cell=cell,
        form=form,
        offer=offer,
        asks=asks,
        planned=_planned(patient),
        contact=patients.contact(patient),
    )


# -- somebody who is at the desk now -----------------------------------------------------------------------------


@pages.get("/nouveau/<uuid:patient_id>/maintenant")
def choose_place(patient_id: UUID) -> str:
    """Who may receive somebody who came without an appointment, and when."""
    return _place_page(_patient(patient_id), WalkInForm(MultiDict()))


@pages.post("/nouveau/<uuid:patient_id>/maintenant")
@once
def receive(patient_id: UUID) -> Page:
    patient, form = _patient(patient_id), WalkInForm()
    reason = _reason_asked(_reasons_of_unit()) or abort(404)
    if not form.validate():
        return _place_page(patient, form), 422
    how, _colon, slot = form.place.data.partition(":")
    try:
        made = actions.walk_in(patient.id, reason.id, Slot.parse(slot), beyond=how == "beyond")
    except (ValueError, NotBookable):
        abort(404)
    except SlotTaken:
        form.place.errors = [_("This time has just been taken: choose another one")]
    except PatientBusy:
        form.place.errors = [_("The patient already has an appointment at that time: say that they have arrived")]
    else:
        flash(_("The patient is received and noted as arrived."), "success")
        return redirect(url_for(".show", appointment_id=made.id), 303)
    return _place_page(patient, form), 409


def _reasons_of_unit(named: str = "unit") -> Sequence[Reason]:
    """Those of the unit that the address names."""
    wanted = request.args.get(named)
    return [each for each in queries.reasons_at(here()) if str(each.unit_id) == wanted] if wanted else []


def _place_page(patient: Patient, form: WalkInForm) -> str:
    reasons = _reasons_of_unit() or abort(404)
    reason = _reason_asked(reasons)
    found = cells.places(reason) if reason else []
    said = desk_words.Said(reasons[0].unit.establishment.tz)
    form.offer({str(each): f"{said.clock(each.at)} – {each.practitioner}" for each in found})
    return render_template(
        "admin/appointments/choose_place.html",
        patient=patient,
        form=form,
        unit=reasons[0].unit,
        reasons=reasons,
        reason=reason,
        places=found,
        planned=_planned(patient),
    )
