"""The addresses below /fhir: who may call them, and /fhir/metadata. Rooms make theirs with `addresses`."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, current_app, request

from auth import guards
from auth.machines import callers
from auth.machines.callers import Caller
from portal.web import fhir
from portal.web.limits import limiter
from portal.web.security import csrf

View = TypeVar("View", bound=Callable[..., Any])
_OPEN = "parvis_needs_no_pass"
_BY_ANYBODY = "120 per minute"
_CODES = {401: "login", 403: "forbidden", 429: "throttled"}


def addresses(name: str, import_name: str) -> Blueprint:
    """A blueprint below /fhir, for machines with a pass, whose refusals are OperationOutcomes."""
    made = guards.machines(Blueprint(name, import_name, url_prefix=fhir.ROOT))
    setattr(made, callers.CALLED_BY_MACHINES, True)
    csrf.exempt(made)
    made.before_request(_check)
    made.register_error_handler(fhir.Refused, fhir.Refused.answer)
    return made


def without_pass(view: View) -> View:
    """An address that anybody may call, so often; who shows a pass must show a good one."""
    limited = cast(View, limiter.limit(_BY_ANYBODY, exempt_when=_shows_a_pass)(view))
    setattr(limited, _OPEN, True)
    return limited


def needs(scope: str) -> Caller:
    """The machine of the request, which was let to do this. Raises Refused (401, 403)."""
    found = callers.caller()
    if found is None:
        raise _refused(callers.refusal())
    if refusal := callers.beyond(scope):
        raise _refused(refusal)
    return found


def _check() -> None:
    fhir.negotiate()
    view = current_app.view_functions[request.endpoint or ""]
    if (_shows_a_pass() or not getattr(view, _OPEN, False)) and (refusal := callers.refusal()):
        raise _refused(refusal)


def _shows_a_pass() -> bool:
    return "Authorization" in request.headers


def _refused(answer: Any) -> fhir.Refused:
    """The same refusal as elsewhere (RFC 6750), told as FHIR tells it."""
    headers = {name: answer.headers[name] for name in ("WWW-Authenticate", "Retry-After") if name in answer.headers}
    issue = fhir.Issue(_CODES[answer.status_code], answer.get_json()["error"])
    return fhir.Refused(answer.status_code, issue, headers=headers)


pages = addresses("fhir", __name__)


@pages.get("/metadata")
@without_pass
def metadata() -> Response:
    """What may be asked here."""
    return fhir.respond(fhir.statement(fhir.base_url()))
