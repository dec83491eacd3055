"""DocumentReference and Binary of a machine's hospital, below /fhir: sent, replaced, withdrawn, searched, read.

Searching and reading share their addresses with the pieces of pre-admissions (`fhir.share`): a request is about
documents of this room when the machine may read documents and names no encounter.
"""

from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request

from auth.machines import callers
from auth.machines.callers import Caller
from auth.machines.fhir import addresses, needs
from portal import audit, db, establishments, files
from portal.db import session
from portal.establishments import Establishment
from portal.files import FileNotReadable
from portal.web import fhir
from portal.web.fhir import Found, Json, Parameter, Refused, Search
from services.documents import actions
from services.documents.his import fhir as documents
from services.documents.his import hearing, numbers, records, wording
from services.documents.his.fhir import MAX_BYTES, Named, Unreadable
from services.documents.his.message import Told
from services.documents.his.records import Asked
from services.documents.models import Document
from services.exchanges.subjects import Heard

pages = addresses("fhir_documents", __name__)

READ, WRITE = "system/DocumentReference.read", "system/DocumentReference.write"
_PIECES = "system/Binary.read"
IPP_SYSTEM = "fhir_ipp_system"
FHIR_ACTOR = "documents.fhir"
PARAMETERS = (
    Parameter("_id", "token"),
    Parameter("_lastUpdated", "date"),
    Parameter("patient", "reference"),
    Parameter("patient.identifier", "token", "The hospital's patient number"),
    Parameter("type", "token"),
    Parameter("status", "token", "current, superseded, entered-in-error"),
    Parameter("identifier", "token"),
)
_MOST = 200
_STATES = {"current": ("filed", "tray"), "superseded": ("superseded",), "entered-in-error": ("withdrawn",)}


def declare() -> None:
    """Take the requests of shared addresses that are about documents of this room."""
    fhir.share("DocumentReference", _searched)
    fhir.share("DocumentReference/id", _read)
    fhir.share("Binary/id", _binary)


# -- reading -------------------------------------------------------------------------------------------------------


def _may_read() -> Caller | None:
    found = callers.caller()
    return found if found is not None and READ in found.scopes else None


def _searched() -> Response | None:
    return _search(needs(READ)) if _may_read() and not request.args.get("encounter") else None


@pages.post("/DocumentReference/_search")
def search_by_post() -> Response:
    """Numbers of patients stay out of addresses and logs."""
    return _search(needs(READ))


def _search(machine: Caller) -> Response:
    search = fhir.asked({each.name for each in PARAMETERS}, (), most=_MOST)
    here = _here(machine)
    page, total = records.found(here.id, _asked(search, here), search.count, search.offset)
    audit.record("document_list.read", establishment_id=here.id, count=len(page))
    names = records.names_of([document.id for document, _at in page])
    base = fhir.base_url()
    written = [documents.resource(document, at, base, names.get(document.id, [])) for document, at in page]
    has_more = search.count > 0 and search.offset + search.count < total
    return fhir.respond(fhir.searchset("DocumentReference", search, Found(written, total, has_more)))


def _asked(search: Search, here: Establishment) -> Asked:
    changed = search.between("_lastUpdated", here.tz)
    statuses = search.codes("status", _STATES)
    return Asked(
        ids=_keys([[each.value for each in group] for group in search.tokens("_id")]),
        patients=_keys(search.ids("patient", "Patient")),
        ipps=_values(search, "patient.identifier"),
        types=_values(search, "type"),
        states=None if statuses is None else [state for code in statuses for state in _STATES[code]],
        numbers=_numbers(search),
        since=changed.since,
        until=changed.until,
    )


def _keys(groups: list[list[str]]) -> set[UUID] | None:
    found = [{key for each in group if (key := _key(each)) is not None} for group in groups]
    return set.intersection(*found) if found else None


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _values(search: Search, name: str) -> set[str] | None:
    groups = [{each.value for each in group} for group in search.tokens(name)]
    return set.intersection(*groups) if groups else None


def _numbers(search: Search) -> set[str] | None:
    groups = [{f"{each.system or ''}|{each.value}" for each in group} for group in search.tokens("identifier")]
    return set.intersection(*groups) if groups else None


def _read(document_id: UUID) -> Response | None:
    found = _one(document_id)
    if found is None:
        return None
    actions.open_document(found[0])
    return fhir.respond(_written(*found))


def _one(document_id: UUID) -> tuple[Document, datetime] | None:
    """None: it may be a piece, for a machine that reads those. Raises Refused (404) for one that does not."""
    machine = _may_read()
    found = records.one(machine.establishment_id, document_id) if machine else None
    if found is None and machine is not None and _PIECES not in machine.scopes:
        raise Refused.because(404, "no such document")
    return found


