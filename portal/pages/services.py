"""The services that one may open from here, counted as they are opened and as they are reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from flask import Response as FlaskResponse
from flask import abort, current_app, g, redirect, render_template, request, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response

from portal import catalog, establishments, kpi
from portal.catalog import links, queries
from portal.catalog.links import HostNotAllowed, NotALink
from portal.catalog.queries import Shown
from portal.catalog.words import Said, said
from portal.establishments import Establishment
from portal.pages import front
from portal.pages.routes import pages
from portal.web import branding

FROM_CARD: Final = ("depuis", "accueil")
"""What the address of a service holds when one comes from its card: the page that is reached counts an arrival."""


@dataclass(frozen=True)
class Entry:
    """A service or a link, in the reader's language. is_link: it is given by somebody else, elsewhere."""

    code: str
    title: Said
    text: Said
    scope: Said
    uses: Sequence[str]
    uses_language: str
    icon: str
    audience: str
    is_link: bool
    reach: str
    where: Sequence[Establishment]


def entries(audience: str, establishment_id: UUID | None = None) -> list[Entry]:
    """What is open today for them, in the hospitals' order."""
    return [_entry(each) for each in queries.shown(audience, establishment_id)]


def links_for(audience: str) -> list[Entry]:
    """Links to the services of others, for pages of rooms."""
    return [_entry(each) for each in queries.shown_links(audience)]


def _entry(each: Shown) -> Entry:
    language = str(get_locale())
    uses = said(each.texts, "uses", language)
    usual = (str(each.card.title), str(each.card.text)) if each.card else (each.code, "")
    return Entry(
        each.code,
        _own_or_usual(each.texts, "title", language, usual[0]),
        _own_or_usual(each.texts, "lead", language, usual[1]),
        said(each.texts, "scope", language),
        [line for line in uses.text.splitlines() if line.strip()],
        uses.language,
        each.card.icon if each.card else each.link.icon if each.link else "globe",
        each.audience,
        each.link is not None,
        each.link.reach if each.link else "",
        each.where,
    )


def _own_or_usual(texts: Any, part: str, language: str, usual: str) -> Said:
    """The hospital's own words in the reader's language; ours, which speak it, rather than the hospital's in French."""
    own = said(texts, part, language)
    return own if own and (own.language == language or not usual) else Said(usual, language) if usual else own


def chosen() -> Establishment | None:
    """The hospital that a link of its own site names (`?establishment=FINESS`); it preselects, never restricts."""
    finess = request.args.get("establishment", "")
    found = next((each for each in establishments.establishments() if each.finess == finess), None) if finess else None
    if found:
        branding.wear(found)
    return found


@pages.get("/")
def home() -> str:
    """The front door."""
    return front.shown(_home)


def _home() -> str:
    hospital = chosen()
    return render_template(
        "pages/home.html", entries=entries("patient", hospital.id if hospital else None), hospital=hospital,
        establishments=establishments.establishments(),
    )  # fmt: skip


@pages.get("/services")
def services() -> str:
    """Everything that is on offer, for whom and where."""
    hospital = chosen()
    return render_template(
        "pages/services.html", entries=entries("", hospital.id if hospital else None), hospital=hospital,
        establishments=establishments.establishments(),
    )  # fmt: skip


@pages.get("/services/<code>/ouvrir")
def open_service(code: str) -> Response:
    """Where a card leads: the opening is counted, then one is sent there. An address that is no longer allowed is not
    followed."""
    found = catalog.card(code)
    if found and found.audience in ("patient", "professional"):
        _count("service_opened", code)
        address, (name, value) = url_for(found.endpoint), FROM_CARD
        return redirect(f"{address}?{name}={value}", 303)
    link = queries.link_of_code(code) or abort(404)
    if not queries.is_open(link, queries.day_of(None)):
        abort(404)
    try:
        links.check(link.url, [each.host for each in queries.hosts(link.establishment_id)])
    except (NotALink, HostNotAllowed):
        abort(404)
    _count("service_opened", code, link.establishment_id)
    return redirect(link.url, 303)


def count_arrival(response: FlaskResponse) -> FlaskResponse:
    """A page of a service that is reached from its card, after signing in if it asks for it."""
    name, value = FROM_CARD
    if request.args.get(name) == value and response.status_code == 200 and g.get("unit_open"):
        code = _cards_by_endpoint().get(request.endpoint or "")
        if code and request.method == "GET":
            _count("service_arrived", code)
    return response


def _cards_by_endpoint() -> dict[str, str]:
    return {each.endpoint: each.code for kind in ("patient", "professional") for each in catalog.cards(kind)}


def _count(event: str, code: str, establishment_id: UUID | None = None) -> None:
    if not current_app.config["SETTINGS"].read_only:
        kpi.count(event, dimension=code, establishment_id=establishment_id)
