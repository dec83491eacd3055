"""A page about an object wears its establishment's colour and logo; common pages wear the group's."""

from dataclasses import dataclass
from hashlib import sha256

from flask import Flask, Response, abort, g, url_for
from sqlalchemy import select

from portal.db import session
from portal.establishments import Establishment, EstablishmentLogo, UnknownEstablishment, by_finess
from portal.web import theme

_YEAR_S = 31_536_000
_HEIGHT = 40
"""CSS pixels: the header's line. A logo is kept at twice that, for fine screens."""


@dataclass(frozen=True)
class Logo:
    """A logo as a page shows it: its address, whose it is, and its size in CSS pixels."""

    href: str
    name: str
    width: int
    height: int


def register(app: Flask) -> None:
    app.context_processor(lambda: {"theme_href": g.get("theme_href"), "worn_logo": g.get("worn_logo")})


def wear(establishment: Establishment) -> None:
    """Dress the current page in this establishment's colour and logo; it shows no notice of another. One statement."""
    g.worn_id = establishment.id
    digest = _digest(establishment.brand_colour)
    g.theme_href = url_for("pages.theme_css", finess=establishment.finess, digest=digest)
    table = EstablishmentLogo
    query = select(table.digest, table.width, table.height).where(table.establishment_id == establishment.id)
    row = session.execute(query).one_or_none()
    g.worn_logo = logo(establishment, *row) if row else None


def logo(establishment: Establishment, digest: str, width: int, height: int) -> Logo:
    """As pages show it. width, height: of the picture, in pixels."""
    shrunk = min(0.5, _HEIGHT / height)
    href = url_for("pages.logo", finess=establishment.finess, digest=digest)
    return Logo(href, establishment.name, max(1, round(width * shrunk)), max(1, round(height * shrunk)))


def stylesheet(finess: str, digest: str) -> Response:
    """The establishment's colours as custom properties; its address changes with the colour."""
    colour = _hospital(finess).brand_colour
    if digest != _digest(colour):
        abort(404)
    return _kept(Response(theme.stylesheet(colour), mimetype="text/css"))


def picture(finess: str, digest: str) -> Response:
    """The establishment's logo (PNG); its address changes with it."""
    found = session.get(EstablishmentLogo, _hospital(finess).id)
    if found is None or found.digest != digest:
        abort(404)
    return _kept(Response(found.picture, mimetype="image/png"))


def _hospital(finess: str) -> Establishment:
    try:
        return by_finess(finess)
    except UnknownEstablishment:
        abort(404)


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
    return response


def _digest(colour: str) -> str:
    return sha256(colour.encode()).hexdigest()[:10]
