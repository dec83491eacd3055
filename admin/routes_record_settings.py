"""What each hospital chooses about requests: which are open, its office, its delays, its words."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_record_requests import SettingsForm
from auth import guards
from portal import establishments
from portal.establishments import Establishment
from services.documents.requests import actions, settings, wording

pages = guards.staff(
    Blueprint(
        "admin_record_settings", __name__, url_prefix="/admin/reglages-des-demandes", template_folder="templates"
    ),
    right="administration",
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def overview() -> str:
    """Each hospital, and what it chose."""
    held = [(place, settings.of(place.id)) for place in _mine()]
    return render_template("admin/record_requests/settings.html", hospitals=held, words=wording)


@pages.route("/<uuid:establishment_id>", methods=["GET", "POST"])
def edit(establishment_id: UUID) -> Answer:
    place = next((each for each in _mine() if each.id == establishment_id), None) or abort(404)
    form = SettingsForm() if request.method == "POST" else SettingsForm(data=SettingsForm.shown(settings.of(place.id)))
    if form.validate_on_submit():
        actions.choose(place.id, form.values())
        flash(_("The settings are kept."), "success")
        return redirect(url_for(".overview"), 303)
    page = render_template("admin/record_requests/setting.html", form=form, place=place)
    return (page, 422) if form.errors else page


def _mine() -> list[Establishment]:
    held = guards.establishments("administration")
    return [place for place in establishments.establishments() if place.id in held]
