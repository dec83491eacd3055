"""The patient's pages: my files, the steps of a draft, the receipt, what the hospital answered."""

from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import calendar, db
from portal.web import branding
from portal.web.forms import Form
from portal.web.repeated_posts import once
from portal.web.ui import long_day
from services.preadmission import actions, additions, asked, pages, queries, steps, towns, wording
from services.preadmission.actions import (
    ChangedMeanwhile,
    Incomplete,
    NotEditable,
    NotOpenYet,
    StayInThePast,
    UnitNotOpen,
)
from services.preadmission.forms import CancelForm, SendForm, StayForm
from services.preadmission.models import Preadmission
from services.preadmission.pages import Opened
from services.preadmission.states import TransitionRefused
from services.preadmission.steps import Step, StepForm

patient_pages = guards.patients(
    Blueprint("preadmission", __name__, url_prefix="/pre-admission", template_folder="templates"), "preadmission"
)
F = TypeVar("F", bound=Form)
Answer = str | Response | tuple[str, int]


@patient_pages.get("")
def home() -> str:
    """My files, and the way to a new one."""
    patient_id = guards.patient_id()
    return render_template(
        "preadmission/home.html",
        files=queries.of_patient(patient_id),
        cards=additions.cards(patient_id),
        words=wording,
    )


# -- a new file ----------------------------------------------------------------------------------------------------


@patient_pages.route("/nouvelle", methods=["GET", "POST"])
@once
def start() -> Answer:
    """The first step: it opens the draft."""
    form = _form(StayForm)
    units = queries.units_on_offer()
    form.offer(units)
    if form.validate_on_submit():
        try:
            made = actions.start(guards.patient_id(), form.answers())
        except (UnitNotOpen, StayInThePast, NotOpenYet) as refused:
            _explain(form, refused)
        else:
            return redirect(pages.after(made, "stay"), 303)
    page = render_template("preadmission/stay.html", form=form, file=None, opened=None, units=units)
    return page, _status(form)


@patient_pages.get("/communes")
def towns_at() -> Response:
    """The towns of a postcode, for the page that proposes them as one types."""
    return jsonify(towns.at(request.args.get("code", "")))


# -- the steps of a draft ------------------------------------------------------------------------------------------


@patient_pages.route("/<uuid:preadmission_id>/sejour", methods=["GET", "POST"])
def stay(preadmission_id: UUID) -> Answer:
    """Another unit of the same hospital, another day; only shown when it is the hospital that knows."""
    opened = _open(preadmission_id)
    file = opened.file
    if file.state != "draft":
        return redirect(pages.address(file), 303)
    if file.origin in pages.SETTLED_STAY:
        return pages.show("stay", opened, form=None, step="stay")
    form = _form(StayForm, unit_id=str(file.unit_id), planned_on=file.planned_on, stay_kind=file.stay_kind)
    form.offer(queries.units_on_offer(file.establishment_id))
    if form.validate_on_submit():
        try:
            actions.change_stay(file, form.answers())
        except (UnitNotOpen, StayInThePast, NotOpenYet) as refused:
            _explain(form, refused)
        except NotEditable:
            return _too_late(file)
        else:
            return _saved(file, "stay")
    return pages.show("stay", opened, form=form, step="stay"), _status(form)


@patient_pages.route("/<uuid:preadmission_id>/etapes/<slug>", methods=["GET", "POST"])
def step(preadmission_id: UUID, slug: str) -> Answer:
    """One step: shown with what was saved; saved whole, then the next one (or back to the file, for later)."""
    opened, wanted = _open(preadmission_id), steps.BY_SLUG.get(slug) or abort(404)
    file = opened.file
    if file.state != "draft":
        return _too_late(file) if request.method == "POST" else redirect(pages.address(file), 303)
    if wanted.code not in asked.steps(opened.facts):
        return redirect(pages.address(file), 303)
    form = _step_form(opened, wanted)
    if form.is_submitted() and form.helps():
        return _step_page(opened, wanted, form)
    if form.validate_on_submit():
        try:
            actions.fill(file, form.answers(), form.version_read())
        except NotEditable:
            return _too_late(file)
        except ChangedMeanwhile:
            return _collision(file, wanted, form)
        return _saved(file, wanted.code)
    return _step_page(opened, wanted, form), _status(form)


def _step_form(opened: Opened, wanted: Step) -> StepForm:
    row = opened.rows.get(wanted.code)
    shown = wanted.form.shown(opened.facts.answers.get(wanted.code), opened.file)
    form = _form(wanted.form, **{**shown, "version": str(row.version if row else 0)})
    form.today = calendar.civil_day(db.now(), opened.file.establishment.tz)
    form.prepare(opened.facts)
    return form


def _step_page(opened: Opened, wanted: Step, form: StepForm, **shown: Any) -> str:
    return pages.show(wanted.page, opened, form=form, step=wanted.code, lead=wanted.lead, **shown)