def _binary(document_id: UUID) -> Response | None:
    found = _one(document_id)
    if found is None:
        return None
    document = found[0]
    try:
        if document.state == "withdrawn":
            raise FileNotReadable(document.id)
        stored = document.shown_file
        content = b"".join(files.open_(stored))
    except FileNotReadable as error:
        raise Refused.because(404, "no such document") from error
    actions.hand_over(document, "shown")
    if request.accept_mimetypes.best_match([fhir.MEDIA, stored.media_type], fhir.MEDIA) == stored.media_type:
        return Response(content, mimetype=stored.media_type, headers={"Cache-Control": "no-store"})
    return fhir.respond(documents.binary(document.id, stored.media_type, content))


# -- writing -------------------------------------------------------------------------------------------------------


@pages.post("/DocumentReference")
def create() -> Response:
    """A new document, or one that replaces another (relatesTo); once only under If-None-Exist."""
    machine = needs(WRITE)
    told = _told(machine, fhir.body("DocumentReference", MAX_BYTES))
    if condition := request.headers.get("If-None-Exist", ""):
        known = _known(machine, _identifier_asked(condition.partition("?")[2] or condition).number)
        if known is not None:
            return _respond(known.id, machine, 200)
    return _done(machine, told, 201)


@pages.put("/DocumentReference")
def put_by_identifier() -> Response:
    """The same document again does nothing; `entered-in-error` withdraws it."""
    machine = needs(WRITE)
    named = _identifier_asked(request.query_string.decode("ascii", "replace"))
    sent = fhir.body("DocumentReference", MAX_BYTES)
    told = _told(machine, sent)
    if told.number != named.number:
        raise Refused.because(400, "the identifier of the address is not in the resource", expression="identifier")
    return _done(machine, told, 200 if _known(machine, told.number) else 201)


@pages.put("/DocumentReference/<uuid:document_id>")
def put(document_id: UUID) -> Response:
    """`entered-in-error` or `superseded` withdraws it; what it holds never changes under one id."""
    machine = needs(WRITE)
    told = _told(machine, fhir.body("DocumentReference", MAX_BYTES))
    if document_id not in {each.id for each in numbers.every(machine.establishment_id, told.sender, told.number)}:
        raise Refused.because(404, "no such document of yours")
    if not told.withdraws:
        raise Refused.because(422, "send a new version as a new resource that replaces this one", "business-rule")
    return _done(machine, told, 200)


def _told(machine: Caller, sent: Json) -> Told:
    here = _here(machine)
    ipp = establishments.setting(here.id, IPP_SYSTEM, f"{fhir.base_url()}/identifiers/ipp/{here.finess}")
    try:
        return documents.read(sent, f"fhir|{machine.machine_id}", ipp, db.now(), here.tz)
    except Unreadable as error:
        raise Refused.because(422, error.text, "value", error.expression) from error


def _done(machine: Caller, told: Told, status: int) -> Response:
    """Scanned and filed as a system job, in transactions of its own; the machine's name is in the journal beside it."""
    with db.transaction(db.system(FHIR_ACTOR)):
        place = session.get_one(Establishment, machine.establishment_id)
    with db.transaction(db.system(FHIR_ACTOR)):
        taken = hearing.take_told(place, told)
    with db.transaction(db.system(FHIR_ACTOR)):
        heard, _outcomes = hearing.settle(place, taken)
    audit.record(
        "document.received_by_machine",
        patient_id=heard.patient_id,
        establishment_id=machine.establishment_id,
        object_kind="document",
        object_id=heard.subject_id,
        answer=heard.answer,
    )
    if heard.answer != "AA" or heard.subject_id is None:
        raise _refusal(heard)
    return _respond(heard.subject_id, machine, status)


def _refusal(heard: Heard) -> Refused:
    status, code = (404, "not-found") if heard.reason == "unknown_document" else (422, "business-rule")
    return Refused.because(status, f"{heard.reason}: {wording.REASONS.get(heard.reason, '')}".strip(": "), code)


def _respond(document_id: UUID, machine: Caller, status: int) -> Response:
    found = records.one(machine.establishment_id, document_id)
    if found is None:
        raise Refused.because(409, "it was set aside here", "business-rule")
    headers = {"Location": f"{fhir.base_url()}/DocumentReference/{document_id}"}
    if fhir.wants_nothing_back() or (status != 201 and READ not in machine.scopes):
        return Response(status=status, headers=headers, content_type=fhir.MEDIA)
    return fhir.respond(_written(*found), status, headers)


def _written(document: Document, at: datetime) -> Json:
    names: list[Named] = records.names_of([document.id]).get(document.id, [])
    return documents.resource(document, at, fhir.base_url(), names)


def _known(machine: Caller, number: str) -> Document | None:
    return numbers.find(machine.establishment_id, f"fhir|{machine.machine_id}", number)


def _identifier_asked(query: str) -> Named:
    pairs = [pair for pair in parse_qsl(query) if pair[0] != "_format"]
    system, bar, value = pairs[0][1].partition("|") if len(pairs) == 1 and pairs[0][0] == "identifier" else ("", "", "")
    if not (bar and system and value) or "\0" in query or len(query) > 1000:
        raise Refused.because(412, "ask by one identifier=system|value", "invalid")
    return Named(system, value)


def _here(machine: Caller) -> Establishment:
    return session.get_one(Establishment, machine.establishment_id)
