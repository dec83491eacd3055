"""The patient's pages: my files, the steps of a draft, the receipt, what the hospital answered."""

from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.web.forms import Form
from portal.web.repeated_posts import once
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.preadmission import actions, asked, queries, steps, wording
from services.preadmission.actions import ChangedMeanwhile, Incomplete, NotEditable, StayInThePast, UnitNotOpen
from services.preadmission.forms import CancelForm, SendForm, StayForm
from services.preadmission.models import Preadmission
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
    return render_template("preadmission/home.html", files=queries.of_patient(guards.patient_id()), words=wording)


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
        except (UnitNotOpen, StayInThePast) as refused:
            _explain(form, refused)
        else:
            return redirect(next_page(made, "stay"), 303)
    page = render_template("preadmission/stay.html", form=form, file=None, units=units)
    return page, _status(form)


# -- the steps of a draft ------------------------------------------------------------------------------------------


@patient_pages.route("/<uuid:preadmission_id>/sejour", methods=["GET", "POST"])
def stay(preadmission_id: UUID) -> Answer:
    """Another unit of the same hospital, another day."""
    file = _one(preadmission_id)
    if file.state != "draft":
        return redirect(page_of(file), 303)
    form = _form(StayForm, unit_id=str(file.unit_id), planned_on=file.planned_on, stay_kind=file.stay_kind)
    form.offer(queries.units_on_offer(file.establishment_id))
    if form.validate_on_submit():
        try:
            actions.change_stay(file, form.answers())
        except (UnitNotOpen, StayInThePast) as refused:
            _explain(form, refused)
        except NotEditable:
            return redirect(page_of(file), 303)
        else:
            return _saved(file, "stay")
    return _page("stay", file, form=form, units=None, step="stay"), _status(form)


@patient_pages.route("/<uuid:preadmission_id>/etapes/<slug>", methods=["GET", "POST"])
def step(preadmission_id: UUID, slug: str) -> Answer:
    """One step: shown with what was saved; saved whole, then the next one (or back to the file, for later)."""
    file, wanted = _one(preadmission_id), steps.BY_SLUG.get(slug) or abort(404)
    facts = queries.facts(file)
    if file.state != "draft" or wanted.code not in asked.steps(facts):
        return redirect(page_of(file), 303)
    form = _step_form(file, wanted)
    form.prepare(facts)
    if form.validate_on_submit():
        try:
            actions.fill(file, form.answers(), form.version_read())
        except NotEditable:
            return redirect(page_of(file), 303)
        except ChangedMeanwhile:
            return _collision(file, wanted, form)
        return _saved(file, wanted.code)
    return _page(wanted.page, file, form=form, step=wanted.code, lead=wanted.lead), _status(form)


def _step_form(file: Preadmission, wanted: Step) -> StepForm:
    row = queries.steps_of(file.id).get(wanted.code)
    shown = wanted.form.shown(queries.answers_of(file.id).get(wanted.code), file)
    return _form(wanted.form, **{**shown, "version": str(row.version if row else 0)})


def _collision(file: Preadmission, wanted: Step, form: StepForm) -> Answer:
    """Another device saved this step meanwhile: what is typed here stays, and sending it again replaces the other."""
    row = queries.steps_of(file.id).get(wanted.code)
    form.version.data = str(row.version if row else 0)
    told = steps.told_of({code: each for code, each in queries.answers_of(file.id).items() if code == wanted.code})
    page = _page(wanted.page, file, form=form, step=wanted.code, lead=wanted.lead, elsewhere=told)
    return page, 409


@patient_pages.get("/<uuid:preadmission_id>/pieces")
def pieces(preadmission_id: UUID) -> Answer:
    """Which documents are asked for, and where each stands."""
    file = _one(preadmission_id)
    if file.state != "draft":
        return redirect(page_of(file), 303)
    return _page("pieces", file, pieces=piece_queries.of_folder(file.id), step="pieces")


@patient_pages.route("/<uuid:preadmission_id>/verification", methods=["GET", "POST"])
@once
def check(preadmission_id: UUID) -> Answer:
    """Everything on one page, then the button that sends it."""
    file, form = _one(preadmission_id), SendForm()
    if file.state != "draft":
        return redirect(page_of(file), 303)
    missing = actions.missing_from(file)
    if form.validate_on_submit():
        try:
            actions.submit(file)
        except Incomplete as incomplete:
            form.form_errors.append(_("Something is missing: see the steps marked “To do”."))
            missing = incomplete.missing
        except StayInThePast as past:
            _explain(form, past)
            missing = frozenset({"stay"})
        else:
            return redirect(url_for(".receipt", preadmission_id=file.id), 303)
    page = _page("check", file, form=form, step="check", missing=missing, **_contents(file))
    return page, _status(form)


