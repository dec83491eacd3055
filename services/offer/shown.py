"""The directory's pages, for patients and for professionals: the same ones, but professionals see their own numbers.

Everything that a page shows comes from queries for its audience; templates only lay it out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit
from portal.web import branding, searching
from portal.web.security import public_url
from services.offer import drawing, linked, pages, queries, seeking, structured, wording
from services.offer.actions.reports import Subject
from services.offer.drawing import Plan, Spot
from services.offer.forms import asked
from services.offer.models import Activity

PATHS = {
    "etablissements": "establishment",
    "sites": "site",
    "unites": "unit",
    "activites": "activity",
    "praticiens": "practitioner",
}
KINDS = {kind: path for path, kind in PATHS.items()}
Shown = Establishment | Site | Unit | Activity | Practitioner
_WRITERS: dict[str, Callable[[Any], str]] = {
    "establishment": pages.of_establishment,
    "site": pages.of_site,
    "unit": pages.of_unit,
    "activity": pages.of_activity,
    "practitioner": pages.of_practitioner,
}


@dataclass(frozen=True)
class Doors:
    """Addresses of the directory for one audience, as templates write them: `doors.of("unit", unit)`."""

    audience: str

    @property
    def blueprint(self) -> str:
        return "pro_offer" if self.audience == "professional" else "offer"

    def of(self, kind: str, what: Shown) -> str:
        return url_for(f"{self.blueprint}.show", kind=KINDS[kind], slug=_WRITERS[kind](what))

    def search(self, **asked: Any) -> str:
        return url_for(f"{self.blueprint}.search", **{name: value for name, value in asked.items() if value})

    def report(self, kind: str, what: Shown) -> str:
        return url_for("offer.report", kind=KINDS[kind], slug=_WRITERS[kind](what))


def public_address(kind: str, what: Shown) -> str:
    """The one address that search engines keep."""
    return public_url("offer.show", kind=KINDS[kind], slug=_WRITERS[kind](what))


def path(kind: str, what: Shown) -> str:
    return Doors("patient").of(kind, what)


# -- the search --------------------------------------------------------------------------------------------------


def search(audience: str) -> str:
    """Every unit, or those that suit."""
    wanted = asked(request.args, audience)
    results = seeking.search(wanted)
    if audience == "patient" and not results.found:
        searching.found_nothing(wanted.words)
    known = queries.sheets([each.unit for each in results.found], audience)
    houses = queries.hospitals()
    return render_template(
        "offer/search.html",
        asked=wanted,
        results=results,
        sheets=known,
        links=linked.of_units([each.unit for each in results.found], audience),
        hospitals=houses,
        plan=plan([site for _house, sites in houses for site in sites]),
        href=_search_href(Doors(audience)),
        canonical=public_url("offer.search"),
        **_common(audience),
    )


def _search_href(doors: Doors) -> Callable[..., str]:
    kept: dict[str, Any] = {name: request.args.getlist(name) for name in request.args if name not in ("lang", "page")}
    return lambda **changes: doors.search(**kept | changes)


def plan(sites: Sequence[Site], here: Site | None = None) -> Plan | None:
    """Drawn from the sites whose place is known, in the order of the list beside it."""
    spots = [
        Spot(number, each.name, each.town or each.name, each.latitude, each.longitude, each == here)
        for number, each in enumerate(sites, start=1)
        if each.latitude is not None and each.longitude is not None
    ]
    return drawing.plan(spots)


# -- a page ------------------------------------------------------------------------------------------------------


def found(kind: str, slug: str, audience: str) -> Shown:
    """What an address names; 404 when it names nothing that this audience sees."""
    try:
        codes = pages.codes(kind, slug)
        what = _READERS[kind](codes, audience)
    except pages.NoSuchPage:
        what = None
    return what if what is not None else abort(404)


_READERS: dict[str, Callable[[dict[str, str], str], Shown | None]] = {
    "establishment": lambda codes, _audience: queries.establishment_of(codes["finess"]),
    "site": lambda codes, _audience: queries.site_of(codes["finess"]),
    "unit": lambda codes, _audience: queries.unit_of(codes["finess"], codes["uf"]),
    "activity": lambda codes, audience: queries.activity(codes["code"], audience),
    "practitioner": lambda codes, _audience: queries.practitioner(pages.long(codes["code"])),
}


def page(path: str, slug: str, audience: str) -> str | Response:
    """One page; an address whose words are not today's leads to the one that has them."""
    kind = PATHS[path]
    what = found(kind, slug, audience)
    doors = Doors(audience)
    if slug != _WRITERS[kind](what):
        return redirect(doors.of(kind, what), 301)
    facts = _common(audience) | _FACTS[kind](what, audience)
    branding.wear(_house(what))
    return render_template(
        f"offer/{kind}.html", canonical=public_address(kind, what), report_href=doors.report(kind, what), **facts
    )


