"""What FHIR answers: a resource as JSON, or an OperationOutcome that says why not (R4, 2.24)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, current_app

ROOT = "/fhir"
MEDIA = "application/fhir+json"
Json = dict[str, Any]

_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    500: "exception",
    503: "transient",
}


@dataclass(frozen=True)
class Issue:
    """One thing to say. code: of http://hl7.org/fhir/issue-type. expression: where in the resource, if somewhere."""

    code: str
    text: str
    severity: str = "error"
    expression: str = ""

    def as_json(self) -> Json:
        told: Json = {"severity": self.severity, "code": self.code, "diagnostics": self.text}
        return told | ({"expression": [self.expression]} if self.expression else {})


class Refused(Exception):
    """The request is answered with this status and these issues; whatever it had begun to write is forgotten."""

    def __init__(self, status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, *issues)
        self.status, self.issues, self.headers = status, issues, dict(headers or {})

    @classmethod
    def because(cls, status: int, text: str, code: str = "", expression: str = "") -> "Refused":
        """With one issue; code: the usual one of the status unless given."""
        return cls(status, Issue(code or _CODES.get(status, "processing"), text, expression=expression))

    def answer(self) -> Response:
        return outcome(self.status, *self.issues, headers=self.headers)


def is_below(path: str) -> bool:
    """Whether an address is FHIR's, known or not."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def base_url() -> str:
    """The service's own base ([base] of R4, 3.1.0.1.1), never the Host header's."""
    return str(current_app.config["SETTINGS"].base_url).rstrip("/") + ROOT


def respond(resource: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A resource as the body."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    response = Response(text, status, content_type=f"{MEDIA}; charset=utf-8")
    response.headers.update(headers or {})
    response.headers["Vary"] = "Accept, Authorization"
    return response


def outcome(status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> Response:
    """An OperationOutcome."""
    told = {"resourceType": "OperationOutcome", "issue": [issue.as_json() for issue in issues]}
    return respond(told, status, headers)


def of_status(status: int) -> Response:
    """What the house's own error pages become below /fhir."""
    known = status if status in _CODES else 400 if status < 500 else 500
    return outcome(status, Issue(_CODES[known], HTTPStatus(status).phrase))