# -- a file that was sent ------------------------------------------------------------------------------------------


@patient_pages.get("/<uuid:preadmission_id>")
def show(preadmission_id: UUID) -> str:
    """Where the file stands, what the hospital answered, what to do now."""
    file = _one(preadmission_id)
    missing = actions.missing_from(file) if file.state == "draft" else frozenset()
    return _page("show", file, history=queries.history(file.id), missing=missing, **_contents(file))


@patient_pages.get("/<uuid:preadmission_id>/accuse-de-reception")
def receipt(preadmission_id: UUID) -> Answer:
    """The numbered receipt, to print or keep (CRPA, articles L112-11 and R112-11-1)."""
    file = _one(preadmission_id)
    if file.submitted_at is None:
        return redirect(page_of(file), 303)
    return _page("receipt", file, pieces=piece_queries.of_folder(file.id))


@patient_pages.route("/<uuid:preadmission_id>/annuler", methods=["GET", "POST"])
def cancel(preadmission_id: UUID) -> Answer:
    """Ask once, then give the file up."""
    file, form = _one(preadmission_id), CancelForm()
    if not form.validate_on_submit():
        return _page("cancel", file, form=form), _status(form)
    try:
        actions.cancel(file)
    except TransitionRefused:
        flash(_("This file was already closed."), "info")
    else:
        flash(_("Your file is cancelled."), "success")
    return redirect(url_for(".home"), 303)


# -- shared --------------------------------------------------------------------------------------------------------


def _one(preadmission_id: UUID) -> Preadmission:
    return queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404)


def _form(kind: type[F], **values: Any) -> F:
    """The form with what was saved, or with what had been typed when the session ended."""
    held = held_forms.take()
    return kind(formdata=held, **values) if held else kind(**values)


def _contents(file: Preadmission) -> dict[str, Any]:
    """What a file holds, for the pages that show all of it."""
    return {
        "told": steps.told_of(queries.answers_of(file.id)),
        "pieces": piece_queries.of_folder(file.id),
    }


def _page(name: str, file: Preadmission, **shown: Any) -> str:
    """A page of a file; `todo` lists the pages of a draft, each with its address."""
    todo = [(code, steps.TITLES[code], page_of(file, code)) for code in pages(file)]
    template = name if "/" in name else f"preadmission/{name}.html"
    return render_template(
        template,
        file=file,
        todo=todo,
        minutes=asked.MINUTES,
        words=wording,
        piece_words=piece_wording,
        elsewhere=shown.pop("elsewhere", None),
        **shown,
    )


def pages(file: Preadmission) -> list[str]:
    """The pages of this person's draft, in order."""
    return [code for code in asked.steps(queries.facts(file)) if code in steps.TITLES]


def _status(form: Form) -> int:
    return 422 if form.errors or form.form_errors else 200


def _saved(file: Preadmission, code: str) -> Response:
    return redirect(page_of(file) if "later" in request.form else next_page(file, code), 303)


def next_page(file: Preadmission, code: str) -> str:
    """The page after this one, as the answers make it now."""
    names = pages(file)
    return page_of(file, names[min(names.index(code) + 1, len(names) - 1)])


def page_of(file: Preadmission, code: str = "") -> str:
    """The address of a page while the file is a draft, else of the file itself."""
    if file.state != "draft" or not code:
        return url_for(".show", preadmission_id=file.id)
    if code in steps.STEPS:
        return url_for(".step", preadmission_id=file.id, slug=steps.STEPS[code].slug)
    return url_for(f".{code}", preadmission_id=file.id)


def _explain(form: Any, refused: Exception) -> None:
    """Say what an action refused, where it can be corrected."""
    if isinstance(refused, StayInThePast):
        words, field = _("This day has passed: write the day you are expected."), form._fields.get("planned_on")
    else:
        words, field = _("This unit does not take online files any more. Call the hospital."), form.unit_id
    if field is None:
        form.form_errors.append(words)
    else:
        field.errors = [*field.errors, words]
