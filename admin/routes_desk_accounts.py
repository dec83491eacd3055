"""Accounts opened at the desk on an identity document, where the hospital offers it."""

from uuid import UUID

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_desk_accounts import DeskAccountForm
from auth import guards, held_forms
from auth.factors import totp
from auth.guests import desk
from auth.guests.desk import HasAccount, NotOffered
from auth.local import actions as local
from portal import establishments
from portal.establishments import Establishment
from portal.web.repeated_posts import once
from services.appointments.forms import FindPatientForm
from services.appointments.queries import find_patients, known_patient

desk_pages = guards.staff(
    Blueprint("admin_desk_accounts", __name__, url_prefix="/admin/identites/comptes", template_folder="templates"),
    right="identity",
)
Answer = Response | tuple[str, int]
_LINK = "desk_account"
"""In the agent's own signed cookie, until the page that shows it once."""


@desk_pages.route("", methods=["GET", "POST"])
def find_patient() -> str | tuple[str, int]:
    """Find the person at the desk. A post, so that names stay out of addresses and logs."""
    hospitals = _hospitals()
    if not hospitals:
        return render_template("admin/desk_accounts/not_offered.html")
    held = held_forms.take()
    form = FindPatientForm(formdata=held) if held else FindPatientForm()
    form.offer({str(each.id): each.name for each in hospitals})
    if request.method == "GET":
        return render_template("admin/desk_accounts/find_patient.html", form=form, found=None)
    if not form.validate():
        return render_template("admin/desk_accounts/find_patient.html", form=form, found=None), 422
    establishment_id = UUID(form.establishment.data)
    found = find_patients(
        establishment_id,
        ipp=(form.ipp.data or "").strip(),
        birth_name=form.birth_name.data or "",
        birth_on=form.birth_on.data,
    )
    return render_template(
        "admin/desk_accounts/find_patient.html", form=form, found=found, establishment_id=establishment_id
    )


@desk_pages.route("/<uuid:establishment_id>/<uuid:patient_id>", methods=["GET", "POST"])
@once
def open_account(establishment_id: UUID, patient_id: UUID) -> Answer:
    """Open the account; the link to print is on the next page, once."""
    hospital = next((each for each in _hospitals() if each.id == establishment_id), None) or abort(404)
    patient = known_patient(patient_id, [hospital.id]) or abort(404)
    form = DeskAccountForm()
    if form.validate_on_submit():
        try:
            token = desk.open_account(patient.id, hospital.id, form.document.data)
        except NotOffered:
            abort(404)
        except HasAccount:
            form.document.errors = [
                _("This person has an account already: they sign in, or have a lost factor replaced at the desk.")
            ]
        else:
            cookie[_LINK] = [local.path(token), patient.full_name, hospital.name]
            return redirect(url_for(".printed"), 303)
    page = render_template("admin/desk_accounts/open.html", form=form, patient=patient, hospital=hospital)
    return page, 422 if form.errors else 200


@desk_pages.get("/lien")
def printed() -> str:
    """The link to print, once: it is kept nowhere, and lives fifteen minutes."""
    path, name, place = cookie.pop(_LINK, None) or ("", "", "")
    link = f"{current_app.config['SETTINGS'].base_url.rstrip('/')}{path}" if path else ""
    drawn = totp.picture(link) if link else ""
    return render_template("admin/desk_accounts/printed.html", link=link, drawn=drawn, name=name, place=place)


def _hospitals() -> list[Establishment]:
    """Where the agent may open accounts, and the hospital offers it."""
    here = guards.establishments("identity")
    return [each for each in establishments.establishments() if each.id in here and desk.is_offered(each.id)]
