"""A patient waits for an earlier time: says what suits, sees what is offered, takes it or not."""

from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth import queries as people
from portal import db
from portal.web import branding
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
from services.appointments.models import Appointment, Reason
from services.appointments.waiting import actions, queries
from services.appointments.waiting.actions import AlreadyWaiting, EntryClosed, NothingEarlier, OfferGone
from services.appointments.waiting.forms import WaitingForm
from services.appointments.waiting.models import WaitingEntry, WaitingOffer

pages = guards.patients(
    Blueprint("waiting", __name__, url_prefix="/rendez-vous/plus-tot", template_folder="templates"), "appointments"
)
Answer = Response | tuple[str, int]
_NOT_ALONE = (ReferralOnly, KnownPatientsOnly, TooManyAppointments)


@pages.get("")
def mine() -> str:
    """What I wait for, and the times kept for me."""
    entries = queries.of_patients(_people())
    return render_template(
        "waiting/mine.html",
        entries=entries,
        offers=queries.offers([each.id for each in entries]),
        several=len(_people()) > 1,
    )


# -- entering ----------------------------------------------------------------------------------------------------


@pages.get("/nouvelle")
def new() -> str:
    """What suits, for a visit to come (`?appointment=`) or for a reason (`?reason=`) where nothing free suits."""
    held = held_forms.take()
    form = WaitingForm(formdata=held) if held else WaitingForm(MultiDict())
    if not held:
        form.appointment.data, form.reason.data = request.args.get("appointment", ""), request.args.get("reason", "")
        form.patient_id.data = str(guards.patient_id())
    return _form_page(form)


def _form_page(form: WaitingForm, why: str = "") -> str:
    visit, reason = _wanted(form)
    form.offer(queries.practitioners_of(reason.id), _names() if visit is None else None)
    return render_template("waiting/new.html", form=form, visit=visit, reason=reason, why=why)


def _wanted(form: WaitingForm) -> tuple[Appointment | None, Reason]:
    """The visit to move, if any, and for what; 404 when it is not theirs or not open."""
    if visit_id := _id(form.appointment.data):
        visit = queries.visit(visit_id, _people()) or abort(404)
        return visit, visit.reason
    return None, room.online_reason(_id(form.reason.data) or abort(404)) or abort(404)


def _names() -> dict[str, str]:
    may = _people()
    return {str(each.patient_id): each.patient.full_name for each in people.people() if each.patient_id in may}


@pages.post("/nouvelle")
@once
def enter() -> Answer:
    form = WaitingForm()
    visit, reason = _wanted(form)
    names = _names()
    form.offer(queries.practitioners_of(reason.id), names)
    if not form.validate():
        return _form_page(form), 422
    if visit is None and form.patient_id.data not in names:
        abort(404)
    try:
        if visit is not None:
            entry = actions.enter_for_visit(visit, form.asked)
        else:
            entry = actions.enter(UUID(form.patient_id.data), reason, form.asked)
    except (NothingEarlier, AlreadyWaiting, NotBookable, *_NOT_ALONE) as refusal:
        return _form_page(form, type(refusal).__name__), 409
    flash(
        _("You will be told when an earlier time comes free. Your visit stays as it is until you say yes."), "success"
    )
    return redirect(url_for(".show", entry_id=entry.id), 303)


# -- one entry ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:entry_id>")
def show(entry_id: UUID) -> str:
    """What is kept for me now, what suits me, what was offered before."""
    return _page(_mine(entry_id))


def _page(entry: WaitingEntry, why: str = "") -> str:
    offered = queries.offers([entry.id])[entry.id]
    return render_template(
        "waiting/show.html",
        entry=entry,
        offer=next((each for each in offered if each.may_be_taken), None),
        former=[each for each in offered if not each.may_be_taken],
        names=[
            each.full_name for each in queries.practitioners_of(entry.reason_id) if each.id in entry.practitioner_ids
        ],
        why=why,
    )


@pages.post("/<uuid:entry_id>/offres/<uuid:offer_id>/accepter")
def accept(entry_id: UUID, offer_id: UUID) -> Response:
    """Take the time. A second click leads to the visit that the first one moved or booked."""
    entry, offer = _offer(entry_id, offer_id)
    if offer.outcome == "accepted" and (visit := _taken(entry, offer)):
        return _to_visit(visit)
    try:
        made = actions.accept(offer)
    except PatientBusy:
        return _refused(entry_id, "busy")
    except _NOT_ALONE:
        return _refused(entry_id, "not_allowed")
    except (OfferGone, HoldEnded, EntryClosed, AlreadyOver):
        return _refused(entry_id, "gone")
    return _to_visit(made.id)


def _taken(entry: WaitingEntry, offer: WaitingOffer) -> UUID | None:
    if entry.appointment_id is not None:
        return entry.appointment_id
    found = room.at_same_time({entry.patient_id}, offer.start_at, offer.end_at)
    return found.id if found else None


def _to_visit(appointment_id: UUID) -> Response:
    return redirect(url_for("my_appointments.booked", appointment_id=appointment_id), 303)


@pages.post("/<uuid:entry_id>/offres/<uuid:offer_id>/refuser")
def decline(entry_id: UUID, offer_id: UUID) -> Response:
    """Not this time: the next in line gets it, and the place in the list stays."""
    _entry, offer = _offer(entry_id, offer_id)
    try:
        actions.decline(offer)
    except (OfferGone, EntryClosed):
        flash(_("This time was not kept for you any more."), "info")
    else:
        flash(_("Somebody else may take this time. You keep your place in the list."), "success")
    return redirect(url_for(".show", entry_id=entry_id), 303)


@pages.post("/<uuid:entry_id>/quitter")
def leave(entry_id: UUID) -> Response:
    entry = _mine(entry_id)
    try:
        actions.leave(entry)
    except EntryClosed:
        flash(_("You were not waiting any more."), "info")
    else:
        flash(_("You are not on the list any more. Your visit, if you have one, stays as it is."), "success")
    return redirect(url_for(".mine"), 303)


def _refused(entry_id: UUID, why: str) -> Response:
    """409: what happened; nothing has changed."""
    return make_response(_page(_mine(entry_id), why), 409)


def _offer(entry_id: UUID, offer_id: UUID) -> tuple[WaitingEntry, WaitingOffer]:
    entry = _mine(entry_id)
    return entry, queries.offer_of(entry, offer_id) or abort(404)


def _mine(entry_id: UUID) -> WaitingEntry:
    return branding.of(queries.one_of_patients(entry_id, _people()) or abort(404))


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _people() -> frozenset[UUID]:
    """Oneself, and those whose appointments one may see to."""
    return db.current_actor().people("administrative")
