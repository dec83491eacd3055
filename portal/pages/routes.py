"""The public pages."""

from flask import Blueprint, Response, render_template, request, url_for

from auth import guards
from portal import catalog, establishments
from portal.pages import front, search
from portal.web import branding
from portal.web.security import public_url

pages = guards.public(Blueprint("pages", __name__))
style = guards.public(Blueprint("style", __name__))


@pages.get("/")
def home() -> str:
    return front.shown(
        lambda: render_template("pages/home.html", cards=_cards(), establishments=establishments.establishments())
    )


@pages.get("/recherche")
def find() -> str:
    """Services, units and practitioners whose name holds every word asked for."""
    wanted = request.args.get("q", "").strip()[:100]
    return render_template("pages/search.html", wanted=wanted, results=search.results(wanted) if wanted else None)


@pages.get("/accessibilite")
def accessibility() -> str:
    return render_template("pages/accessibility.html")


@pages.get("/mentions-legales")
def legal() -> str:
    return render_template("pages/legal.html", establishments=establishments.establishments())


@pages.get("/donnees-personnelles")
def personal_data() -> str:
    return render_template("pages/personal_data.html", establishments=establishments.establishments())


@pages.get("/theme/<finess>.<digest>.css")
def theme_css(finess: str, digest: str) -> Response:
    return branding.stylesheet(finess, digest)


@pages.get("/.well-known/security.txt")
def security_txt() -> Response:
    """RFC 9116."""
    contact = public_url("pages.legal")
    lines = (f"Contact: {contact}", "Preferred-Languages: fr, en", "Expires: 2027-12-31T23:00:00Z")
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@style.get("/_ui")
def style_guide() -> str:
    return render_template("pages/style_guide.html")


def _cards() -> list[dict[str, object]]:
    """The open services, as the home page shows them."""
    opened = catalog.open_codes()
    return [
        {"title": card.title, "text": card.text, "icon": card.icon, "href": url_for(card.endpoint)}
        for card in catalog.cards()
        if card.code in opened
    ]
