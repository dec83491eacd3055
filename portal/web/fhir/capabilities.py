"""/fhir/metadata: what this service can do, as each room declares it (R4, CapabilityStatement)."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.web.fhir.outcomes import MEDIA, Json

_PUBLISHED_ON = "2026-11-22"
"""Of the last change in what rooms declare."""
_SMART = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


@dataclass(frozen=True)
class Parameter:
    """A search parameter. kind: token, date, reference, string."""

    name: str
    kind: str
    text: str = ""

    def as_json(self) -> Json:
        return {"name": self.name, "type": self.kind, **({"documentation": self.text} if self.text else {})}


@dataclass(frozen=True)
class Resource:
    """What may be done with one type of resource. conditional: `create`, `update` by a search."""

    kind: str
    profiles: Sequence[str]
    interactions: Sequence[str]
    parameters: Sequence[Parameter] = ()
    includes: Sequence[str] = ()
    conditional: Sequence[str] = ()
    text: str = ""

    def as_json(self) -> Json:
        told: Json = {
            "type": self.kind,
            "supportedProfile": list(self.profiles),
            "interaction": [{"code": code} for code in self.interactions],
            "versioning": "versioned" if "update" in self.interactions else "no-version",
            "readHistory": False,
            "updateCreate": False,
            "conditionalCreate": "create" in self.conditional,
            "conditionalUpdate": "update" in self.conditional,
            "searchInclude": list(self.includes),
            "searchParam": [each.as_json() for each in self.parameters],
            "documentation": self.text,
        }
        return {name: value for name, value in told.items() if value not in ([], "")}


_resources: dict[str, Resource] = {}


def offer(resource: Resource) -> None:
    """A room says what it answers about."""
    _resources[resource.kind] = resource


def statement(base: str) -> Json:
    """The CapabilityStatement of this service. base: its address, /fhir included."""
    token = base.removesuffix("/fhir") + "/oauth/token"
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _PUBLISHED_ON,
        "kind": "instance",
        "software": {"name": "Parvis"},
        "implementation": {"description": "Parvis", "url": base},
        "fhirVersion": "4.0.1",
        "format": [MEDIA],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "service": [{"coding": [{"system": _SMART, "code": "SMART-on-FHIR"}]}],
                    "description": "OAuth2 client credentials (RFC 6749, 4.4) at the token address, by secret or by"
                    " private_key_jwt. Free slots are read without a token where the hospital says so.",
                    "extension": [{"url": _OAUTH, "extension": [{"url": "token", "valueUri": token}]}],
                },
                "resource": [_resources[kind].as_json() for kind in sorted(_resources)],
            }
        ],
    }