def _house(what: Shown) -> Establishment:
    if isinstance(what, Practitioner):
        return what.unit.establishment
    return what if isinstance(what, Establishment) else what.establishment


def _common(audience: str) -> dict[str, Any]:
    return {"doors": Doors(audience), "audience": audience, "wording": wording, "phone_of": queries.phone_of}


def _establishment(one: Establishment, audience: str) -> dict[str, Any]:
    sites = next((sites for house, sites in queries.hospitals() if house.id == one.id), ())
    units = queries.units(establishment_id=one.id)
    json_ld = structured.hospital(one, sites, public_address("establishment", one))
    return {"hospital": one, "sites": sites, "units": units, "plan": plan(sites), "json_ld": json_ld}


def _site(one: Site, audience: str) -> dict[str, Any]:
    shown = queries.site_page(one, audience)
    sites = [site for _house, some in queries.hospitals() for site in some]
    return {
        "site": one,
        "shown": shown,
        "sites": sites,
        "plan": plan(sites, one),
        "is_over": queries.is_over(one),
        "json_ld": structured.site(one, shown.sheet, public_address("site", one)),
    }


def _unit(one: Unit, audience: str) -> dict[str, Any]:
    shown = queries.unit_page(one, audience)
    open_to_all = [each for each in shown.activities if each.is_public]
    phone = queries.phone_of(one, shown.sheet)
    return {
        "unit": one,
        "shown": shown,
        "links": linked.of_units([one], audience)[one.id],
        "is_over": queries.is_over(one) or queries.is_over(one.site),
        "json_ld": structured.unit(one, shown.sheet, phone, open_to_all, public_address("unit", one)),
    }


def _activity(one: Activity, audience: str) -> dict[str, Any]:
    known = queries.sheets([one, one.unit], audience)
    phone = queries.phone_of(one.unit, known[one.unit.id])
    json_ld = structured.activity(one, known[one.id], phone, public_address("activity", one)) if one.is_public else None
    return {
        "activity": one,
        "unit": one.unit,
        "sheet": known[one.id],
        "unit_sheet": known[one.unit.id],
        "practitioners": queries.practitioners(unit_id=one.unit_id),
        "links": linked.of_units([one.unit], audience)[one.unit_id],
        "is_over": queries.is_over(one) or queries.is_over(one.unit),
        "json_ld": json_ld,
    }


def _practitioner(one: Practitioner, audience: str) -> dict[str, Any]:
    return {
        "practitioner": one,
        "unit": one.unit,
        "sheet": queries.sheets([one.unit], audience)[one.unit.id],
        "elsewhere": queries.elsewhere(one),
        "links": linked.of_units([one.unit], audience)[one.unit_id],
        "json_ld": structured.practitioner(one, public_address("practitioner", one)),
    }


_FACTS: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "establishment": _establishment,
    "site": _site,
    "unit": _unit,
    "activity": _activity,
    "practitioner": _practitioner,
}


# -- an error on a page ------------------------------------------------------------------------------------------


def subject(path_word: str, slug: str, audience: str) -> Subject:
    """What a report is about; 404 when there is no such page."""
    kind = PATHS[path_word]
    what = found(kind, slug, audience)
    house = what.id if isinstance(what, Establishment) else what.establishment_id
    name = what.full_name if isinstance(what, Practitioner) else what.name
    return Subject(kind, what.id, house, name, path(kind, what))


def addresses() -> list[str]:
    """Every public page, for search engines; at most what one sitemap holds (sitemaps.org: 50,000)."""
    houses = queries.hospitals()
    named: list[tuple[str, Sequence[Shown]]] = [
        ("establishment", [house for house, _sites in houses]),
        ("site", [site for _house, sites in houses for site in sites]),
        ("unit", queries.units()),
        ("activity", queries.activities()),
        ("practitioner", queries.practitioners()),
    ]
    found = [public_address(kind, each) for kind, some in named for each in some]
    return [public_url("offer.search"), *found][:50_000]


def path_of(kind: str, about_id: UUID) -> str:
    """Of the public page of something by its key; of the search when it is no more."""
    reader: Callable[[UUID], Shown | None] = _BY_KEY[kind]
    what = reader(about_id)
    return path(kind, what) if what is not None else url_for("offer.search")


_BY_KEY: dict[str, Callable[[UUID], Shown | None]] = {
    "establishment": lambda key: session.get(Establishment, key),
    "site": lambda key: session.get(Site, key),
    "unit": lambda key: session.get(Unit, key),
    "activity": lambda key: session.get(Activity, key),
    "practitioner": lambda key: session.get(Practitioner, key),
}
