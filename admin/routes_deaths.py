"""Deaths: recorded with a proof, what they leave open, undone by two agents."""

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_deaths import DeathForm, UndoForm
from auth import guards, held_forms
from auth.death import actions, affairs, queries
from auth.death.actions import DeathRefused, NotKnownHere, UndoRefused
from auth.death.models import Death
from auth.models import Patient
from portal import db, establishments
from portal.establishments import Establishment
from portal.web.repeated_posts import once
from services.appointments.forms import FindPatientForm
from services.appointments.queries import find_patients, known_patient

RIGHT = "identity"
death_pages = guards.staff(
    Blueprint("admin_deaths", __name__, url_prefix="/admin/identites/deces", template_folder="templates"), right=RIGHT
)
Answer = Response | tuple[str, int]


@death_pages.get("")
def deaths() -> str:
    """The deaths of my hospitals' patients, those that wait for a second agent first."""
    page = min(max(request.args.get("page", 1, type=int), 1), 1000)
    found = queries.deaths_at(_here(), page)
    return render_template(
        "admin/deaths/deaths.html",
        deaths=found[: queries.PAGE_SIZE],
        page=page,
        is_last=len(found) <= queries.PAGE_SIZE,
        me=db.current_actor().account_id,
    )


# -- recording -----------------------------------------------------------------------------------------------------


@death_pages.route("/nouveau", methods=["GET", "POST"])
def find_patient() -> str | tuple[str, int]:
    """Find the person. A post, so that names stay out of addresses and logs."""
    held = held_forms.take()
    form = FindPatientForm(formdata=held) if held else FindPatientForm()
    form.offer({str(each.id): each.name for each in _hospitals()})
    if request.method == "GET":
        return render_template("admin/deaths/find_patient.html", form=form, found=None)
    if not form.validate():
        return render_template("admin/deaths/find_patient.html", form=form, found=None), 422
    establishment_id = UUID(form.establishment.data)
    found = find_patients(
        establishment_id,
        ipp=(form.ipp.data or "").strip(),
        birth_name=form.birth_name.data or "",
        birth_on=form.birth_on.data,
    )
    return render_template("admin/deaths/find_patient.html", form=form, found=found, establishment_id=establishment_id)


@death_pages.route("/nouveau/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
@once
def declare(establishment_id: UUID, patient_id: UUID) -> Answer:
    """Record the death of somebody the hospital knows."""
    patient = _patient(establishment_id, patient_id)
    if known := queries.in_force(patient_id):
        return redirect(url_for(".show", death_id=known.id), 303)
    held = held_forms.take()
    form = DeathForm(formdata=held) if held else DeathForm()
    if form.validate_on_submit() and (death := _declared(patient, establishment_id, form)):
        flash(_("The death is recorded. See below what is still to settle."), "success")
        return redirect(url_for(".show", death_id=death.id), 303)
    page = render_template("admin/deaths/declare.html", form=form, patient=patient)
    return page, 422 if form.errors else 200


def _declared(patient: Patient, establishment_id: UUID, form: DeathForm) -> Death | None:
    assert form.died_on.data is not None, "the form is valid"
    try:
        return actions.declare(patient.id, died_on=form.died_on.data, source="agent", establishment_id=establishment_id)
    except NotKnownHere:
        abort(404)
    except DeathRefused as refused:
        form.died_on.errors = [
            _("This day is still to come.") if refused.code == "in_future" else _("This day is before the birth.")
        ]
        return None


# -- one death -----------------------------------------------------------------------------------------------------


@death_pages.get("/<uuid:death_id>")
def show(death_id: UUID) -> str:
    """What the declaration ended, and what it leaves open for somebody to decide."""
    return _page(_one(death_id), UndoForm())


@death_pages.post("/<uuid:death_id>/demander-annulation")
@once
def ask_undo(death_id: UUID) -> Answer:
    """The person is alive: a second agent must confirm."""
    death, form = _one(death_id), UndoForm()
    if not form.validate():
        return _page(death, form), 422
    return _tried(death, lambda: actions.ask_undo(death, form.reason.data or ""), _("A second agent must now confirm."))


@death_pages.post("/<uuid:death_id>/renoncer")
def withdraw_undo(death_id: UUID) -> Response:
    """The death was right after all."""
    death = _one(death_id)
    return _tried(death, lambda: actions.withdraw_undo(death), _("The death stays recorded."))


@death_pages.post("/<uuid:death_id>/annuler")
def undo(death_id: UUID) -> Response:
    """The second agent confirms."""
    death = _one(death_id)
    return _tried(
        death,
        lambda: actions.undo(death),
        _("The mistake is put right: the account is open again, with the same accesses as before."),
    )


def _tried(death: Death, act: Callable[[], None], words: str) -> Response:
    refusals = {
        "not_asked": _("Nobody asks for this death to be undone any more."),
        "already_asked": _("A colleague has already asked for it."),
        "same_agent": _("You asked for it yourself: another agent must confirm."),
        "already_undone": _("This death was already undone."),
    }
    death_id = death.id
    try:
        act()
        flash(words, "success")
    except UndoRefused as refused:
        flash(refusals[refused.code], "warning")
    return redirect(url_for(".show", death_id=death_id), 303)


def _page(death: Death, form: UndoForm) -> str:
    actor = db.current_actor()
    accounts, accesses = actions.open_death(death)
    left = affairs.left_by(death.patient_id, _here()) if death.undone_at is None else []
    return render_template(
        "admin/deaths/death.html",
        death=death,
        form=form,
        accounts=accounts,
        accesses=accesses,
        left=left,
        hospitals={each.id: each for each in _hospitals()},
        may=actor.may,
        me=actor.account_id,
    )


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


def _hospitals() -> Sequence[Establishment]:
    return [each for each in establishments.establishments() if each.id in _here()]


def _one(death_id: UUID) -> Death:
    return queries.one_at(_here(), death_id) or abort(404)


def _patient(establishment_id: UUID, patient_id: UUID) -> Patient:
    """Somebody known to a hospital where the agent holds the right; 404 otherwise."""
    here = frozenset({establishment_id}) & _here()
    return (known_patient(patient_id, here) if here else None) or abort(404)
