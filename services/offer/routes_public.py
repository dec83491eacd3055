"""The operational directory, open to everybody: what is offered, where, when, and how to come."""

from uuid import UUID

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from auth import guards
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from portal.web.security import public_url
from services.offer import queries, shown
from services.offer.actions import reports
from services.offer.forms import ReportForm

pages = guards.public(Blueprint("offer", __name__, url_prefix="/offre-de-soins", template_folder="templates"))
engines = guards.public(Blueprint("offer_engines", __name__))
_KIND = "any(etablissements,sites,unites,activites,praticiens)"
_DAY_S = 86_400
_NOT_FOR_ENGINES = ("/admin", "/auth", "/connexion", "/fhir", "/mon-compte", "/pro", "/recherche")


@pages.get("")
def search() -> str:
    """Units by words, speciality, place, access, language and age."""
    return shown.search("patient")


@pages.get(f"/<{_KIND}:kind>/<slug>")
def show(kind: str, slug: str) -> str | Answer:
    """A hospital, a site, a unit, an activity or a practitioner."""
    return shown.page(kind, slug, "patient")


@pages.get("/plans/<uuid:site_id>.jpg")
def plan(site_id: UUID) -> Response:
    """The way inside a site."""
    picture = queries.plan(site_id) or abort(404)
    answer = make_response(picture)
    answer.mimetype = "image/jpeg"
    answer.headers["Cache-Control"] = f"public, max-age={_DAY_S}"
    return answer


@pages.route(f"/<{_KIND}:kind>/<slug>/signaler-une-erreur", methods=["GET", "POST"])
@limiter.limit("10 per hour", methods=["POST"])
@once
def report(kind: str, slug: str) -> str | Answer | tuple[str, int]:
    """Tell the hospital of an error on a page."""
    subject = shown.subject(kind, slug, "patient")
    form = ReportForm()
    if form.validate_on_submit():
        if not form.is_from_a_robot:
            reports.report(subject, **form.facts, locale=str(get_locale()))
        flash(_("Thank you: the hospital will check this page."), "success")
        return redirect(subject.path, 303)
    page = render_template("offer/report.html", form=form, subject=subject)
    return (page, 422) if form.errors else page


# -- for search engines ------------------------------------------------------------------------------------------


@engines.get("/robots.txt")
def robots() -> Response:
    """What search engines may read: what is public."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _NOT_FOR_ENGINES)]
    return _text("\n".join([*lines, "", f"Sitemap: {public_url('offer_engines.sitemap')}", ""]), "text/plain")


@engines.get("/sitemap.xml")
def sitemap() -> Response:
    """Every page of the directory."""
    return _text(render_template("offer/sitemap.xml", addresses=shown.addresses()), "application/xml")


def _text(content: str, kind: str) -> Response:
    answer = make_response(content)
    answer.mimetype = kind
    answer.headers["Cache-Control"] = f"public, max-age={_DAY_S}"
    return answer
