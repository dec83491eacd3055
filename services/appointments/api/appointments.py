"""Appointments of a machine's hospital: searched, read, created, brought up to date (GAP 4b, 6a, 6b)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Response, request

from auth.machines.callers import Caller
from auth.machines.fhir import addresses, needs
from portal import db, establishments
from portal.establishments import Establishment
from portal.web import fhir
from portal.web.fhir import Found, Json, Refused, Search, Token
from services.appointments import queries, states
from services.appointments.actions import (
    AlreadyOver,
    KnownPatientsOnly,
    NotBookable,
    NotYet,
    PatientBusy,
    SlotTaken,
)
from services.appointments.api import times
from services.appointments.api.capabilities import APPOINTMENTS
from services.appointments.fhir import actions, appointments, incoming, naming, offer, records, resources
from services.appointments.fhir.incoming import Told, Unreadable
from services.appointments.fhir.records import Asked, Written

pages = addresses("fhir_appointments", __name__)

IPP_SYSTEM = "fhir_ipp_system"
"""The hospital's setting: the identifier system of its patient numbers, when it has one of its own."""
_READ, _WRITE, _IDENTITIES = "system/Appointment.read", "system/Appointment.write", "system/Patient.read"
_STATES = {code: state for state, code in appointments.STATUSES.items()}
_KNOWN = {each.name for each in APPOINTMENTS} | {
    "actor:Patient.identifier", "patient:identifier", "actor:Practitioner.identifier", "practitioner:identifier",
}  # fmt: skip
_INCLUDES = {"Appointment:practitioner", "Appointment:location"}
_MOST = 200
_EVERY_STATUS = {
    "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error", "checked-in",
    "waitlist",
}  # fmt: skip


# -- reading -----------------------------------------------------------------------------------------------------


@pages.get("/Appointment")
def search_appointments() -> Response:
    return _search()


@pages.post("/Appointment/_search")
def search_appointments_by_post() -> Response:
    return _search()


def _search() -> Response:
    machine = needs(_READ)
    search = fhir.asked(_KNOWN, _INCLUDES, sorts=("date", "start"), most=_MOST)
    here = db.session.get_one(Establishment, machine.establishment_id)
    own = naming.system(fhir.base_url(), "appointment")
    found, total = records.found(here.id, _asked(search, here), own, search.count, search.offset)
    actions.read_list(here.id, len(found))
    written = _writer(machine, here)
    has_more = search.count > 0 and search.offset + search.count < total
    answer = Found([written(each) for each in found], total, has_more, _included(search, found))
    return fhir.respond(fhir.searchset("Appointment", search, answer))


@pages.get("/Appointment/<uuid:appointment_id>")
def read_appointment(appointment_id: UUID) -> Response:
    machine = needs(_READ)
    found = _one(machine, appointment_id)
    actions.read(found.appointment)
    return _respond(machine, found)


def _asked(search: Search, here: Establishment) -> Asked:
    dates, changed = search.between("date", here.tz), search.between("_lastUpdated", here.tz)
    statuses = search.codes("status", _EVERY_STATUS)
    patients = [
        *search.tokens("patient.identifier"),
        *search.tokens("patient:identifier"),
        *search.tokens("actor:Patient.identifier"),
    ]
    return Asked(
        ids=_keys(search.tokens("_id")),
        identifiers=[[(each.system, each.value) for each in group] for group in search.tokens("identifier")],
        states=None if statuses is None else {_STATES[each] for each in statuses if each in _STATES},
        since=dates.since,
        until=dates.until,
        changed_since=changed.since,
        changed_until=changed.until,
        patients=[_patients(group, here) for group in patients],
        practitioners=times.keys(search, ("practitioner",), "Practitioner"),
        rpps=_rpps(search),
        reasons=times.reasons_asked(search),
        sites=times.keys(search, ("location",), "Location"),
    )


def _keys(groups: Sequence[Sequence[Token]]) -> frozenset[UUID] | None:
    found = [frozenset(key for each in group if (key := resources.key_of(each.value))) for group in groups]
    return frozenset.intersection(*found) if found else None


def _patients(group: Sequence[Token], here: Establishment) -> list[UUID]:
    return records.patients(here.id, [(each.system, each.value) for each in group], ipp_system(here))


