"""The public pages."""

from flask import Blueprint, Response, render_template, request

from auth import guards
from portal.pages import search
from portal.web import branding
from portal.web.security import public_url

pages = guards.public(Blueprint("pages", __name__))
style = guards.public(Blueprint("style", __name__))


@pages.get("/recherche")
def find() -> str:
    """Services, units and practitioners whose name holds every word asked for."""
    wanted = request.args.get("q", "").strip()[:100]
    return render_template("pages/search.html", wanted=wanted, results=search.results(wanted) if wanted else None)


@pages.get("/theme/<finess>.<digest>.css")
def theme_css(finess: str, digest: str) -> Response:
    return branding.stylesheet(finess, digest)


@pages.get("/logo/<finess>.<digest>.png")
def logo(finess: str, digest: str) -> Response:
    return branding.picture(finess, digest)


@pages.get("/.well-known/security.txt")
def security_txt() -> Response:
    """RFC 9116."""
    contact = public_url("pages.legal")
    lines = (f"Contact: {contact}", "Preferred-Languages: fr, en", "Expires: 2027-12-31T23:00:00Z")
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@style.get("/_ui")
def style_guide() -> str:
    return render_template("pages/style_guide.html")
