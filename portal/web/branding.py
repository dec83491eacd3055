"""A page about an object wears its establishment's colour; common pages wear the group's."""

from hashlib import sha256

from flask import Flask, Response, abort, g, url_for

from portal.establishments import Establishment, UnknownEstablishment, by_finess
from portal.web import theme

_YEAR_S = 31_536_000


def register(app: Flask) -> None:
    app.context_processor(lambda: {"theme_href": g.get("theme_href")})


def wear(establishment: Establishment) -> None:
    """Dress the current page in this establishment's colour."""
    digest = _digest(establishment.brand_colour)
    g.theme_href = url_for("pages.theme_css", finess=establishment.finess, digest=digest)


def stylesheet(finess: str, digest: str) -> Response:
    """The establishment's colours as custom properties; its address changes with the colour."""
    try:
        colour = by_finess(finess).brand_colour
    except UnknownEstablishment:
        abort(404)
    if digest != _digest(colour):
        abort(404)
    response = Response(theme.stylesheet(colour), mimetype="text/css")
    response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
    return response


def _digest(colour: str) -> str:
    return sha256(colour.encode()).hexdigest()[:10]
