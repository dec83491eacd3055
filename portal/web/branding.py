"""A page about an object wears its establishment's colour and logo; common pages wear the group's.

Rooms pass what they have loaded through `of`, or the hospital's id to `wear_of`: nothing else is to be said, neither in
their pages nor in their templates. What hospitals wear is remembered for half a minute, so that no page pays for it.
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, TypeVar
from uuid import UUID

from flask import Flask, Response, abort, g, url_for
from sqlalchemy import select

from portal import blanking
from portal.db import session
from portal.establishments import Establishment, EstablishmentLogo, UnknownEstablishment, by_finess
from portal.web import theme

_YEAR_S = 31_536_000
_KEEP_S = 30
_HEIGHT = 40
"""CSS pixels: the header's line. A logo is kept at twice that, for fine screens."""


@dataclass(frozen=True)
class Logo:
    """A logo as a page shows it: its address, whose it is, and its size in CSS pixels."""

    href: str
    name: str
    width: int
    height: int


class Placed(Protocol):
    """What is a hospital's: an appointment, a bill, a thread of messages."""

    @property
    def establishment_id(self) -> UUID: ...


P = TypeVar("P", bound=Placed)


@dataclass(frozen=True)
class _Dress:
    """What a hospital wears. logo: digest, width and height in pixels; None without one."""

    finess: str
    name: str
    colour: str
    logo: tuple[str, int, int] | None


class _Remembered:
    """In this process: the hospitals' dresses by id, and when they were read, in seconds of a clock that never goes
    back."""

    dresses: Mapping[UUID, _Dress] = {}
    read_at: float = 0


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


def of(found: P) -> P:
    """Dress the current page as the hospital of what it is about, which is given back."""
    wear_of(found.establishment_id)
    return found


def wear_of(establishment_id: UUID) -> None:
    """Dress the current page as this hospital, as it was half a minute ago at the most; no statement, most of the
    time. Nothing for a hospital that is not there."""
    dress = _dresses(establishment_id).get(establishment_id)
    if dress is None:
        return
    g.worn_id = establishment_id
    g.theme_href = url_for("pages.theme_css", finess=dress.finess, digest=_digest(dress.colour))
    g.worn_logo = _logo(dress.finess, dress.name, *dress.logo) if dress.logo else None


def wear_of_all(establishment_ids: Collection[UUID]) -> None:
    """The same for a page about several objects, when they are all of one hospital; the group's otherwise."""
    if len(different := set(establishment_ids)) == 1:
        wear_of(different.pop())


def forget() -> None:
    """Read again what hospitals wear, at the next page of this process that wears something."""
    _Remembered.dresses = {}


def _dresses(wanted: UUID) -> Mapping[UUID, _Dress]:
    """A hospital that is not known has just been added: what is remembered is older than it."""
    known = _Remembered.dresses
    is_fresh = wanted in known and time.monotonic() - _Remembered.read_at <= _KEEP_S
    if is_fresh or blanking.is_on():  # what is read there is blanked, and must not be remembered for others
        return known
    _Remembered.dresses, _Remembered.read_at = _read(), time.monotonic()
    return _Remembered.dresses


def _read() -> Mapping[UUID, _Dress]:
    """Every hospital's: one statement."""
    place, table = Establishment, EstablishmentLogo
    rows = session.execute(
        select(place.id, place.finess, place.name, place.brand_colour, table.digest, table.width, table.height)
        .outerjoin(table, table.establishment_id == place.id)
    )  # fmt: skip
    return {
        id_: _Dress(finess, name, colour, (digest, width, height) if digest else None)
        for id_, finess, name, colour, digest, width, height in rows
    }


def logo(establishment: Establishment, digest: str, width: int, height: int) -> Logo:
    """As pages show it. width, height: of the picture, in pixels."""
    return _logo(establishment.finess, establishment.name, digest, width, height)


def _logo(finess: str, name: str, digest: str, width: int, height: int) -> Logo:
    shrunk = min(0.5, _HEIGHT / height)
    href = url_for("pages.logo", finess=finess, digest=digest)
    return Logo(href, name, max(1, round(width * shrunk)), max(1, round(height * shrunk)))


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