def _collision(file: Preadmission, wanted: Step, form: StepForm) -> Answer:
    """Another device saved this step meanwhile: what is typed here stays, and sending it again replaces the other."""
    opened = Opened(file)
    form.version.data = str(opened.rows[wanted.code].version)
    told = steps.told_of({wanted.code: opened.facts.answers[wanted.code]}, own=True)
    return _step_page(opened, wanted, form, elsewhere=told), 409


@patient_pages.get("/<uuid:preadmission_id>/pieces")
def pieces(preadmission_id: UUID) -> Answer:
    """Which documents are asked for, and where each stands."""
    opened = _open(preadmission_id)
    if opened.file.state != "draft":
        return redirect(pages.address(opened.file), 303)
    return pages.show("pieces", opened, step="pieces")


@patient_pages.route("/<uuid:preadmission_id>/verification", methods=["GET", "POST"])
@once
def check(preadmission_id: UUID) -> Answer:
    """Everything on one page, then the button that sends it."""
    opened, form = _open(preadmission_id), SendForm()
    file = opened.file
    if file.state != "draft":
        return redirect(pages.address(file), 303)
    missing = opened.missing
    if form.validate_on_submit():
        try:
            actions.submit(file, late=additions.is_late(file))
        except Incomplete as incomplete:
            form.form_errors.append(_("Something is missing: see the steps marked “To do”."))
            missing = incomplete.missing
        except StayInThePast as past:
            _explain(form, past)
            missing = frozenset({"stay"})
        except TransitionRefused:
            return _too_late(file)
        else:
            return redirect(url_for(".receipt", preadmission_id=file.id), 303)
    page = pages.show("check", opened, form=form, step="check", missing=missing, late=additions.is_late(file))
    return page, _status(form)


# -- a file that was sent ------------------------------------------------------------------------------------------


@patient_pages.get("/<uuid:preadmission_id>")
def show(preadmission_id: UUID) -> str:
    """A draft: what is left to do. A file that was sent: where it stands, what the hospital answered, what to do."""
    opened = _open(preadmission_id)
    notes = additions.notes(opened.file)
    if opened.file.state == "draft":
        return pages.show("tasks", opened, notes=notes, minutes_left=asked.minutes(opened.missing))
    return pages.show("show", opened, notes=notes, history=queries.history(opened.file.id))


@patient_pages.get("/<uuid:preadmission_id>/accuse-de-reception")
def receipt(preadmission_id: UUID) -> Answer:
    """The numbered receipt, to print or keep (CRPA, articles L112-11 and R112-11-1)."""
    opened = _open(preadmission_id)
    if opened.file.submitted_at is None:
        return redirect(pages.address(opened.file), 303)
    return pages.show("receipt", opened)


@patient_pages.route("/<uuid:preadmission_id>/annuler", methods=["GET", "POST"])
def cancel(preadmission_id: UUID) -> Answer:
    """Ask once, then give the file up."""
    opened, form = _open(preadmission_id), CancelForm()
    if not form.validate_on_submit():
        return pages.show("cancel", opened, form=form), _status(form)
    try:
        actions.cancel(opened.file)
    except TransitionRefused:
        flash(_("This file was already closed."), "info")
    else:
        flash(_("Your file is cancelled."), "success")
    return redirect(url_for(".home"), 303)


# -- shared --------------------------------------------------------------------------------------------------------


def _open(preadmission_id: UUID) -> Opened:
    return Opened(branding.of(queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404)))


def _form(kind: type[F], **values: Any) -> F:
    """The form with what was saved, or with what had been typed when the session ended."""
    held = held_forms.take()
    return kind(formdata=held, **values) if held else kind(**values)


def _status(form: Form) -> int:
    return 422 if form.errors or form.form_errors else 200


def _saved(file: Preadmission, code: str) -> Response:
    return redirect(pages.address(file) if "later" in request.form else pages.after(file, code), 303)


def _too_late(file: Preadmission) -> Response:
    """The file was sent, or closed, while this page was open elsewhere."""
    flash(_("This file has been sent already: its answers cannot be changed here any more."), "info")
    return redirect(pages.address(file), 303)


def _explain(form: Any, refused: Exception) -> None:
    """Say what an action refused, where it can be corrected."""
    on_the_day = form._fields.get("planned_on")
    if isinstance(refused, StayInThePast):
        words, field = _("This day has passed: write the day you are expected."), on_the_day
    elif isinstance(refused, NotOpenYet):
        words = _("It is too early: this stay can be prepared from %(day)s on.", day=long_day(refused.opens_on))
        field = on_the_day
    else:
        words, field = _("This unit does not take online files any more. Call the hospital."), form.unit_id
    if field is None:
        form.form_errors.append(words)
    else:
        field.errors = [*field.errors, words]
