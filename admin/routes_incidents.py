"""The register of incidents: what happened, whom it touches, until when the CNIL must be told, and what was done."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_oversight import INCIDENT_KINDS, RISKS, STEP_WORDS, ClosingForm, IncidentForm, StepForm
from auth import guards
from auth.oversight import actions, queries
from auth.oversight.actions import AlreadyClosed, StillOpen
from auth.oversight.models import SecurityIncident
from portal import db
from portal.establishments import Establishment
from portal.web.fields import choices
from portal.web.repeated_posts import once

incident_pages = guards.staff(
    Blueprint("admin_incidents", __name__, url_prefix="/admin/incidents", template_folder="templates"), right="audit"
)
Answer = Response | tuple[str, int]


@incident_pages.get("")
def register() -> str:
    """The incidents of my hospitals, the open ones first."""
    found = queries.incidents(guards.establishments("audit"))
    return render_template(
        "admin/oversight/incidents.html",
        incidents=[(each, queries.clock(each)) for each in found],
        kinds=INCIDENT_KINDS,
        now=db.now(),
    )


@incident_pages.route("/ajouter", methods=["GET", "POST"])
@once
def add() -> Answer:
    """Write an incident into the register."""
    hospitals = _mine()
    form = IncidentForm()
    hospital = _offer(form, hospitals)
    if form.validate_on_submit():
        incident = actions.open_incident(hospital, form.report())
        flash(_("The incident is in the register. Write down each thing that is done about it."), "success")
        return redirect(url_for(".one", incident_id=incident.id), 303)
    page = render_template("admin/oversight/incident_form.html", form=form, hospitals=hospitals, incident=None)
    return page, 422 if form.errors else 200


@incident_pages.route("/<uuid:incident_id>", methods=["GET", "POST"])
def one(incident_id: UUID) -> Answer:
    """One incident: what is known, the clock, what was done; and the next step."""
    incident, form = _incident(incident_id), StepForm()
    if form.validate_on_submit():
        try:
            actions.add_step(incident, form.kind.data, form.words.data or "")
        except AlreadyClosed:
            flash(_("This incident was closed meanwhile."), "info")
        return redirect(url_for(".one", incident_id=incident.id), 303)
    page = render_template(
        "admin/oversight/incident.html",
        form=form,
        incident=incident,
        clock=queries.clock(incident),
        now=db.now(),
        kinds=INCIDENT_KINDS,
        risks=RISKS,
        steps=STEP_WORDS,
    )
    return page, 422 if form.errors else 200


@incident_pages.route("/<uuid:incident_id>/corriger", methods=["GET", "POST"])
@once
def revise(incident_id: UUID) -> Answer:
    """What is known has changed."""
    incident = _incident(incident_id)
    known = {name: getattr(incident, name) for name in ("kind", "title", "facts", "risk", "people")}
    zone = incident.establishment.tz
    form = IncidentForm(**known, detected_at=incident.detected_at.astimezone(zone).replace(tzinfo=None))
    _offer(form, [incident.establishment])
    if form.validate_on_submit():
        try:
            actions.revise(incident, form.report())
        except AlreadyClosed:
            flash(_("This incident was closed meanwhile."), "info")
        return redirect(url_for(".one", incident_id=incident.id), 303)
    page = render_template(
        "admin/oversight/incident_form.html", form=form, hospitals=[incident.establishment], incident=incident
    )
    return page, 422 if form.errors else 200


@incident_pages.route("/<uuid:incident_id>/clore", methods=["GET", "POST"])
def close(incident_id: UUID) -> Answer:
    """Nothing more is to be done."""
    incident, form = _incident(incident_id), ClosingForm()
    if form.validate_on_submit():
        try:
            actions.close_incident(incident, form.words.data or "")
        except AlreadyClosed:
            flash(_("This incident was closed meanwhile."), "info")
        except StillOpen:
            form.words.errors = [
                _("First write that the CNIL was told, or why it need not be; and, at a high risk, that people were")
            ]
            return render_template("admin/oversight/incident_close.html", form=form, incident=incident), 422
        return redirect(url_for(".one", incident_id=incident.id), 303)
    page = render_template("admin/oversight/incident_close.html", form=form, incident=incident)
    return page, 422 if form.errors else 200


def _offer(form: IncidentForm, hospitals: Sequence[Establishment]) -> Establishment:
    """The hospital chosen among these; the form reads its moments on that hospital's clock."""
    form.establishment.choices = choices((each.finess, each.name) for each in hospitals)
    if len(hospitals) == 1:
        form.establishment.data = hospitals[0].finess
    hospital = next((each for each in hospitals if each.finess == form.establishment.data), hospitals[0])
    form.zone = hospital.tz
    return hospital


def _mine() -> Sequence[Establishment]:
    return queries_figures.hospitals(guards.establishments("audit"))


def _incident(incident_id: UUID) -> SecurityIncident:
    return queries.one_incident(guards.establishments("audit"), incident_id) or abort(404)
