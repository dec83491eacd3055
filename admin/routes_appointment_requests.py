"""The staff's side of requests for appointments: the tray, one request, its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.times_to_propose import TimesPage
from auth import guards
from portal import db
from portal.establishments import Unit
from portal.files import FileNotReadable
from portal.web.downloads import file_response
from portal.web.forms import Form
from services.appointments import queries as room
from services.appointments.actions import HoldEnded, NotBookable, PatientBusy, SlotTaken
from services.appointments.requests import actions, queries
from services.appointments.requests.actions import (
    ChangedMeanwhile,
    NotThere,
    ProposalGone,
    RequestOver,
    TooManyProposals,
    TooSoon,
)
from services.appointments.requests.forms import AcceptForm, AskMoreForm, ProposeForm, RefuseForm, TransferForm
from services.appointments.requests.models import AppointmentRequest
from services.appointments.requests.queries import GROUPS, Sieve

pages = guards.staff(
    Blueprint(
        "admin_appointment_requests", __name__, url_prefix="/admin/demandes-de-rendez-vous", template_folder="templates"
    ),
    right="appointments",
)
Answer = Response | tuple[str, int]
AGES = (2, 5, 10)
"""Days since they were sent, to look at the oldest only."""


def _here() -> frozenset[UUID]:
    return guards.establishments("appointments")


# -- the tray ----------------------------------------------------------------------------------------------------


@pages.get("")
def tray() -> str:
    """What waits for an answer, the oldest first; by unit, state, age, and what the agent took."""
    units = room.units_at(_here())
    unit = next((each for each in units if str(each.id) == request.args.get("unit")), None)
    sieve = _sieve(unit)
    page = max(1, request.args.get("page", 1, int))
    found = queries.tray(_here(), sieve, page)
    actions.open_tray(unit)
    return render_template(
        "admin/appointment_requests/tray.html",
        requests=found[: queries.PAGE_SIZE],
        counts=queries.counts(_here(), sieve, db.current_actor().account_id),
        units=units,
        unit=unit,
        sieve=sieve,
        page=page,
        has_more=len(found) > queries.PAGE_SIZE,
        ages=AGES,
        now=db.now(),
    )


def _sieve(unit: Unit | None) -> Sieve:
    group = request.args.get("group", "")
    older = request.args.get("older", 0, int)
    return Sieve(
        group if group in GROUPS else "to-answer",
        unit.id if unit else None,
        db.current_actor().account_id if request.args.get("mine") else None,
        older if older in AGES else 0,
    )


# -- one request -------------------------------------------------------------------------------------------------


@pages.get("/<uuid:request_id>")
def show(request_id: UUID) -> str:
    asked = _one(request_id)
    actions.open_request(asked)
    return _page(asked)


@dataclass
class _Forms:
    """The forms of the page: the one that was sent, and fresh ones."""

    asked: AppointmentRequest
    units: Sequence[Unit]
    sent: Mapping[type[Form], Form] = field(default_factory=dict)

    def of(self, kind: type[Form]) -> Form:
        if kind in self.sent:
            return self.sent[kind]
        form = kind(MultiDict(), version=self.asked.version)
        if isinstance(form, TransferForm):
            form.offer(self.units)
        return form


def _page(asked: AppointmentRequest, sent: Form | None = None, why: str = "") -> str:
    forms = _Forms(asked, _other_units(asked), {type(sent): sent} if sent else {})
    return render_template(
        "admin/appointment_requests/show.html",
        asked=asked,
        number=room.numbers([asked]).get(asked.patient_id, ""),
        messages=queries.messages(asked),
        changes=queries.changes(asked),
        proposals=queries.proposals(asked),
        ask_more=forms.of(AskMoreForm),
        refuse=forms.of(RefuseForm),
        transfer=forms.of(TransferForm),
        form=sent,
        why=why,
        is_mine=asked.assigned_to == db.current_actor().account_id,
        now=db.now(),
    )


def _other_units(asked: AppointmentRequest) -> list[Unit]:
    return [each for each in room.units_at([asked.establishment_id]) if each.id != asked.unit_id]


@pages.get("/<uuid:request_id>/lettres/<uuid:message_id>")
def letter(request_id: UUID, message_id: UUID) -> Response:
    """The letter that came with it."""
    asked = _one(request_id)
    message = queries.message_of(asked, message_id) or abort(404)
    try:
        return file_response(actions.open_letter(asked, message), inline=True)
    except FileNotReadable:
        abort(404)


# -- acting ------------------------------------------------------------------------------------------------------


@pages.post("/<uuid:request_id>/prendre")
def take(request_id: UUID) -> Response:
    asked = _one(request_id)
    try:
        actions.take(asked)
    except RequestOver:
        return _refused(asked, "over")
    flash(_("You see to this request."), "success")
    return _back(asked)


@pages.post("/<uuid:request_id>/laisser")
def leave(request_id: UUID) -> Response:
    asked = _one(request_id)
    try:
        actions.leave(asked)
    except RequestOver:
        return _refused(asked, "over")
    flash(_("Anybody may see to this request."), "success")
    return _back(asked)


@pages.post("/<uuid:request_id>/demander-un-complement")
def ask_more(request_id: UUID) -> Answer:
    asked, form = _one(request_id), AskMoreForm()
    if not form.validate():
        return _page(asked, form), 422
    try:
        actions.ask_more(asked, (form.text.data or "").strip(), form.version.data or "")
    except (RequestOver, ChangedMeanwhile) as refusal:
        return _refused(asked, _why(refusal))
    flash(_("The question is sent: the patient is told by mail, if we have an address."), "success")
    return _back(asked)


@pages.post("/<uuid:request_id>/refuser")
def refuse(request_id: UUID) -> Answer:
    asked, form = _one(request_id), RefuseForm()
    if not form.validate():
        return _page(asked, form), 422
    try:
        actions.refuse(asked, form.why.data, (form.advice.data or "").strip(), form.version.data or "")
    except (RequestOver, ChangedMeanwhile) as refusal:
        return _refused(asked, _why(refusal))
    flash(_("The request is refused: the patient is told by mail, if we have an address."), "success")
    return redirect(url_for(".tray"), 303)


@pages.post("/<uuid:request_id>/transmettre")
def transfer(request_id: UUID) -> Answer:
    asked, form = _one(request_id), TransferForm()
    form.offer(_other_units(asked))
    if not form.validate():
        return _page(asked, form), 422
    try:
        actions.transfer(asked, form.units[form.unit_id.data], form.version.data or "")
    except (RequestOver, ChangedMeanwhile, NotThere) as refusal:
        return _refused(asked, _why(refusal))
    flash(_("The request is given to the other unit."), "success")
    return redirect(url_for(".tray"), 303)


@pages.post("/<uuid:request_id>/reprendre-les-horaires")
def take_back_times(request_id: UUID) -> Response:
    """The hospital needs the times that it proposed."""
    asked = _one(request_id)
    try:
        actions.take_back(asked)
    except RequestOver:
        return _refused(asked, "over")
    flash(_("The times are free again: the patient is told by mail, if we have an address."), "success")
    return _back(asked)


@pages.post("/<uuid:request_id>/accepter")
def accept(request_id: UUID) -> Response:
    """The patient takes one of the proposed times, on the phone."""
    asked, form = _one(request_id), AcceptForm()
    if form.chosen is None:
        abort(404)
    try:
        made = actions.accept(asked, form.chosen, "phone")
    except (RequestOver, ProposalGone, HoldEnded, PatientBusy) as refusal:
        return _refused(asked, _why(refusal))
    flash(_("The appointment is booked."), "success")
    return redirect(url_for("admin_appointments.show", appointment_id=made.id), 303)


# -- proposing times, or booking one on the phone ----------------------------------------------------------------


@pages.get("/<uuid:request_id>/horaires")
def times(request_id: UUID) -> str:
    """Free times that suit the patient, to propose one to three of them or to book one on the phone."""
    asked = _one(request_id)
    form = ProposeForm(MultiDict(), version=asked.version)
    return TimesPage(asked, request.args).render(form)


@pages.post("/<uuid:request_id>/horaires")
def propose(request_id: UUID) -> Answer:
    asked, form = _one(request_id), ProposeForm()
    page = TimesPage(asked, request.form)
    if "show" in request.form:
        return page.render(form), 200
    reason, chosen = page.reason, page.chosen(form)
    if reason is None or not form.validate() or not chosen:
        form.slot.errors = [_("Choose one to three times")]
        return page.render(form), 422
    try:
        if "book" in request.form:
            return _book(asked, page, form)
        actions.propose(asked, reason.id, chosen, int(form.days.data), form.version.data or "")
    except (RequestOver, ChangedMeanwhile) as refusal:
        return _refused(asked, _why(refusal))
    except (SlotTaken, TooManyProposals, TooSoon, PatientBusy, NotBookable) as refusal:
        db.session.rollback()  # the times are free again, the list says so
        form.slot.errors = [_said(refusal)]
        return TimesPage(_one(request_id), request.form).render(form), 409
    flash(_("The times are kept and proposed: the patient is told by mail, if we have an address."), "success")
    return _back(asked)


def _book(asked: AppointmentRequest, page: TimesPage, form: ProposeForm) -> Answer:
    chosen = page.chosen(form)
    if len(chosen) != 1 or page.reason is None:
        form.slot.errors = [_("Choose the one time that the patient takes")]
        return page.render(form), 422
    made = actions.book(asked, page.reason, chosen[0], form.version.data or "")
    flash(_("The appointment is booked."), "success")
    return redirect(url_for("admin_appointments.show", appointment_id=made.id), 303)


def _said(refusal: Exception) -> str:
    words = {
        SlotTaken: _("One of these times has just been taken: choose another one"),
        TooManyProposals: _("Three times at most wait for the patient’s answer, those already proposed included"),
        TooSoon: _("This time is too near for the patient to answer: call them and book it"),
        PatientBusy: _("The patient already has an appointment at that time: choose another one"),
        NotBookable: _("This reason is not taken at that time: choose another one"),
    }
    return str(words[type(refusal)])


# -- what stands in the way --------------------------------------------------------------------------------------


def _why(refusal: Exception) -> str:
    return {
        ChangedMeanwhile: "changed", NotThere: "elsewhere", PatientBusy: "busy", HoldEnded: "gone", ProposalGone: "gone"
    }.get(type(refusal), "over")  # fmt: skip


def _refused(asked: AppointmentRequest, why: str) -> Response:
    """409: the page as the request is now, and why nothing was done."""
    request_id = asked.id
    db.session.rollback()
    return make_response(_page(_one(request_id), why=why), 409)


def _back(asked: AppointmentRequest) -> Response:
    return redirect(url_for(".show", request_id=asked.id), 303)


def _one(request_id: UUID) -> AppointmentRequest:
    return queries.one_at(request_id, _here()) or abort(404)
