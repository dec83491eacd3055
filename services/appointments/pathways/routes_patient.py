"""Booking visits together, seeing them, giving them back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import calendar, db
from portal.web import branding
from portal.web.repeated_posts import once
from services.appointments import for_whom
from services.appointments.actions import (
    AlreadyOver,
    KnownPatientsOnly,
    NotBookable,
    PatientBusy,
    SlotTaken,
    TooLateToCancel,
    TooManyAppointments,
)
from services.appointments.forms import CancelForm
from services.appointments.models import Appointment
from services.appointments.pathways import actions, queries
from services.appointments.pathways.forms import VisitsForm, slots_asked
from services.appointments.pathways.models import DAY, Pathway
from services.appointments.pathways.queries import Visit

pages = guards.patients(
    Blueprint("my_pathways", __name__, url_prefix="/rendez-vous/parcours", template_folder="templates"), "appointments"
)


@pages.get("/<uuid:pathway_id>/confirmer")
def confirm(pathway_id: UUID) -> str:
    """Every visit, before the last click."""
    pathway = _pathway(pathway_id)
    visits = _visits(pathway, request.args.get("slots", ""))
    held, whom = held_forms.take(), for_whom.asked(request.args.get("for", ""))
    form = VisitsForm(formdata=held) if held else VisitsForm(slots=request.args["slots"])
    form.name(whom.people or {})
    form.patient_id.data = form.patient_id.data or str(whom.patient_id or guards.patient_id())
    return _confirmation(pathway, visits, form)


@pages.post("/<uuid:pathway_id>/confirmer")
@once
def book(pathway_id: UUID) -> Response | tuple[str, int]:
    pathway, form = _pathway(pathway_id), VisitsForm()
    visits, whom = _visits(pathway, form.slots.data or ""), for_whom.asked(request.form.get("patient_id", ""))
    form.name(whom.people or {})
    if not form.validate() or whom.patient_id is None:
        return _confirmation(pathway, visits, form), 422
    try:
        chain_id = actions.book(whom.patient_id, pathway, visits)
    except NotBookable:
        abort(404)
    except (SlotTaken, PatientBusy, KnownPatientsOnly, TooManyAppointments) as refusal:
        return _refused(pathway, visits, refusal, whom.patient_id)
    return redirect(url_for(".show", chain_id=chain_id, done=1), 303)


def _pathway(pathway_id: UUID) -> Pathway:
    return queries.one_on_offer(pathway_id) or abort(404)


def _visits(pathway: Pathway, text: str) -> list[Visit]:
    return queries.chosen(pathway, slots_asked(text)) or abort(404)


def _confirmation(pathway: Pathway, visits: Sequence[Visit], form: VisitsForm) -> str:
    missing = [] if pathway.kind == DAY else _missing(pathway, visits)
    return render_template("pathways/confirm.html", pathway=pathway, visits=visits, missing=missing, form=form)


def _missing(pathway: Pathway, visits: Sequence[Visit]) -> list[datetime]:
    """Moments of the series around which nothing is free."""
    asked = queries.series(pathway, visits[0].offer.slot, "web")
    return [each for each in asked if isinstance(each, datetime)]


def _refused(pathway: Pathway, visits: Sequence[Visit], refusal: Exception, patient_id: UUID) -> Response:
    """409: what happened, and other days. Nothing was booked."""
    day = calendar.civil_day(visits[0].at, pathway.establishment.tz)
    page = render_template(
        "pathways/refused.html",
        pathway=pathway,
        why=type(refusal).__name__,
        ways=queries.ways(pathway, "web", max(day, calendar.civil_day(db.now(), pathway.establishment.tz)), patient_id),
    )
    return make_response(page, 409)


# -- what was booked ---------------------------------------------------------------------------------------------


@pages.get("/reserves/<uuid:chain_id>")
def show(chain_id: UUID) -> str:
    """The visits that were booked together."""
    return _page(_mine(chain_id), CancelForm())


@pages.post("/reserves/<uuid:chain_id>/annuler")
def cancel(chain_id: UUID) -> Response | tuple[str, int]:
    visits, form = _mine(chain_id), CancelForm()
    if not form.validate():
        return _page(visits, form), 422
    try:
        actions.cancel(visits, form.why.data)
    except TooLateToCancel:
        return _page(visits, form, too_late=True), 409
    except AlreadyOver:
        flash(_("These visits were already cancelled, or are over."), "info")
    else:
        flash(_("Your visits are cancelled. Thank you: somebody else can have these times."), "success")
    return redirect(url_for(".show", chain_id=chain_id), 303)


def _page(visits: Sequence[Appointment], form: CancelForm, *, too_late: bool = False) -> str:
    to_come = [each for each in visits if each.is_to_come]
    return render_template(
        "pathways/show.html",
        visits=visits,
        form=form,
        is_done="done" in request.args,
        may_cancel=bool(to_come) and all(each.may_be_cancelled for each in to_come),
        is_to_come=bool(to_come),
        too_late=too_late,
    )


def _mine(chain_id: UUID) -> Sequence[Appointment]:
    visits = queries.of_chain(chain_id, db.current_actor().people("administrative")) or abort(404)
    branding.wear_of_all([each.establishment_id for each in visits])
    return visits
