"""What /fhir/metadata says of the directory."""

from collections.abc import Mapping, Sequence

from portal.web import fhir
from portal.web.fhir import Parameter, Resource
from services.offer.fhir import resources

_ID = Parameter("_id", "token")
_CITY = Parameter("address-city", "string")
_NAME = Parameter("name", "string", "Any word begins so, without accents or case")
_SPECIALTY = Parameter("specialty", "token", "TRE_R38")
_FINESS = Parameter("identifier", "token", "FINESS number")
_RPPS = "8 and the RPPS, or the RPPS"
_ORGANIZATION = Parameter("organization", "reference", "The site, or its hospital")
PARAMETERS: Mapping[str, tuple[Sequence[Parameter], Sequence[str]]] = {
    "Organization": ([_ID, _FINESS, _NAME, _CITY, Parameter("partof", "reference")], ["Organization:partof"]),
    "Location": (
        [_ID, Parameter("identifier", "token", "Of a unit: FINESS of the hospital, a hyphen, the UF; or ROR"), _NAME,
         _CITY, _ORGANIZATION, Parameter("partof", "reference")],
        ["Location:organization", "Location:partof"],
    ),
    "HealthcareService": (
        [_ID, Parameter("identifier", "token", "Its own code, or ROR"), _NAME, _SPECIALTY, _CITY, _ORGANIZATION,
         Parameter("location", "reference", "The unit, or its site")],
        ["HealthcareService:organization", "HealthcareService:location"],
    ),
    "Practitioner": ([_ID, Parameter("identifier", "token", _RPPS), _NAME], []),
    "PractitionerRole": (
        [_ID, Parameter("practitioner", "reference"), Parameter("practitioner.identifier", "token", _RPPS), _NAME,
         _SPECIALTY, _CITY, _ORGANIZATION, Parameter("location", "reference", "The unit, or its site")],
        ["PractitionerRole:practitioner", "PractitionerRole:organization", "PractitionerRole:location"],
    ),
}  # fmt: skip
"""Kind of resource → what may be asked of it, and what comes with it."""
_TEXTS = {
    "Organization": "Hospitals (FINESS of the legal entity) and their sites (FINESS of the place).",
    "Location": "Sites and units: where they are, their hours, contacts for patients.",
    "HealthcareService": "What units offer; read by id, a reason for consultation too.",
    "Practitioner": "Practitioners of the hospitals, by RPPS.",
    "PractitionerRole": "Where they receive, in which speciality.",
}


def declare() -> None:
    """Once, when the application is made."""
    for kind, (parameters, includes) in PARAMETERS.items():
        profiles, interactions = resources.PROFILES[kind], ["read", "search-type"]
        fhir.offer(Resource(kind, profiles, interactions, parameters, includes, text=_TEXTS[kind]))
