"""HL7 v2 over HTTPS: the hospital's systems that cannot hold an MLLP line post their messages here."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from auth import guards
from auth.machines import callers
from portal.gateways.his.hl7v2 import limit_for
from portal.web.security import csrf
from services.exchanges import actions, listening, subjects

CONTENT_TYPE = "application/hl7-v2"
_BEGINNING = 1000  # enough for the header, which says what the message is

pages = guards.machines(Blueprint("appointment_messages", __name__, url_prefix="/api"), token=True)
csrf.exempt(pages)


@pages.post("/hl7v2")
def receive() -> Response:
    """One message, one acknowledgement: 200 with AA, AE or AR in it. 413 over 1 MiB (40 MiB for one that carries
    documents), 415 for another content type."""
    scopes = [each.scope for each in subjects.every()]
    caller = callers.caller()
    if caller is None or not caller.scopes & set(scopes):
        return callers.beyond(scopes[0]) or callers.answer(401, "invalid_token")
    if request.mimetype != CONTENT_TYPE:
        return callers.answer(415, "unsupported_media_type")
    beginning = request.stream.read(_BEGINNING)
    limit = limit_for(beginning)
    body = beginning + request.stream.read(limit + 1 - len(beginning))
    if len(body) > limit:
        return callers.answer(413, "too_large")
    scope = actions.scope_for(body)
    if scope and (refused := callers.beyond(scope)):
        return refused
    answer = listening.take(caller.establishment_id, body, "http")
    return Response(answer, content_type=f"{CONTENT_TYPE}; charset=utf-8", headers={"Cache-Control": "no-store"})
