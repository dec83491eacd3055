"""Changing one's mind after the file was sent; what was read, and what was chosen before."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.web import branding
from services.preadmission import queries as preadmission_queries
from services.preadmission.actions import ChangedMeanwhile, NotEditable
from services.preadmission.choices import actions, queries, texts
from services.preadmission.models import Preadmission
from services.preadmission.steps import STEPS
from services.preadmission.steps.choices import ChoicesForm, rows

choice_pages = guards.patients(
    Blueprint("choices", __name__, url_prefix="/pre-admission", template_folder="templates"), "preadmission"
)
Answer = str | Response | tuple[str, int]


@choice_pages.route("/<uuid:preadmission_id>/choix", methods=["GET", "POST"])
def change(preadmission_id: UUID) -> Answer:
    """The same questions as in the draft; the file stays where it is."""
    file = _file(preadmission_id)
    if file.state == "draft":
        return redirect(url_for("preadmission.step", preadmission_id=file.id, slug=STEPS["choices"].slug), 303)
    if not actions.is_changeable(file):
        return redirect(url_for(".history", preadmission_id=file.id), 303)
    form, status = _form(file), 200
    if form.validate_on_submit():
        try:
            actions.change(file, form.answers(), form.version_read())
        except NotEditable:
            flash(_("Your stay is over: choices for it can no longer be changed."), "info")
            return redirect(url_for("preadmission.show", preadmission_id=file.id), 303)
        except ChangedMeanwhile:
            form.form_errors.append(_("Your choices were changed on another device meanwhile: look at them again."))
            form.version.data, status = str(_version(file)), 409
        else:
            flash(_("Your choices are saved, with their date."), "success")
            return redirect(url_for(".history", preadmission_id=file.id), 303)
    page = render_template("choices/change.html", form=form, file=file)
    return page, status if status != 200 else 422 if form.errors else 200


@choice_pages.get("/<uuid:preadmission_id>/choix/historique")
def history(preadmission_id: UUID) -> str:
    """Each time something was chosen, with the version of the text that was read."""
    file = _file(preadmission_id)
    return render_template(
        "choices/history.html",
        file=file,
        history=queries.history(file.id),
        rows=rows,
        is_changeable=file.state != "draft" and actions.is_changeable(file),
    )


@choice_pages.get("/choix/<string:version>")
def text(version: str) -> str:
    """What was explained, in one version."""
    return render_template("choices/text.html", version=texts.PUBLISHED.get(version) or abort(404))


def _form(file: Preadmission) -> ChoicesForm:
    shown = ChoicesForm.shown(preadmission_queries.answers_of(file.id).get("choices"), file)
    values = {**shown, "version": str(_version(file))}
    held = held_forms.take()
    return ChoicesForm(formdata=held, **values) if held else ChoicesForm(**values)


def _version(file: Preadmission) -> int:
    row = preadmission_queries.steps_of(file.id).get("choices")
    return row.version if row else 0


def _file(preadmission_id: UUID) -> Preadmission:
    return branding.of(preadmission_queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404))
