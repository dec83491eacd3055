"""The public pages."""

from datetime import timedelta

from flask import Blueprint, Response, current_app, render_template, request

from auth import guards
from portal import db
from portal.pages import search
from portal.web import branding, searching
from portal.web.security import public_url

pages = guards.public(Blueprint("pages", __name__))
style = guards.public(Blueprint("style", __name__))


@pages.get("/recherche")
def find() -> str:
    """Services, units and practitioners whose name holds every word asked for."""
    wanted = request.args.get("q", "").strip()[:100]
    results = search.results(wanted) if wanted else None
    if results and not (results.practitioners or results.units):
        searching.found_nothing(wanted)
    return render_template("pages/search.html", wanted=wanted, results=results)


@pages.get("/theme/<finess>.<digest>.css")
def theme_css(finess: str, digest: str) -> Response:
    return branding.stylesheet(finess, digest)


@pages.get("/logo/<finess>.<digest>.png")
def logo(finess: str, digest: str) -> Response:
    return branding.picture(finess, digest)


@pages.get("/.well-known/security.txt")
def security_txt() -> Response:
    """RFC 9116: whom to tell of a weakness. It expires within a year, as it recommends, and this page is never old."""
    contact = current_app.config["SETTINGS"].security_contact or public_url("pages.legal")
    expires = (db.now() + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: fr, en",
        f"Canonical: {public_url('pages.security_txt')}",
    )
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@style.get("/_ui")
def style_guide() -> str:
    return render_template("pages/style_guide.html")
