"""What my hospitals ask of whoever signs in."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_assurance import SERVICE_TITLES, AssuranceForm
from auth import assurance, guards, held_forms
from portal.establishments import Establishment

assurance_pages = guards.staff(
    Blueprint("admin_assurance", __name__, url_prefix="/admin/securite", template_folder="templates"),
    right="administration",
)


@assurance_pages.get("")
def show() -> str:
    """Each hospital's minimums, and what the portal asks as a whole."""
    hospitals = _mine()
    return render_template(
        "admin/assurance/list.html",
        hospitals=hospitals,
        settings={each.id: assurance.settings_of(each.id) for each in hospitals},
        services=SERVICE_TITLES,
        rules=assurance.rules(),
        default=assurance.DEFAULT,
    )


@assurance_pages.route("/<finess>", methods=["GET", "POST"])
def change(finess: str) -> Response | tuple[str, int]:
    """What one hospital asks for."""
    hospital = next((each for each in _mine() if each.finess == finess), None) or abort(404)
    held, former = held_forms.take(), assurance.settings_of(hospital.id)
    form = AssuranceForm(formdata=held) if held else AssuranceForm(data=_as_data(former))
    if form.validate_on_submit():
        _save(hospital, form, former)
        flash(_("Saved. It applies within a few seconds, to open sessions too."), "success")
        return redirect(url_for("admin_assurance.show"), 303)
    return render_template("admin/assurance/change.html", form=form, hospital=hospital), 422 if form.errors else 200


def _as_data(settings: dict[str, str]) -> dict[str, object]:
    chosen = {each: settings.get(assurance.KEY + each, assurance.DEFAULT) for each in assurance.SERVICES}
    reason, local = settings.get(assurance.MAIL_CODES, ""), settings.get(assurance.LOCAL_ACCOUNTS) == "yes"
    return chosen | {"mail_codes": reason, "local_accounts": local}


def _save(hospital: Establishment, form: AssuranceForm, former: dict[str, str]) -> None:
    """Only what differs: each change is a line of the journal."""
    before = _as_data(former)
    for service, level in form.minimums().items():
        if level != before[service]:
            assurance.change_minimum(hospital.id, service, level)
    if (reason := (form.mail_codes.data or "").strip()) != before["mail_codes"]:
        assurance.allow_mail_codes(hospital.id, reason)
    if form.local_accounts.data != before["local_accounts"]:
        assurance.allow_local_accounts(hospital.id, form.local_accounts.data)


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("administration")))
