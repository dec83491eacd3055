"""A hospital's own identity provider for its agents: set up, tried, taken away."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_hospital_provider import MAKES, HospitalProviderForm
from auth import guards, held_forms
from auth.factors.sealing import Unsealable
from auth.hospital_providers import actions, doors, queries
from auth.hospital_providers.actions import ProviderUnsafe, UnknownProvider
from auth.hospital_providers.models import HospitalProvider
from auth.oidc import Finding
from portal.establishments import Establishment
from portal.web.forms import Form

provider_pages = guards.staff(
    Blueprint(
        "admin_hospital_provider", __name__, url_prefix="/admin/connexion-etablissement", template_folder="templates"
    ),
    right="administration",
)


@provider_pages.get("")
def hospitals() -> str:
    """The hospitals that one administers, and the provider of each."""
    mine = _mine()
    return render_template(
        "admin/hospital_provider/list.html",
        hospitals=mine,
        providers=queries.of_hospitals([each.id for each in mine]),
        makes=MAKES,
    )


@provider_pages.route("/<finess>", methods=["GET", "POST"])
def change(finess: str) -> Response | tuple[str, int]:
    """Set up or change the provider of one hospital."""
    hospital = _one(finess)
    provider, held = queries.of_hospital(hospital.id), held_forms.take()
    form = HospitalProviderForm(formdata=held) if held else HospitalProviderForm.showing(provider)
    if form.validate_on_submit():
        try:
            actions.configure(hospital.id, form.draft(), current_app.config["SETTINGS"])
        except ProviderUnsafe as refused:
            form.tell(refused)
        else:
            flash(_("Saved. Try it now, before telling your colleagues."), "success")
            return redirect(url_for("admin_hospital_provider.hospitals"), 303)
    page = render_template(
        "admin/hospital_provider/change.html", form=form, hospital=hospital, provider=provider, address=_address(finess)
    )
    return page, 422 if form.errors else 200


@provider_pages.post("/<finess>/essai")
def trial(finess: str) -> str:
    """Ask the provider what it publishes, now, and say what would go wrong."""
    hospital = _one(finess)
    provider = queries.of_hospital(hospital.id) or abort(404)
    return render_template(
        "admin/hospital_provider/trial.html", hospital=hospital, provider=provider, findings=_findings(provider)
    )


@provider_pages.route("/<finess>/retirer", methods=["GET", "POST"])
def remove(finess: str) -> Response | str:
    """Take it away, after a page that says what ends."""
    hospital, form = _one(finess), Form()
    provider = queries.of_hospital(hospital.id) or abort(404)
    if form.validate_on_submit():
        try:
            actions.remove(hospital.id)
        except UnknownProvider:
            abort(404)
        flash(_("Removed. Whoever had come through it is signed out."), "success")
        return redirect(url_for("admin_hospital_provider.hospitals"), 303)
    return render_template("admin/hospital_provider/remove.html", form=form, hospital=hospital, provider=provider)


def _findings(provider: HospitalProvider) -> list[Finding]:
    try:
        return doors.client(provider).examine()
    except (ValueError, Unsealable):
        return [Finding("settings", "unreadable")]


def _address(finess: str) -> str:
    """Where the provider must send people back, for its administrator to declare."""
    return f"{current_app.config['SETTINGS'].base_url}/auth/{actions.door_name(finess)}"


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("administration")))


def _one(finess: str) -> Establishment:
    return next((each for each in _mine() if each.finess == finess), None) or abort(404)
