"""The directory of the group, for whoever keeps it true: what is missing, sites, units, activities, plans."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_offer as queries
from admin.forms_offer import ActivityForm, NewActivityForm, PlanForm, SiteForm, UnitForm
from auth import guards, held_forms
from portal.establishments import Site, Unit
from portal.file_sniffing import FileRefused
from portal.files_apart import CannotCopy
from portal.web.repeated_posts import once
from portal.web.uploads import arriving
from services.offer import shown, surroundings, wording
from services.offer.actions import editing
from services.offer.actions.editing import NotScanned
from services.offer.models import Activity
from services.offer.surroundings import Owner
from services.offer.wording import language_name

pages = guards.staff(
    Blueprint("admin_offer", __name__, url_prefix="/admin/offre-de-soins", template_folder="templates"),
    right="administration",
)
Answer = str | Response | tuple[str, int]
PLACE = "<any(sites,unites,activites):word>/<uuid:owner_id>"
LANGUAGES = (
    "fsl", "en", "ar", "es", "pt", "it", "de", "tr", "ru", "uk", "pl", "ro", "zh", "vi", "ta", "fa", "ps", "ku", "hy",
)  # fmt: skip
_KINDS = {Site: "site", Unit: "unit", Activity: "activity"}


def here() -> frozenset[UUID]:
    return guards.establishments("administration")


def owner_of(word: str, owner_id: UUID) -> Owner:
    """What an address names, at one's own hospitals; 404 otherwise."""
    return queries.owner(word, owner_id, here()) or abort(404)


def place_page(owner: Owner) -> str:
    """Where everything about it is shown."""
    return url_for("admin_offer.place", word=queries.word_of(owner), owner_id=owner.id)


@pages.get("")
def overview() -> str:
    """Every site and unit, and what each lacks."""
    sites, units = queries.overview(here())
    missing = sum(len(each.missing) for each in [*sites, *units])
    waiting, _more = queries.reports(here(), "received", 1)
    return render_template(
        "admin/offer/overview.html", sites=sites, units=units, missing=missing, reports=len(waiting), wording=wording
    )


@pages.get(f"/{PLACE}")
def place(word: str, owner_id: UUID) -> str:
    """One site, unit or activity, as it is known."""
    owner = owner_of(word, owner_id)
    return render_template(
        "admin/offer/place.html",
        owner=owner,
        kind=_KINDS[type(owner)],
        word=word,
        sheet=queries.sheet(owner),
        contacts=queries.contacts(owner),
        changes=[(each, surroundings.days_of(each)) for each in queries.changes(owner)],
        plan=queries.plan(owner) if isinstance(owner, Site) else None,
        activities=queries.activities(owner) if isinstance(owner, Unit) else (),
        public_href=shown.path(_KINDS[type(owner)], owner),
        wording=wording,
    )


# -- what is said of it ------------------------------------------------------------------------------------------


@pages.route(f"/{PLACE}/decrire", methods=["GET", "POST"])
def describe(word: str, owner_id: UUID) -> Answer:
    """Its facts."""
    owner = owner_of(word, owner_id)
    form = _form(owner)
    if form.validate_on_submit():
        if isinstance(owner, Activity):
            editing.describe_activity(owner, form.facts)
        else:
            editing.describe(owner, form.facts)
        flash(_("Saved: everybody reads it at once."), "success")
        return redirect(place_page(owner), 303)
    page = render_template("admin/offer/describe.html", form=form, owner=owner, kind=_KINDS[type(owner)], word=word)
    return (page, 422) if form.errors else page


def _form(owner: Owner) -> Any:
    held = held_forms.take()
    if isinstance(owner, Activity):
        known = _columns(owner) | {"equipment": "\n".join(owner.equipment)}
        form = ActivityForm(formdata=held) if held else ActivityForm(data=known)
        return _with_languages(form, owner.languages)
    if isinstance(owner, Unit):
        return UnitForm(formdata=held) if held else UnitForm(obj=owner)
    where = f"{owner.latitude}, {owner.longitude}" if owner.latitude is not None else ""
    return SiteForm(formdata=held) if held else SiteForm(obj=owner, data={"coordinates": where})


def _columns(activity: Activity) -> dict[str, Any]:
    return {column.key: getattr(activity, column.key) for column in Activity.__table__.columns}


def _with_languages(form: Any, spoken: list[str]) -> Any:
    codes = {**dict.fromkeys(LANGUAGES), **dict.fromkeys(spoken)}
    form.offer((code, language_name(code).capitalize()) for code in codes)
    return form


@pages.route("/unites/<uuid:unit_id>/activites/ajouter", methods=["GET", "POST"])
@once
def add_activity(unit_id: UUID) -> Answer:
    """What a unit offers besides."""
    unit = owner_of("unites", unit_id)
    held = held_forms.take()
    form = _with_languages(NewActivityForm(formdata=held) if held else NewActivityForm(), [])
    if not form.is_submitted():
        form.is_public.data = True
    if form.validate_on_submit():
        made = editing.open_activity(unit, form.facts) if isinstance(unit, Unit) else abort(404)
        flash(_("Added: everybody reads it at once.") if made.is_public else _("Added, for professionals."), "success")
        return redirect(place_page(made), 303)
    page = render_template("admin/offer/describe.html", form=form, owner=unit, kind="activity", word="unites")
    return (page, 422) if form.errors else page


# -- the way inside ----------------------------------------------------------------------------------------------


@pages.route("/sites/<uuid:site_id>/plan", methods=["GET", "POST"])
def draw_plan(site_id: UUID) -> Answer:
    """The picture of the way inside a site."""
    site = owner_of("sites", site_id)
    if not isinstance(site, Site):
        abort(404)
    known = queries.plan(site)
    held = held_forms.take()
    form = PlanForm(formdata=held) if held else PlanForm(obj=known)
    if form.validate_on_submit() and _keep_plan(site, form, has_one=known is not None):
        flash(_("Saved: everybody sees it at once."), "success")
        return redirect(place_page(site), 303)
    page = render_template("admin/offer/plan.html", form=form, site=site, plan=known)
    return (page, 422) if form.errors else page


def _keep_plan(site: Site, form: PlanForm, *, has_one: bool) -> bool:
    """Whether it could be kept; otherwise the form says why."""
    sent = arriving(form.picture.data if form.picture.data else None)
    if not form.text.data:
        form.text.errors = [_("Describe the way: some people do not see the picture.")]
        return False
    if sent is None and not has_one:
        form.picture.errors = [_("Choose a picture.")]
        return False
    try:
        picture = editing.picture_of(sent, form.picture.data.filename) if sent else None
    except (FileRefused, CannotCopy):
        form.picture.errors = [_("This is no picture that can be read: choose a PNG or a JPEG.")]
        return False
    except NotScanned:
        form.picture.errors = [_("The antivirus does not answer: try again later.")]
        return False
    editing.change_plan(site, form.text.data, picture)
    return True


@pages.post("/sites/<uuid:site_id>/plan/retirer")
def remove_plan(site_id: UUID) -> Response:
    site = owner_of("sites", site_id)
    if isinstance(site, Site):
        editing.remove_plan(site)
        flash(_("The plan is no longer shown."), "success")
    return redirect(place_page(site), 303)
