"""FHIR R4 (4.0.1) as every room speaks it: JSON alone, an OperationOutcome for every refusal, searchset bundles.

Rooms above add their resources with `offer`, and their addresses with `auth.machines.fhir.addresses`. Drawers:
`outcomes` (answers and refusals), `negotiation` (media types, bodies, preferences, versions), `parameters` (what a
search asks), `bundles` (its answer), `capabilities` (/fhir/metadata).
"""

from portal.web.fhir.bundles import Found, searchset
from portal.web.fhir.capabilities import Parameter, Resource, offer, statement
from portal.web.fhir.negotiation import body, negotiate, version_wanted, wants_nothing_back
from portal.web.fhir.outcomes import MEDIA, ROOT, Issue, Json, Refused, base_url, is_below, of_status, outcome, respond
from portal.web.fhir.parameters import PARIS, Between, Search, Token, asked, instant, moment
from portal.web.fhir.sharing import share, shared

__all__ = [
    "MEDIA",
    "PARIS",
    "ROOT",
    "Between",
    "Found",
    "Issue",
    "Json",
    "Parameter",
    "Refused",
    "Resource",
    "Search",
    "Token",
    "asked",
    "base_url",
    "body",
    "instant",
    "is_below",
    "moment",
    "negotiate",
    "of_status",
    "offer",
    "outcome",
    "respond",
    "searchset",
    "share",
    "shared",
    "statement",
    "version_wanted",
    "wants_nothing_back",
]
