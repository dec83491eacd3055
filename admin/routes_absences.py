"""Absences, the patients they leave to place again, and the calls that this takes."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import time
from typing import Any
from uuid import UUID, uuid4

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.routes_agendas import asked_unit, here, pages
from auth import held_forms
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.appointments import actions as appointment_actions
from services.appointments.actions import AlreadyOver, NotBookable, PatientBusy, SlotTaken
from services.appointments.agendas import actions, queries
from services.appointments.agendas.actions import AlreadyEnded, Away
from services.appointments.agendas.forms import AbsenceForm, CallForm, EndForm, PlaceAgainForm, given
from services.appointments.agendas.models import Absence
from services.appointments.agendas.queries import Scope
from services.appointments.models import Appointment
from services.appointments.slots import Slot

_REFUSALS = (SlotTaken, NotBookable, PatientBusy, AlreadyOver)


# -- absences ----------------------------------------------------------------------------------------------------


@pages.get("/absences")
def absences() -> str:
    """Who is away or what is closed, now and later, and whom that leaves to place again."""
    return render_template(
        "admin/agendas/absences.html",
        absences=queries.absences(here()),
        left=queries.stranded_by_absence(here()),
        places=_places(),
    )


def _places() -> dict[UUID, Establishment]:
    return {each: session.get_one(Establishment, each) for each in here()}


@pages.route("/absences/nouvelle", methods=["GET", "POST"])
@once
def new_absence() -> Response | str | tuple[str, int]:
    """Announce an absence; whom it leaves to place again is shown before it is done."""
    held = held_forms.take()
    form = AbsenceForm(formdata=held) if held else AbsenceForm(whom=request.args.get("whom", ""))
    offered = _offer(form)
    status = 200
    if request.method == "POST" and "back" not in request.form:
        if form.validate():
            return _announce(form, offered[form.whom.data])
        status = 422
    form.once.data = str(uuid4())
    return render_template("admin/agendas/absence_form.html", form=form), status


def _offer(form: AbsenceForm) -> dict[str, UUID]:
    """Fill the list of whom and what; gives the hospital of each."""
    people = [(f"practitioner_id:{each.id}", each.full_name, each) for each in queries.practitioners_at(here())]
    units = [(f"unit_id:{each.id}", _("Unit: %(name)s", name=each.name), each) for each in queries.units_at(here())]
    rooms = [(f"room_id:{each.id}", _("Room: %(name)s", name=each.name), each) for each in queries.rooms_at(here())]
    listed: list[tuple[str, str, Any]] = [*people, *units, *rooms]
    form.whom.choices = choices([("", _("Choose")), *((code, name) for code, name, _row in listed)])
    return {code: row.establishment_id for code, _name, row in listed}


def _announce(form: AbsenceForm, establishment_id: UUID) -> Response | str:
    place = session.get_one(Establishment, establishment_id)
    kind, _colon, whom = form.whom.data.partition(":")
    whose: dict[str, Any] = {kind: UUID(whom)}
    away = Away(*form.span(place.tz), form.why.data, **whose)
    if "confirm" in request.form:
        absence_id = actions.announce(place.id, away)
        flash(_("The time is closed: nobody can book it any more."), "success")
        return redirect(url_for(".absence", absence_id=absence_id), 303)
    with db.taken_back():
        absence_id = actions.announce(place.id, away)
        absence_ = queries.absence(absence_id, [place.id])
        left = queries.stranded(Scope([place.id], absence=absence_), limit=500)
        listed = [
            (each.start_at, each.patient.full_name, each.reason.name, each.practitioner.full_name) for each in left
        ]
    if listed:
        actions.open_list(place.id)
    posted = [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "once")]
    return render_template(
        "admin/agendas/absence_preview.html", away=away, listed=listed, posted=posted, once=str(uuid4()), tz=place.tz
    )


@pages.get("/absences/<uuid:absence_id>")
def absence(absence_id: UUID) -> str:
    """One absence, and the patients it leaves to place again."""
    found = _absence(absence_id)
    return _stranded_page(Scope([found.establishment_id], absence=found), EndForm(MultiDict()), PlaceAgainForm())


def _absence(absence_id: UUID) -> Absence:
    return queries.absence(absence_id, here()) or abort(404)


@pages.post("/absences/<uuid:absence_id>/fin")
def end_absence(absence_id: UUID) -> Response | tuple[str, int]:
    """Somebody is back sooner: their time is open again."""
    found, form = _absence(absence_id), EndForm()
    if not form.validate():
        return _stranded_page(Scope([found.establishment_id], absence=found), form, PlaceAgainForm(MultiDict())), 422
    tz = session.get_one(Establishment, found.establishment_id).tz
    try:
        actions.end(found, calendar.to_utc_or_after(given(form.day.data), form.at.data or time(), tz))
    except AlreadyEnded:
        flash(_("This absence was over already."), "info")
    else:
        flash(_("The time that follows is open again."), "success")
    return redirect(url_for(".absences"), 303)


# -- patients to place again -------------------------------------------------------------------------------------


@pages.get("/a-replacer")
def stranded() -> str:
    """Patients whose time has closed, whatever closed it."""
    units = queries.units_at(here())
    unit = asked_unit(units) if request.args.get("unit") else None
    return _stranded_page(Scope(here(), unit_id=unit.id if unit else None), None, PlaceAgainForm(), units, unit)


def _stranded_page(
    scope: Scope, end: EndForm | None, form: PlaceAgainForm, units: Sequence[Any] = (), unit: Any = None
) -> str:
    left = queries.stranded(scope)
    for establishment_id in {each.establishment_id for each in left}:
        actions.open_list(establishment_id)
    return render_template(
        "admin/agendas/stranded.html",
        absence=scope.absence,
        left=left,
        count=queries.count_stranded(scope) if len(left) == queries.SHOWN_AT_ONCE else len(left),
        proposals=queries.proposals(left),
        calls=queries.called([each.id for each in left]),
        form=form,
        end=end,
        units=units,
        unit=unit,
        tz=session.get_one(Establishment, scope.absence.establishment_id).tz if scope.absence else None,
    )


@pages.post("/a-replacer")
def place_again() -> Response | tuple[str, int]:
    """Move the patients ticked to the times chosen, put them on the call list, or cancel with a message."""
    form = PlaceAgainForm()
    back = _back()
    if not form.validate():
        flash(_("Tick one patient at least, and say what to do."), "danger")
        return redirect(back, 303)
    try:
        chosen = queries.appointments(form.ids, here())
    except ValueError:
        abort(404)
    why = _why_moved()
    done = sum(_place_one(each, form, why) for each in chosen)
    if done:
        flash(_DONE[form.what.data or ""](done), "success")
    if missed := len(form.ids) - done:
        flash(
            ngettext(
                "%(num)d patient could not be moved: the time was taken, or they are busy then. Choose another one.",
                "%(num)d patients could not be moved: the times were taken, or they are busy then. Choose other ones.",
                missed,
            ),
            "danger",
        )
    return redirect(back, 303)


_DONE = {
    "move": lambda num: ngettext(
        "%(num)d patient is moved and told by mail, if we have an address.",
        "%(num)d patients are moved and told by mail, if we have an address.",
        num,
    ),
    "call": lambda num: ngettext("%(num)d patient is on the call list.", "%(num)d patients are on the call list.", num),
    "cancel": lambda num: ngettext(
        "%(num)d appointment is cancelled and the patient is told by mail, if we have an address.",
        "%(num)d appointments are cancelled and the patients are told by mail, if we have an address.",
        num,
    ),
}


def _back() -> str:
    """The list that was being worked on."""
    with suppress(ValueError):
        if asked := request.form.get("absence"):
            return url_for(".absence", absence_id=UUID(asked))
        if asked := request.form.get("unit"):
            return url_for(".stranded", unit=UUID(asked))
    return url_for(".stranded")


def _why_moved() -> str:
    """One of states.MOVED_BY_HOSPITAL."""
    with suppress(ValueError):
        found = queries.absence(UUID(request.form.get("absence", "")), here())
        if found is not None and found.practitioner_id is None:
            return "unit_closed"
    return "practitioner_absent"


def _place_one(appointment: Appointment, form: PlaceAgainForm, why: str) -> bool:
    if form.what.data == "call":
        actions.to_call(appointment)
        return True
    try:
        with session.begin_nested():
            if form.what.data == "cancel":
                appointment_actions.cancel_for_patient(appointment, form.why.data)
            else:
                slot = Slot.parse(request.form.get(f"slot-{appointment.id}", ""))
                appointment_actions.move_for_patient(appointment, slot, why)
    except (*_REFUSALS, ValueError):
        return False
    return True


# -- calls -------------------------------------------------------------------------------------------------------


@pages.get("/appels")
def calls() -> str:
    """Whom to call, with their numbers; printable."""
    listed = queries.calls(here())
    for establishment_id in {each.establishment_id for each in listed}:
        actions.open_list(establishment_id)
    return render_template(
        "admin/agendas/calls.html",
        calls=listed,
        form=CallForm(MultiDict()),
        left=sum(each.state != "reached" for each in listed),
    )


@pages.post("/appels/<uuid:call_id>")
def tried(call_id: UUID) -> Response:
    """Somebody called."""
    call, form = queries.call(call_id, here()) or abort(404), CallForm()
    if not form.validate():
        flash(_("Say what came of the call."), "danger")
        return redirect(url_for(".calls"), 303)
    actions.tried(call, form.state.data)
    return redirect(url_for(".calls") + f"#call-{call.id}", 303)
