"""The desk: somebody lost their telephone and their sheet of codes, and stands there with an identity document."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, render_template
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_assurance import DeskCheckForm
from admin.forms_identities import PatientSearchForm
from auth import guards
from auth.enrolment import queries
from auth.factors import desk, totp
from auth.factors.desk import NoAccount
from auth.local import actions as local
from auth.models import Patient
from portal import db

RIGHT = "identity"
lost_factor_pages = guards.staff(
    Blueprint(
        "admin_lost_factors", __name__, url_prefix="/admin/identites/facteurs-perdus", template_folder="templates"
    ),
    right=RIGHT,
)


@lost_factor_pages.route("", methods=["GET", "POST"])
def find_patient() -> str | tuple[str, int]:
    """Find the person. A post, so that names stay out of addresses and logs."""
    form, found = PatientSearchForm(), None
    if form.validate_on_submit():
        if form.asked is None:
            form.birth_on.errors = [_("Give a patient number, or a birth date")]
        else:
            found = queries.search(guards.establishments(RIGHT), **form.asked)
    return render_template("admin/factors/find_patient.html", form=form, found=found), 422 if form.errors else 200


@lost_factor_pages.route("/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
def help_patient(establishment_id: UUID, patient_id: UUID) -> Response | str | tuple[str, int]:
    """Check the document, then print a code (or a link, for an account without FranceConnect) for 15 minutes."""
    patient = _patient(establishment_id, patient_id)
    account = desk.account_of(patient_id, establishment_id)
    if account is None:
        return render_template("admin/factors/no_account.html", patient=patient)
    form = DeskCheckForm()
    if form.validate_on_submit():
        return _printed(patient, establishment_id, form.document.data)
    page = render_template("admin/factors/help_patient.html", form=form, patient=patient, account=account)
    return page, 422 if form.errors else 200


def _printed(patient: Patient, establishment_id: UUID, document: str) -> str:
    """In the answer itself: the code is kept nowhere, and reloading prints another one."""
    try:
        given = desk.help_lost(patient.id, establishment_id, document)
    except NoAccount:
        abort(404)
    base = current_app.config["SETTINGS"].base_url
    shown: dict[str, Any] = {"code": given.code, "link": "", "picture": ""}
    if given.token:
        shown["link"] = base + local.path(given.token)
        shown["picture"] = totp.picture(shown["link"])
    return render_template("admin/factors/printed.html", patient=patient, base=base, **shown)


def _patient(establishment_id: UUID, patient_id: UUID) -> Patient:
    """Somebody whom one of my hospitals knows; 404 for anybody else."""
    if establishment_id not in guards.establishments(RIGHT):
        abort(404)
    found = db.session.get(Patient, patient_id)
    return found if found and desk.is_known(patient_id, establishment_id) else abort(404)