def _rpps(search: Search) -> frozenset[str] | None:
    names = ("practitioner.identifier", "practitioner:identifier", "actor:Practitioner.identifier")
    found = [
        frozenset(naming.rpps_of(each.value) for each in group if each.system in (None, naming.RPPS))
        for name in names
        for group in search.tokens(name)
    ]
    return frozenset.intersection(*found) if found else None


def ipp_system(here: Establishment) -> str:
    default = naming.system(fhir.base_url(), f"ipp/{here.finess}")
    return establishments.setting(here.id, IPP_SYSTEM, default)


def _included(search: Search, found: Sequence[Written]) -> list[Json]:
    included: list[Json] = []
    if "Appointment:practitioner" in search.includes:
        people = {each.appointment.practitioner_id: each.appointment.practitioner for each in found}
        included += [resources.practitioner(each) for each in people.values()]
    if "Appointment:location" in search.includes:
        places = {each.appointment.site_id: each.appointment.site for each in found}
        included += [resources.location(each, fhir.base_url()) for each in places.values()]
    return included


def _writer(machine: Caller, here: Establishment) -> Callable[[Written], Json]:
    return partial(
        appointments.appointment,
        base=fhir.base_url(),
        ipp=ipp_system(here),
        with_patient=_IDENTITIES in machine.scopes,
    )


def _one(machine: Caller, appointment_id: UUID) -> Written:
    found = records.one(machine.establishment_id, appointment_id)
    if found is None:
        raise Refused.because(404, "no such appointment")
    return found


def _respond(machine: Caller, found: Written, status: int = 200) -> Response:
    made = found.appointment
    headers = {"ETag": f'W/"{found.version}"', "Last-Modified": _http_date(found)}
    if request.method != "GET":
        headers["Location"] = f"{fhir.base_url()}/Appointment/{made.id}"
        if fhir.wants_nothing_back() or not _is_shown(machine, status):
            return Response(status=status, headers=headers, content_type=fhir.MEDIA)
    return fhir.respond(_writer(machine, made.establishment)(found), status, headers)


def _is_shown(machine: Caller, status: int) -> bool:
    """Who may write but not read sees what it has just made, and nothing of what was there before: an identifier that
    it guessed would otherwise read it a visit."""
    return status == HTTPStatus.CREATED or _READ in machine.scopes


def _http_date(found: Written) -> str:
    return found.changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT")


# -- writing -----------------------------------------------------------------------------------------------------


@pages.post("/Appointment")
def create_appointment() -> Response:
    """Take a time for a patient of the hospital; once only under `If-None-Exist`."""
    machine = needs(_WRITE)
    told = _told()
    if condition := request.headers.get("If-None-Exist", ""):
        named = _identifier_asked(condition.partition("?")[2] or condition)
        if (existing := _under(machine, named)) is not None:
            return _unchanged(machine, existing)
    return _create(machine, told)


@pages.put("/Appointment")
def put_appointment_by_identifier() -> Response:
    """Create what is not known under this identifier, or bring it up to what is said; again is the same."""
    machine = needs(_WRITE)
    named = _identifier_asked(request.query_string.decode("ascii", "replace"))
    told = _told()
    if told.identifiers and named not in told.identifiers:
        raise Refused.because(400, "the identifier of the address is not in the resource", expression="identifier")
    existing = _under(machine, named)
    if existing is None:
        if fhir.version_wanted() is not None:
            raise Refused.because(412, "there is no such appointment yet")
        return _create(machine, told, named)
    return _update(machine, existing.appointment.id, told)


@pages.put("/Appointment/<uuid:appointment_id>")
def put_appointment(appointment_id: UUID) -> Response:
    machine = needs(_WRITE)
    resource = fhir.body("Appointment")
    told = _told(resource)
    if resource.get("id") not in (None, str(appointment_id)):
        raise Refused.because(400, "the id of the resource is not the address's", expression="id")
    return _update(machine, appointment_id, told)


def _told(resource: Json | None = None) -> Told:
    """resource: what was sent, when it was read already: it can be read once only."""
    try:
        return incoming.read(resource or fhir.body("Appointment"), fhir.base_url())
    except Unreadable as error:
        raise Refused.because(422, error.text, "value", error.expression) from error


