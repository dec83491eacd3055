"""Searches of the directory: by identifier, name, speciality, organization, place.

A group has hundreds of units and thousands of practitioners: they are read whole and compared here, and only those of
the page are written.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from auth.machines.fhir import addresses, without_pass
from portal.establishments import Establishment, Practitioner, Site, Unit
from portal.web import fhir
from portal.web.fhir import Found, Json, Search
from services.offer import queries, specialities, words
from services.offer.api.capabilities import PARAMETERS
from services.offer.api.reading import locations, services
from services.offer.fhir import naming, resources
from services.offer.models import Activity

pages = addresses("fhir_offer", __name__)
_MOST = 200


@dataclass(frozen=True)
class Facts:
    """What a search compares of one resource. identifiers: (systems' values). own: ids of what a reference names."""

    what: Any
    key: str
    name: str
    identifiers: Sequence[tuple[str, str]] = ()
    speciality: str = ""
    city: str = ""
    references: Sequence[tuple[str, str]] = ()
    """(parameter, id)."""


@pages.route("/<any(Organization,Location,HealthcareService,Practitioner,PractitionerRole):kind>", methods=["GET"])
@without_pass
def search(kind: str) -> Response:
    """What suits, a page at a time."""
    return _search(kind)


@pages.route(
    "/<any(Organization,Location,HealthcareService,Practitioner,PractitionerRole):kind>/_search", methods=["POST"]
)
@without_pass
def search_by_post(kind: str) -> Response:
    return _search(kind)


def _search(kind: str) -> Response:
    parameters, includes = PARAMETERS[kind]
    asked = fhir.asked({each.name for each in parameters}, includes, most=_MOST)
    found = [each for each in _KNOWN[kind]() if _suits(asked, each)]
    page = found[asked.offset : asked.offset + asked.count]
    has_more = asked.count > 0 and asked.offset + asked.count < len(found)
    things = [each.what for each in page]
    answer = Found(_WRITTEN[kind](things), len(found), has_more, _included(kind, asked, things))
    return fhir.respond(fhir.searchset(kind, asked, answer))


# -- what is compared --------------------------------------------------------------------------------------------


def _suits(asked: Search, facts: Facts) -> bool:
    return (
        _among(asked, "_id", [("", facts.key)])
        and _among(asked, "identifier", facts.identifiers)
        and _among(asked, "practitioner.identifier", facts.identifiers)
        and _among(asked, "specialty", [(naming.SPECIALITIES, facts.speciality)])
        and _begins(asked, "name", facts.name)
        and _begins(asked, "address-city", facts.city)
        and all(_refers(asked, name, kind, facts) for name, kind in _REFERENCES)
    )


_REFERENCES = (
    ("organization", "Organization"), ("partof", "Organization"), ("partof", "Location"), ("location", "Location"),
    ("practitioner", "Practitioner"),
)  # fmt: skip


def _among(asked: Search, name: str, held: Iterable[tuple[str, str]]) -> bool:
    known = list(held)
    return all(
        any(token.value == value and token.system in (None, system) for token in group for system, value in known)
        for group in asked.tokens(name)
    )


def _begins(asked: Search, name: str, text: str) -> bool:
    """R4, 3.1.1.4.9: a string begins so, without accents or case; here any of its words may."""
    held = f" {words.folded(text)}"
    return all(
        any(f" {words.folded(each)}" in held for each in value.split(",") if words.folded(each))
        for value in asked.values(name)
    )


def _refers(asked: Search, name: str, kind: str, facts: Facts) -> bool:
    held = {key for parameter, key in facts.references if parameter == name}
    groups = asked.ids(name, kind) if name != "partof" else [_last(each) for each in asked.values(name)]
    return all(held & set(group) for group in groups)


def _last(value: str) -> list[str]:
    return [each.rpartition("/")[2] for each in value.split(",")]


# -- what there is -----------------------------------------------------------------------------------------------


def _organizations() -> list[Facts]:
    found = []
    for house, sites in queries.hospitals():
        found.append(Facts(house, str(house.id), house.name, [(naming.FINESS, house.finess)]))
        found += [
            Facts(
                site, str(site.id), site.name, [(naming.FINESS, site.finess_et)], city=site.town,
                references=[("partof", str(house.id))],
            )
            for site in sites
        ]  # fmt: skip
    return found


def _locations() -> list[Facts]:
    sites = [
        Facts(
            site, str(site.id), site.name, [(_own("site"), str(site.id)), *_ror(site.ror)], city=site.town,
            references=[("organization", str(site.id)), ("organization", str(site.establishment_id))],
        )
        for _house, some in queries.hospitals()
        for site in some
    ]  # fmt: skip
    units = [
        Facts(
            unit, str(unit.id), unit.name, [(_own("unit"), f"{unit.establishment.finess}-{unit.uf}"), *_ror(unit.ror)],
            city=unit.site.town, references=[("partof", str(unit.site_id)), *_at(unit)],
        )
        for unit in queries.units()
    ]  # fmt: skip
    return [*sites, *units]


def _services() -> list[Facts]:
    return [
        Facts(
            one, str(one.id), one.name, [(_own("activity"), one.code), *_ror(one.ror)], one.speciality,
            one.unit.site.town, [("location", str(one.unit_id)), ("location", str(one.unit.site_id)), *_at(one.unit)],
        )
        for one in queries.activities()
    ]  # fmt: skip


def _practitioners() -> list[Facts]:
    return [Facts(one, str(one.id), f"{one.family_name} {one.given_name}", _rpps(one)) for one in _people()]


def _roles() -> list[Facts]:
    return [
        Facts(
            one, naming.pair_id(one.id, one.unit_id), f"{one.family_name} {one.given_name}", _rpps(one),
            specialities.code_of(one.speciality), one.unit.site.town,
            [("practitioner", str(one.id)), ("location", str(one.unit_id)), ("location", str(one.unit.site_id)),
             *_at(one.unit)],
        )
        for one in _people()
    ]  # fmt: skip


def _people() -> Sequence[Practitioner]:
    return queries.practitioners()


def _rpps(one: Practitioner) -> list[tuple[str, str]]:
    """With and without the 8 before it: both are written."""
    return [(naming.RPPS, naming.national_number(one.rpps)), (naming.RPPS, naming.rpps_of(one.rpps))]


def _at(unit: Unit) -> list[tuple[str, str]]:
    return [("organization", str(unit.site_id)), ("organization", str(unit.establishment_id))]


def _ror(code: str) -> list[tuple[str, str]]:
    return [(_own("ror"), code)] if code else []


def _own(what: str) -> str:
    return naming.system(fhir.base_url(), what)


_KNOWN: dict[str, Callable[[], list[Facts]]] = {
    "Organization": _organizations,
    "Location": _locations,
    "HealthcareService": _services,
    "Practitioner": _practitioners,
    "PractitionerRole": _roles,
}


# -- what is written ---------------------------------------------------------------------------------------------


def _write_organizations(found: Sequence[Establishment | Site]) -> list[Json]:
    return [
        resources.site_organization(each) if isinstance(each, Site) else resources.establishment(each)
        for each in found
    ]  # fmt: skip


def _write_roles(found: Sequence[Practitioner]) -> list[Json]:
    return [resources.role(each, each.unit, fhir.base_url()) for each in found]


_WRITTEN: dict[str, Callable[[Any], list[Json]]] = {
    "Organization": _write_organizations,
    "Location": locations,
    "HealthcareService": services,
    "Practitioner": lambda found: [resources.practitioner(each) for each in found],
    "PractitionerRole": _write_roles,
}


def _included(kind: str, asked: Search, found: Sequence[Any]) -> list[Json]:
    """What these refer to, each once."""
    wanted = {each.partition(":")[2] for each in asked.includes if each.startswith(f"{kind}:")}
    made: list[Json] = []
    if "practitioner" in wanted:
        made += _WRITTEN["Practitioner"](found)
    if wanted & {"organization", "partof"} and kind != "Location":
        made += _write_organizations([_house(each) for each in found])
    if kind == "Location" and wanted:
        made += _of_places(found, wanted)
    if "location" in wanted:
        made += locations(list({_place(each).id: _place(each) for each in found}.values()))
    return resources.included(made)


def _of_places(found: Sequence[Site | Unit], wanted: set[str]) -> list[Json]:
    sites = {site.id: site for each in found for site in [each.site if isinstance(each, Unit) else each]}
    made = _write_organizations(list(sites.values())) if "organization" in wanted else []
    inside = {each.site_id: each.site for each in found if isinstance(each, Unit)}
    return made + (locations(list(inside.values())) if "partof" in wanted else [])


def _house(one: Site | Establishment | Activity | Practitioner) -> Site | Establishment:
    """The organization that it refers to."""
    if isinstance(one, Site | Establishment):
        return one.establishment if isinstance(one, Site) else one
    return one.unit.site


def _place(one: Activity | Practitioner) -> Unit:
    return one.unit
