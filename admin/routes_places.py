"""What patients read of sites and practitioners: accessibility, how to come, languages spoken."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal.establishments import Practitioner, Site
from services.appointments.places import actions, queries
from services.appointments.places.forms import LANGUAGES, PractitionerForm, SiteForm
from services.offer.wording import language_name

place_pages = guards.staff(
    Blueprint("admin_places", __name__, url_prefix="/admin/lieux-et-praticiens", template_folder="templates"),
    right="administration",
)


def _here() -> frozenset[UUID]:
    return guards.establishments("administration")


@place_pages.get("")
def places() -> str:
    """Every site and practitioner of the hospitals that one administers."""
    return render_template(
        "admin/places/list.html", sites=queries.sites(_here()), practitioners=queries.practitioners(_here())
    )


@place_pages.route("/sites/<uuid:site_id>", methods=["GET", "POST"])
def site(site_id: UUID) -> Response | tuple[str, int]:
    """How to come to a site, and for whom it is made."""
    shown: Site = queries.site(site_id, _here()) or abort(404)
    held = held_forms.take()
    form = SiteForm(formdata=held) if held else SiteForm(obj=shown)
    if form.validate_on_submit():
        actions.describe_site(shown, form.facts)
        flash(_("Saved: patients read it at once."), "success")
        return redirect(url_for(".places"), 303)
    return render_template("admin/places/site.html", form=form, site=shown), 422 if form.errors else 200


@place_pages.route("/praticiens/<uuid:practitioner_id>", methods=["GET", "POST"])
def practitioner(practitioner_id: UUID) -> Response | tuple[str, int]:
    """What a practitioner speaks, and where they receive at a distance."""
    shown: Practitioner = queries.practitioner(practitioner_id, _here()) or abort(404)
    held = held_forms.take()
    form = (
        PractitionerForm(formdata=held) if held else PractitionerForm(obj=shown, data={"link": queries.link_of(shown)})
    )
    form.offer(
        (code, language_name(code).capitalize())
        for code in {**dict.fromkeys(LANGUAGES), **dict.fromkeys(shown.languages)}
    )
    if form.validate_on_submit():
        actions.describe_practitioner(shown, form.languages.data or [], form.link.data or "")
        flash(_("Saved: patients read it at once."), "success")
        return redirect(url_for(".places"), 303)
    page = render_template("admin/places/practitioner.html", form=form, practitioner=shown)
    return page, 422 if form.errors else 200
