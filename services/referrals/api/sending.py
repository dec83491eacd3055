"""Requests that a practice's software sends, takes back, and what it answers to units."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request

from auth.machines.fhir import addresses, needs
from portal import db
from portal.file_sniffing import FileRefused
from portal.files import FileNotReadable
from portal.web import fhir
from portal.web.fhir import Issue, Json, Refused
from services.referrals import states
from services.referrals.actions import sending
from services.referrals.actions.thread import EmptyMessage
from services.referrals.api import following
from services.referrals.fhir import actions, incoming
from services.referrals.fhir.incoming import Told
from services.referrals.fhir.records import Reader
from services.referrals.fhir.shapes import Identifier, Unreadable

pages = addresses("fhir_referrals_sent", __name__)

WRITE: Final = "system/ServiceRequest.write"
MOST_BYTES: Final = 40 * 1000 * 1000


@pages.post("/ServiceRequest")
def create() -> Response:
    """A new request; once only under an identifier of the sender, whatever is repeated."""
    needs(WRITE)
    told = _told(fhir.body("ServiceRequest", MOST_BYTES))
    if condition := request.headers.get("If-None-Exist", ""):
        _check_named(told, condition.partition("?")[2] or condition)
    return _put(told)


@pages.put("/ServiceRequest")
def put_by_identifier() -> Response:
    """Send what is not known under this identifier; `revoked` takes it back; again does nothing."""
    needs(WRITE)
    told = _told(fhir.body("ServiceRequest", MOST_BYTES))
    _check_named(told, request.query_string.decode("ascii", "replace"))
    return _put(told)


@pages.put("/ServiceRequest/<uuid:referral_id>")
def put(referral_id: UUID) -> Response:
    """`revoked` takes it back; what was sent never changes."""
    needs(WRITE)
    told = _told(fhir.body("ServiceRequest", MOST_BYTES))
    return _put(told, referral_id)


@pages.post("")
def bundle() -> Response:
    """A transaction or a collection: one ServiceRequest, its Patient, its documents."""
    needs(WRITE)
    sent = fhir.body("Bundle", MOST_BYTES)
    try:
        resource, named = incoming.unpacked(sent)
    except Unreadable as error:
        raise _unreadable(error) from error
    answer = _put(_told(resource, named))
    entry: Json = {"response": {"status": f"{answer.status_code}", "location": answer.headers["Location"]}}
    if answer.data:
        entry["resource"] = answer.get_json(force=True)
    return fhir.respond({"resourceType": "Bundle", "type": "transaction-response", "entry": [entry]})


@pages.post("/Communication")
def communicate() -> Response:
    """The practitioner answers what a unit asked, with documents."""
    needs(WRITE)
    reader = following.reader()
    try:
        told = incoming.reply(fhir.body("Communication", MOST_BYTES))
    except Unreadable as error:
        raise _unreadable(error) from error
    following.target(replace(reader, sees_all=False), told.task_id)  # 404 unless this machine sent it
    with _refusals():
        stored = _received(told.files)
        with db.transaction(db.system(actions.JOB)):
            actions.answer(told.task_id, told, stored)
    answered = following.task_of(reader, told.task_id)
    return fhir.respond(answered, HTTPStatus.CREATED, {"Location": f"{fhir.base_url()}/Task/{told.task_id}"})


def _told(sent: Json, named: Mapping[str, Json] | None = None) -> Told:
    try:
        return incoming.read(sent, fhir.base_url(), named)
    except Unreadable as error:
        raise _unreadable(error) from error


def _unreadable(error: Unreadable) -> Refused:
    return Refused.because(422, error.text, "value", error.expression)


def _check_named(told: Told, query: str) -> Identifier:
    """The identifier of the address is one of the resource's. Raises Refused (400, 412)."""
    pairs = [pair for pair in parse_qsl(query) if pair[0] != "_format"]
    system, bar, value = pairs[0][1].partition("|") if len(pairs) == 1 and pairs[0][0] == "identifier" else ("", "", "")
    if not (bar and system and value) or len(query) > 1000:
        raise Refused.because(412, "ask by one identifier=system|value", "invalid")
    if (system, value) not in told.identifiers:
        raise Refused.because(400, "the identifier of the address is not in the resource", expression="identifier")
    return system, value


def _put(told: Told, referral_id: UUID | None = None) -> Response:
    """Sent, taken back, or known already: as a system job, in transactions of its own, after the files were scanned."""
    reader = following.reader()
    with _refusals():
        with db.transaction(db.system(actions.JOB)):
            known = actions.alone(reader, told)
        if referral_id is not None and known != referral_id:
            raise Refused.because(404, "no such request of yours")
        if known is not None or told.withdraws:
            return _again(reader, told, known)
        stored = _received(told.files)
        with db.transaction(db.system(actions.JOB)):
            known = actions.alone(reader, told)
            made = known or actions.send(reader, told, stored)
    return following.respond(reader, made, HTTPStatus.OK if known else HTTPStatus.CREATED)


def _again(reader: Reader, told: Told, known: UUID | None) -> Response:
    if known is None:
        raise Refused.because(404, "no such request of yours")
    _check_version(reader, known)
    if told.withdraws:
        with db.transaction(db.system(actions.JOB)):
            actions.withdraw(known, told.rpps)
    return following.respond(reader, known, HTTPStatus.OK)


def _check_version(reader: Reader, referral_id: UUID) -> None:
    wanted = fhir.version_wanted()
    if wanted is not None and wanted != (at := following.version(reader, referral_id)):
        raise Refused.because(412, f"it is at version {at}")


def _received(carried: tuple[incoming.Carried, ...]) -> list[Any]:
    with db.transaction(db.system(actions.JOB)):
        return actions.receive(carried)


_SAID: Final[dict[type[Exception], tuple[int, str, str]]] = {
    actions.NotHere: (422, "not-found", "no unit of this hospital takes this"),
    actions.AnotherRequest: (409, "duplicate", "these identifiers are those of two requests"),
    actions.AnotherPractitioner: (403, "forbidden", "another practitioner sent it"),
    sending.NobodyAsked: (422, "business-rule", "one to five units, each once"),
    sending.NotForThatAge: (422, "business-rule", "the unit does not receive people of that age"),
    sending.OfferClosed: (422, "business-rule", "the unit takes no such request now, or another kind"),
    EmptyMessage: (422, "required", "words or a document are needed"),
    states.NotPossibleNow: (409, "business-rule", "not from the state it is in"),
    FileNotReadable: (409, "conflict", "a document cannot be used: send it again"),
    FileRefused: (422, "business-rule", "a document is refused"),
}


@contextmanager
def _refusals() -> Iterator[None]:
    """Facts in the words of the standard; what is too urgent comes with the number to call."""
    try:
        yield
    except sending.ByPhoneOnly as fact:
        text = f"so urgent a request is never left to a form: call {fact.number or 'the hospital'}, or 15"
        raise Refused(422, Issue("business-rule", text, expression="ServiceRequest.priority")) from fact
    except sending.FileMissing as fact:
        raise Refused.because(422, f"the unit needs the document {fact.code}", "required") from fact
    except actions.UnknownUrgency as fact:
        text = f"the levels of this unit: {', '.join(fact.args)}"
        raise Refused(422, Issue("code-invalid", text, expression="ServiceRequest.orderDetail")) from fact
    except tuple(_SAID) as fact:
        status, code, text = next(said for kind, said in _SAID.items() if isinstance(fact, kind))
        detail = f" ({type(fact).__name__})" if isinstance(fact, FileRefused) else ""
        raise Refused(status, Issue(code, text + detail)) from fact
