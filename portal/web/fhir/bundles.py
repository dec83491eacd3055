"""The answer to a search: a Bundle of type searchset, with links to itself and to the pages beside it (R4, 3.1.1.2)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.web.fhir.outcomes import Json, base_url
from portal.web.fhir.parameters import Search


@dataclass(frozen=True)
class Found:
    """A page of matches, with what they include; total: how many matches in all, None when they were not counted."""

    matches: Sequence[Json]
    total: int | None
    has_more: bool
    included: Sequence[Json] = field(default_factory=tuple)


def searchset(kind: str, search: Search, found: Found, profile: str = "") -> Json:
    """kind: the resource searched for."""
    bundle: Json = {"resourceType": "Bundle", "type": "searchset"}
    if profile:
        bundle["meta"] = {"profile": [profile]}
    if found.total is not None:
        bundle["total"] = found.total
    bundle["link"] = _links(kind, search, found)
    entries = [
        *(_entry(each, "match") for each in found.matches),
        *(_entry(each, "include") for each in found.included),
        *_aside(search),
    ]
    return bundle | ({"entry": entries} if entries else {})


def _links(kind: str, search: Search, found: Found) -> list[Json]:
    def link(relation: str, offset: int | None = None) -> Json:
        query = search.address(offset)
        return {"relation": relation, "url": f"{base_url()}/{kind}{'?' if query else ''}{query}"}

    links = [link("self")]
    if search.offset:
        links += [link("first", 0), link("previous", max(0, search.offset - search.count))]
    if found.has_more:
        links.append(link("next", search.offset + search.count))
    return links


def _entry(resource: Json, mode: str) -> Json:
    address = f"{base_url()}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": address, "resource": resource, "search": {"mode": mode}}


def _aside(search: Search) -> list[Json]:
    """What was left aside of the search, told in the answer."""
    if not search.issues:
        return []
    told = {"resourceType": "OperationOutcome", "issue": [issue.as_json() for issue in search.issues]}
    return [{"resource": told, "search": {"mode": "outcome"}}]
