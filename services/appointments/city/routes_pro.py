"""A practitioner of the city books for a patient, and follows what they booked."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import db, establishments
from portal.web import branding
from portal.web.repeated_posts import once
from portal.web.ui import short_day
from services.appointments import queries as offers
from services.appointments import wording
from services.appointments.actions import AlreadyOver, NotBookable, PatientBusy, SlotTaken, TooLateToCancel
from services.appointments.city import actions, queries
from services.appointments.city.forms import BookForPatientForm, CancelSentForm, MoveSentForm
from services.appointments.city.models import SentAppointment
from services.appointments.city.queries import CHANNEL, Chosen
from services.appointments.forms import day_asked
from services.appointments.models import Reason
from services.appointments.slots import Slot
from services.sent_patients import actions as describing
from services.sent_patients import queries as sent_patients
from services.sent_patients.models import SentPatient

pages = guards.professionals(
    Blueprint("city_appointments", __name__, url_prefix="/pro/rendez-vous", template_folder="templates")
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def sent() -> str:
    """The appointments this practitioner booked, and where they are."""
    to_come, over = queries.sent_by(guards.professional_id())
    return render_template("city/sent.html", to_come=to_come, over=over)


# -- what, when --------------------------------------------------------------------------------------------------


@pages.get("/choisir")
def choose() -> str:
    """Units and reasons open to practitioners, of the group or of one hospital, narrowed by words."""
    finess, wanted = request.args.get("establishment", "")[:9], request.args.get("q", "").strip()[:100]
    units: dict[UUID, list[Reason]] = {}
    for reason in queries.reasons(finess, wanted):
        units.setdefault(reason.unit_id, []).append(reason)
    return render_template(
        "city/choose.html",
        again=_again(),
        units=list(units.values()),
        establishments=establishments.establishments(),
        finess=finess,
        wanted=wanted,
    )


@pages.get("/choisir-un-creneau")
def choose_slot() -> Answer:
    """The next free times for a reason; once one is chosen, on to the patient."""
    reason = queries.reason(_uuid("reason") or abort(404)) or abort(404)
    if request.args.get("slot"):
        return redirect(url_for(".confirm", reason=reason.id, slot=request.args["slot"], **_again()))
    nothing_chosen, again = "continue" in request.args, _again()
    times = _times(reason, "choose_slot", **again)
    page = render_template("city/choose_slot.html", reason=reason, nothing_chosen=nothing_chosen, again=again, **times)
    return (page, 422) if nothing_chosen else page


def _times(reason: Reason, view: str, **fixed: Any) -> dict[str, object]:
    """The days that have free times, from the one that is asked for, and where the other pages are."""
    tz, practitioner_id = reason.unit.establishment.tz, _uuid("practitioner")
    first_day = max(day_asked(request.args.get("from", "")) or date.min, db.now().astimezone(tz).date())
    found = offers.open_slots(reason, reason.window(CHANNEL, db.now()), first_day, practitioner_id)
    practitioners = offers.practitioners_for(reason)
    listed = (each for day in found.days.values() for each in day)
    with_names = len(practitioners) > 1 and practitioner_id is None
    here: dict[str, Any] = {"reason": reason.id, "practitioner": practitioner_id, **fixed}
    following = found.next_day.isoformat() if found.next_day else None
    return {
        "days": wording.picker(listed, tz, with_names=with_names),
        "is_first": "from" not in request.args,
        "first_href": url_for(f".{view}", **here),
        "next_href": url_for(f".{view}", **here | {"from": following}) if following else None,
        "practitioners": practitioners,
        "practitioner_id": practitioner_id,
    }


def _again() -> dict[str, Any]:
    """For whom the practitioner began to book, when it is somebody they described before: a key, never a name."""
    known = _uuid("patient")
    found = sent_patients.patient(guards.professional_id(), known) if known else None
    return {"patient": str(found.id)} if found else {}


def _uuid(name: str) -> UUID | None:
    return _parsed(request.args.get(name, ""))


# -- for whom ----------------------------------------------------------------------------------------------------


@pages.get("/confirmer")
def confirm() -> Answer:
    """The patient, and everything about the time, before the last click."""
    choice = _chosen(request.args.get("reason", ""), request.args.get("slot", ""))
    held = held_forms.take()
    form = BookForPatientForm(formdata=held) if held else BookForPatientForm(
        MultiDict(), reason=str(choice.reason.id), slot=str(choice.slot), **_again()
    )  # fmt: skip
    form.offer(_known(form.patient.data))
    return _confirmation(choice, form) if choice.is_free else (_refused(choice, form), 409)


@pages.post("/confirmer")
@once
def book() -> Answer:
    """A post all along: names stay out of addresses and logs."""
    form = BookForPatientForm()
    form.offer(_known(form.patient.data))
    choice = _chosen(form.reason.data, form.slot.data)
    if not form.validate():
        return _confirmation(choice, form), 422
    try:
        made = actions.book(_patient(form, choice.reason.establishment_id), choice.reason.id, choice.slot)
    except NotBookable:
        abort(404)
    except (SlotTaken, PatientBusy):
        # The same words for both: that the patient has another appointment is not the practitioner's to learn.
        return _refused(choice, form), 409
    return redirect(url_for(".booked", appointment_id=made.id), 303)


def _known(chosen: str | None) -> dict[str, str]:
    """Whom one described lately, and whom the form is about."""
    own = guards.professional_id()
    listed = {str(each.id): _named(each) for each in sent_patients.patients(own)}
    if chosen and chosen not in listed and (key := _parsed(chosen)) and (older := sent_patients.patient(own, key)):
        listed[chosen] = _named(older)
    return listed


def _parsed(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _named(each: SentPatient) -> str:
    return f"{each.full_name}, {short_day(each.birth_on)}"


def _patient(form: BookForPatientForm, establishment_id: UUID) -> SentPatient:
    if form.sent_patient_id is None:
        return describing.describe(guards.professional_id(), establishment_id, form.described())
    known = sent_patients.patient(guards.professional_id(), form.sent_patient_id) or abort(404)
    return describing.describe_again(known, establishment_id)


def _chosen(reason_id: str | None, slot: str | None) -> Chosen:
    """What the address or the form asks for; 404 when it makes no sense."""
    try:
        return queries.chosen(UUID(reason_id or ""), Slot.parse(slot or "")) or abort(404)
    except ValueError:
        abort(404)


def _confirmation(choice: Chosen, form: BookForPatientForm) -> str:
    return render_template("city/confirm.html", form=form, choice=choice, reason=choice.reason, days=None)


def _refused(choice: Chosen, form: BookForPatientForm) -> str:
    """The same page, with what was typed, and the nearest other times to choose from."""
    return render_template(
        "city/confirm.html", form=form, choice=choice, reason=choice.reason, days=_nearest(choice.reason, choice)
    )


def _nearest(reason: Reason, choice: Chosen) -> list[dict[str, object]]:
    near = offers.nearest(reason, reason.window(CHANNEL, db.now()), choice.at)
    several = len({each.practitioner for each in near}) > 1
    return wording.picker(near, reason.unit.establishment.tz, with_names=several)


# -- one appointment ---------------------------------------------------------------------------------------------


@pages.get("/<uuid:appointment_id>/confirme")
def booked(appointment_id: UUID) -> str:
    """The receipt: what to tell the patient."""
    return render_template("city/booked.html", sent=_mine(appointment_id))


@pages.get("/<uuid:appointment_id>")
def show(appointment_id: UUID) -> str:
    mine = _mine(appointment_id)
    return render_template("city/show.html", sent=mine, changes=offers.changes(mine.appointment))


@pages.route("/<uuid:appointment_id>/annuler", methods=["GET", "POST"])
def cancel(appointment_id: UUID) -> Answer:
    mine, form = _mine(appointment_id), CancelSentForm()
    if not mine.appointment.is_to_come:
        return redirect(url_for(".show", appointment_id=appointment_id))
    if not form.validate_on_submit():
        page = render_template("city/cancel.html", form=form, sent=mine)
        return (page, 422) if form.errors else page
    try:
        actions.cancel(mine, form.why.data)
    except TooLateToCancel:
        return render_template("city/cancel.html", form=form, sent=mine), 409
    except AlreadyOver:
        flash(_("This appointment was already cancelled, or is over."), "info")
    else:
        flash(_("The appointment is cancelled. The patient is told by mail, if an address was given."), "success")
    return redirect(url_for(".show", appointment_id=appointment_id), 303)


@pages.get("/<uuid:appointment_id>/deplacer")
def choose_other(appointment_id: UUID) -> Answer:
    """Other times for the same reason."""
    mine = _mine(appointment_id)
    if not mine.appointment.is_to_come:
        return redirect(url_for(".show", appointment_id=appointment_id))
    return _other_times(mine, MoveSentForm())


@pages.post("/<uuid:appointment_id>/deplacer")
@once
def move(appointment_id: UUID) -> Answer:
    mine, form = _mine(appointment_id), MoveSentForm()
    if not form.validate():
        return _other_times(mine, form), 422
    try:
        actions.move(mine, Slot.parse(form.slot.data or ""))
    except ValueError:
        abort(404)
    except (SlotTaken, PatientBusy, NotBookable):
        form.slot.errors = [_("This time is no longer free: choose another one.")]
        return _other_times(mine, form), 409
    except TooLateToCancel:
        return _other_times(mine, form), 409
    except AlreadyOver:
        flash(_("This appointment was already cancelled, or is over."), "info")
    else:
        flash(_("The appointment is at another time. The patient is told by mail, if an address was given."), "success")
    return redirect(url_for(".show", appointment_id=appointment_id), 303)


def _other_times(mine: SentAppointment, form: MoveSentForm) -> str:
    reason = queries.reason(mine.appointment.reason_id)
    times = _times(reason, "choose_other", appointment_id=mine.appointment_id) if reason else {"days": []}
    return render_template("city/move.html", sent=mine, form=form, reason=reason, **times)


def _mine(appointment_id: UUID) -> SentAppointment:
    found = queries.one_sent_by(guards.professional_id(), appointment_id) or abort(404)
    branding.wear_of(found.appointment.establishment_id)
    return found
