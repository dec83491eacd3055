"""Hospitals of the group, for whoever administers them: what lacks before one opens, identity, colour and logo."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import actions_hospitals as actions
from admin import hospital_words as words
from admin import queries_hospitals as queries
from admin.actions_hospitals import FinessTaken, NotScanned
from admin.forms_hospitals import IdentityForm, LooksForm, NewHospitalForm
from auth import guards, held_forms
from portal.establishments import Establishment
from portal.file_sniffing import FileRefused
from portal.files_apart import CannotCopy
from portal.web import branding, theme
from portal.web.repeated_posts import once
from portal.web.uploads import arriving

pages = guards.staff(
    Blueprint("admin_hospitals", __name__, url_prefix="/admin/hopitaux", template_folder="templates"),
    right="administration",
)
Answer = str | Response | tuple[str, int]


def here() -> frozenset[UUID]:
    return guards.establishments("administration")


def hospital_of(finess: str) -> Establishment:
    """One of one's own hospitals, whose colour and logo the page wears; 404 otherwise."""
    found: Establishment = queries.hospital(finess, here()) or abort(404)
    branding.wear(found)
    return found


@pages.get("")
def overview() -> Answer:
    """Every hospital that one administers."""
    return render_template(
        "admin/hospitals/list.html", hospitals=queries.hospitals(here()), may_open=actions.administers_group()
    )


@pages.route("/ouvrir", methods=["GET", "POST"])
@once
def open_hospital() -> Answer:
    """A hospital joins the group; only whoever administers all of it adds one."""
    if not actions.administers_group():
        abort(403)
    held = held_forms.take()
    form = NewHospitalForm(formdata=held) if held else NewHospitalForm()
    if form.validate_on_submit():
        try:
            actions.open_hospital(form.facts)
        except FinessTaken:
            form.finess.errors = [_("A hospital of the group has this number already.")]
        else:
            flash(_("The hospital is there. Nothing is open yet: see below what it still needs."), "success")
            return redirect(url_for(".show", finess=form.finess.data), 303)
    page = render_template("admin/hospitals/open.html", form=form)
    return (page, 422) if form.errors else page


@pages.get("/<finess>")
def show(finess: str) -> Answer:
    """What the hospital has, and what it lacks before it receives anybody."""
    hospital = hospital_of(finess)
    found = queries.readiness(hospital)
    return render_template(
        "admin/hospitals/show.html", hospital=hospital, readiness=found, steps=words.steps(hospital, found)
    )


@pages.route("/<finess>/identite", methods=["GET", "POST"])
def identity(finess: str) -> Answer:
    """Its name and how to reach it."""
    hospital = hospital_of(finess)
    held = held_forms.take()
    form = IdentityForm(formdata=held) if held else IdentityForm(obj=hospital)
    if form.validate_on_submit():
        actions.describe(hospital, form.facts)
        branding.forget()
        flash(_("Saved: everybody reads it at once."), "success")
        return redirect(url_for(".show", finess=finess), 303)
    page = render_template(
        "admin/hospitals/identity.html",
        form=form,
        hospital=hospital,
        holidays_href=words.page_of("admin_agendas.holidays"),
    )
    return (page, 422) if form.errors else page


@pages.route("/<finess>/apparence", methods=["GET", "POST"])
def looks(finess: str) -> Answer:
    """Its colour, tried before it is kept, and its logo."""
    hospital = hospital_of(finess)
    held = held_forms.take()
    form = LooksForm(formdata=held) if held else LooksForm(obj=hospital)
    tried = "try" in request.form
    if form.validate_on_submit() and not tried and _keep_looks(hospital, form):
        flash(_("Saved: pages of the hospital wear it at once."), "success")
        return redirect(url_for(".looks", finess=finess), 303)
    colour = hospital.brand_colour if form.brand_colour.errors or not form.brand_colour.data else form.colour
    page = render_template(
        "admin/hospitals/looks.html",
        form=form, hospital=hospital, logo=queries.logo(hospital.id), colour=colour, tried=tried,
        tokens=theme.tokens(colour), ratios=words.ratios(colour),
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _keep_looks(hospital: Establishment, form: LooksForm) -> bool:
    """Whether it could be kept; otherwise the form says why."""
    sent = arriving(form.picture.data if form.picture.data else None)
    try:
        logo = actions.logo_of(sent, form.picture.data.filename) if sent else None
    except (FileRefused, CannotCopy):
        form.picture.errors = [_("This is no picture that can be read: choose a PNG or a JPEG.")]
        return False
    except NotScanned:
        form.picture.errors = [_("The antivirus does not answer: try again later.")]
        return False
    actions.describe(hospital, {"brand_colour": form.colour})
    branding.forget()
    if logo:
        actions.wear_logo(hospital, *logo)
    return True


@pages.post("/<finess>/logo/retirer")
def remove_logo(finess: str) -> Answer:
    actions.remove_logo(hospital_of(finess))
    branding.forget()
    flash(_("The logo is no longer shown."), "success")
    return redirect(url_for(".looks", finess=finess), 303)