def _identifier_asked(query: str) -> incoming.Identifier:
    pairs = [pair for pair in parse_qsl(query) if pair[0] != "_format"]
    system, bar, value = pairs[0][1].partition("|") if len(pairs) == 1 and pairs[0][0] == "identifier" else ("", "", "")
    unreadable = any(sign in system + value for sign in ("\0", "\ufffd"))
    if not (bar and system and value) or unreadable or len(query) > 1000:
        raise Refused.because(412, "ask by one identifier=system|value", "invalid")
    return system, value


def _under(machine: Caller, named: incoming.Identifier) -> Written | None:
    """The one appointment under this identifier, once nobody else is at work on it."""
    actions.alone(machine.establishment_id, named)
    own = naming.system(fhir.base_url(), "appointment")
    found, total = records.found(machine.establishment_id, Asked(identifiers=[[named]]), own, 1, 0)
    if total > 1:
        raise Refused.because(412, "several appointments have this identifier", "multiple-matches")
    return found[0] if found else None


def _unchanged(machine: Caller, existing: Written) -> Response:
    if _is_shown(machine, HTTPStatus.OK):
        actions.read(existing.appointment)
    return _respond(machine, existing)


def _create(machine: Caller, told: Told, named: incoming.Identifier | None = None) -> Response:
    here = db.session.get_one(Establishment, machine.establishment_id)
    told = told if named is None or told.identifiers else replace(told, identifiers=(named,))
    with _refusals(told):
        made = actions.declare(here.id, told, ipp_system(here))
    return _respond(machine, _one(machine, made.id), HTTPStatus.CREATED)


def _update(machine: Caller, appointment_id: UUID, told: Told) -> Response:
    actions.hold_still(appointment_id)
    found = _one(machine, appointment_id)
    wanted = fhir.version_wanted()
    if wanted not in (None, found.version):
        raise Refused.because(412, f"it is at version {found.version}")
    here = found.appointment.establishment
    with _refusals(told, found):
        actions.change(found.appointment, told, ipp_system(here))
    return _respond(machine, _one(machine, appointment_id))


_SAID: dict[type[Exception], tuple[int, str, str]] = {
    actions.NobodyKnown: (422, "not-found", "no patient of this hospital has these identifiers"),
    actions.SeveralKnown: (422, "multiple-matches", "these identifiers lead to several patients"),
    actions.NoTimeSaid: (422, "required", "say a slot, or start, practitioner and service type"),
    actions.Differs: (422, "business-rule", "another patient, another reason, or another time for a visit that began"),
    actions.IdentifierTaken: (409, "duplicate", "another appointment has one of these identifiers"),
    NotBookable: (422, "business-rule", "this session does not take that reason"),
    KnownPatientsOnly: (422, "business-rule", "this reason is for patients already followed"),
    PatientBusy: (409, "conflict", "the patient has another appointment at that time"),
    SlotTaken: (409, "conflict", "this time is not free"),
    AlreadyOver: (409, "business-rule", "the appointment is cancelled, or its time has come"),
    NotYet: (409, "business-rule", "it is too early to say so"),
    states.NotAllowed: (409, "business-rule", "not from the state it is in"),
}  # fmt: skip


@contextmanager
def _refusals(told: Told, found: Written | None = None) -> Iterator[None]:
    """Facts in the words of the standard; a time that is not free comes with the nearest ones."""
    try:
        yield
    except tuple(_SAID) as fact:
        status, code, text = _SAID[type(fact)]
        near = _nearest(told, found) if isinstance(fact, (SlotTaken, PatientBusy)) else []
        raise Refused(status, fhir.Issue(code, text), *near) from fact


def _nearest(told: Told, found: Written | None) -> list[fhir.Issue]:
    reason_id = found.appointment.reason_id if found else told.reason_id
    reason = offer.reasons([reason_id]).get(reason_id) if reason_id else None
    at = told.start_at or (offer.moment(told.slot) if told.slot else None)
    if reason is None or at is None:
        return []
    return times.nearest(queries.nearest(reason, reason.window("phone", db.now()), at), reason)
