"""Encounters of a machine's hospital: polled, read, created, brought up to date, cancelled."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import UUID

from flask import Response, request

from auth.machines.callers import Caller
from auth.machines.fhir import addresses, needs
from portal import db, establishments
from portal.establishments import Establishment
from portal.web import fhir
from portal.web.fhir import Found, Json, Refused, Search, Token
from services.preadmission import queries
from services.preadmission.actions import NothingToAskAgain, PiecesNotSettled, StayInThePast, UnitNotOpen
from services.preadmission.api.capabilities import ENCOUNTERS
from services.preadmission.fhir import actions, encounters, incoming, naming, people, records, statuses
from services.preadmission.fhir.encounters import Known, Systems
from services.preadmission.fhir.incoming import Told, Unreadable
from services.preadmission.fhir.records import Asked
from services.preadmission.models import Preadmission
from services.preadmission.states import TransitionRefused

pages = addresses("fhir_preadmissions", __name__)

READ, WRITE, IDENTITIES = "system/Encounter.read", "system/Encounter.write", "system/Patient.read"
IPP_SYSTEM, VISIT_SYSTEM = "fhir_ipp_system", "fhir_visit_system"
"""Settings of the hospital: the identifier systems of its patient numbers and of its visit numbers."""
_KNOWN = {each.name for each in ENCOUNTERS} | {"subject", "patient:identifier", "subject.identifier", "_cursor"}
_INCLUDES = {"Encounter:patient", "Encounter:subject"}
_MOST, _USUAL = 200, 50


# -- reading -------------------------------------------------------------------------------------------------------


@pages.get("/Encounter")
def search_encounters() -> Response:
    return _search()


@pages.post("/Encounter/_search")
def search_encounters_by_post() -> Response:
    return _search()


def _search() -> Response:
    machine = needs(READ)
    search = fhir.asked(_KNOWN, _INCLUDES, sorts=("_lastUpdated", "date"), most=_MOST)
    here = _here(machine)
    known_systems = systems(here)
    if search.includes and IDENTITIES not in machine.scopes:
        needs(IDENTITIES)
    records.give_versions(here.id)
    asked = _asked(search, here, known_systems)
    named = {"own": known_systems.own("preadmission"), "visit": known_systems.visit}
    page, has_more = records.found(here.id, asked, named, _count(search))
    actions.read_list(here.id, len(page))
    answer = Found(
        [written(machine, each, known_systems) for each in page],
        records.total(here.id, asked, named) if asked.after is None else None,
        has_more=False,
        included=_included(search, page, known_systems),
    )
    bundle = fhir.searchset("Encounter", search, answer)
    if has_more and page:
        bundle["link"].append({"relation": "next", "url": _next(search, asked, page[-1])})
    if (at := records.read_up_to(here.id)) is not None:
        bundle["meta"] = {"lastUpdated": fhir.instant(at, here.tz)}
    return fhir.respond(bundle)


@pages.get("/Encounter/<uuid:preadmission_id>")
def read_encounter(preadmission_id: UUID) -> Response:
    machine = needs(READ)
    records.give_versions(machine.establishment_id)
    found = one(machine, preadmission_id)
    actions.read(found.preadmission)
    return _respond(machine, found)


def systems(here: Establishment) -> Systems:
    """The identifier systems of this hospital."""
    base = fhir.base_url()
    ipp = establishments.setting(here.id, IPP_SYSTEM, naming.system(base, f"ipp/{here.finess}"))
    visit = establishments.setting(here.id, VISIT_SYSTEM, naming.system(base, f"visit/{here.finess}"))
    return Systems(base, here.finess, ipp, visit)


def one(machine: Caller, preadmission_id: UUID) -> Known:
    """Raises Refused (404)."""
    found = records.one(machine.establishment_id, preadmission_id)
    if found is None:
        raise Refused.because(404, "no such pre-admission")
    return found


def written(machine: Caller, known: Known, known_systems: Systems) -> Json:
    return encounters.encounter(known, known_systems, reads_people=IDENTITIES in machine.scopes)


def _here(machine: Caller) -> Establishment:
    return db.session.get_one(Establishment, machine.establishment_id)


def _count(search: Search) -> int:
    return search.count if search.values("_count") else _USUAL


def _asked(search: Search, here: Establishment, known_systems: Systems) -> Asked:
    changed, days = search.between("_lastUpdated", here.tz), search.between("date", here.tz)
    tokens = (*search.tokens("patient.identifier"), *search.tokens("patient:identifier"),
              *search.tokens("subject.identifier"))  # fmt: skip
    patients = [_patients(group, here, known_systems) for group in tokens]
    patients += [_keys(group) for name in ("patient", "subject") for group in search.ids(name, "Patient")]
    ids = [frozenset(_keys([each.value for each in group])) for group in search.tokens("_id")]
    by_date = search.values("_sort") == ["date"]
    return Asked(
        ids=frozenset.intersection(*ids) if ids else None,
        codes=search.codes("preadmission-status", statuses.CODES),
        identifiers=[[(each.system, each.value) for each in group] for group in search.tokens("identifier")],
        patients=patients,
        since=None if days.since is None else days.since.astimezone(here.tz).date(),
        until=None if days.until is None else _day_after(days.until, here),
        changed_since=changed.since,
        changed_until=changed.until,
        by_date=by_date,
        after=_after(search, by_date=by_date),
    )


def _day_after(until: datetime, here: Establishment) -> Any:
    """The first day that is not wanted: a moment within a day wants that day."""
    last = until.astimezone(here.tz) - timedelta(microseconds=1)
    return last.date() + timedelta(days=1)


def _keys(texts: list[str]) -> list[UUID]:
    return [key for each in texts if (key := naming.key_of(each)) is not None]


def _patients(group: list[Token], here: Establishment, known_systems: Systems) -> list[UUID]:
    return records.patients(here.id, [(each.system, each.value) for each in group], known_systems.ipp)


def _after(search: Search, *, by_date: bool) -> tuple[Any, UUID] | None:
    """Where the page before ended: no row is skipped when others move between two pages."""
    values = search.values("_cursor")
    if not values:
        return None
    at, _mark, key = values[0].partition("~")
    try:
        moment = datetime.fromisoformat(at)
        where = moment.date() if by_date else moment
        if len(values) > 1 or (moment.tzinfo is None) != by_date:
            raise ValueError
        return where, UUID(key)
    except ValueError as error:
        raise Refused.because(400, "_cursor: as a next link gave it", "value") from error


def _next(search: Search, asked: Asked, last: Known) -> str:
    at = last.preadmission.planned_on.isoformat() if asked.by_date else last.at.isoformat()
    kept = "&".join(each for each in search.address(0).split("&") if each and not each.startswith("_cursor="))
    cursor = quote(f"{at}~{last.preadmission.id}", safe="~:")
    return f"{fhir.base_url()}/Encounter?{kept}{'&' if kept else ''}_cursor={cursor}"


def _included(search: Search, page: list[Known], known_systems: Systems) -> list[Json]:
    """Each patient once, as their latest file of this page says they are reached."""
    if not search.includes:
        return []
    latest = {each.preadmission.patient_id: each for each in sorted(page, key=lambda each: each.at)}
    found = []
    for each in latest.values():
        actions.read(each.preadmission, "patient")
        found.append(people.patient(each, dict(queries.sent_of(each.preadmission)), known_systems))
    return found


# -- writing -------------------------------------------------------------------------------------------------------


@pages.post("/Encounter")
def create_encounter() -> Response:
    """A stay that the hospital knows; once only under `If-None-Exist`."""
    machine = needs(WRITE)
    told = _told(machine, fhir.body("Encounter"))
    if condition := request.headers.get("If-None-Exist", ""):
        existing = _under(machine, _identifier_asked(condition.partition("?")[2] or condition))
        if existing is not None:
            return _respond(machine, existing)
    return _create(machine, told)


@pages.put("/Encounter")
def put_encounter_by_identifier() -> Response:
    """Create what is not known under this identifier, or bring it up to what is said; again is the same."""
    machine = needs(WRITE)
    named = _identifier_asked(request.query_string.decode("ascii", "replace"))
    sent = fhir.body("Encounter")
    told = _told(machine, sent)
    existing = _under(machine, named)
    if existing is not None:
        return _update(machine, existing.preadmission.id, told)
    if fhir.version_wanted() is not None:
        raise Refused.because(412, "there is no such pre-admission yet")
    if named not in _all_numbers(machine, told):
        raise Refused.because(400, "the identifier of the address is not in the resource", expression="identifier")
    return _create(machine, told)


@pages.put("/Encounter/<uuid:preadmission_id>")
def put_encounter(preadmission_id: UUID) -> Response:
    machine = needs(WRITE)
    sent = fhir.body("Encounter")
    if sent.get("id") not in (None, str(preadmission_id)):
        raise Refused.because(400, "the id of the resource is not the address's", expression="id")
    return _update(machine, preadmission_id, _told(machine, sent))


@pages.delete("/Encounter/<uuid:preadmission_id>")
def delete_encounter(preadmission_id: UUID) -> Response:
    """The hospital cancelled the stay: the file stays, and says so."""
    machine = needs(WRITE)
    actions.hold_still(machine.establishment_id, preadmission_id)
    records.give_versions(machine.establishment_id)
    found = one(machine, preadmission_id)
    _same_version(found)
    with refusals():
        actions.cancel(found.preadmission)
    return Response(status=204, headers={"Vary": "Accept, Authorization"})


def _told(machine: Caller, sent: Json) -> Told:
    here = _here(machine)
    try:
        return incoming.read(sent, systems(here), here.tz)
    except Unreadable as error:
        raise Refused.because(422, error.text, "value", error.expression) from error


def _all_numbers(machine: Caller, told: Told) -> list[tuple[str, str]]:
    visit = systems(_here(machine)).visit
    return [*told.identifiers, *([(visit, told.visit_number)] if told.visit_number else [])]


def _identifier_asked(query: str) -> tuple[str, str]:
    pairs = [pair for pair in parse_qsl(query) if pair[0] != "_format"]
    system, bar, value = pairs[0][1].partition("|") if len(pairs) == 1 and pairs[0][0] == "identifier" else ("", "", "")
    unreadable = any(sign in system + value for sign in ("\0", "\ufffd"))
    if not (bar and system and value) or unreadable or len(query) > 1000:
        raise Refused.because(412, "ask by one identifier=system|value", "invalid")
    return system, value


def _under(machine: Caller, named: tuple[str, str]) -> Known | None:
    """The one file under this identifier, once nobody else is at work on it."""
    actions.alone(machine.establishment_id, named)
    records.give_versions(machine.establishment_id)
    known_systems = systems(_here(machine))
    names = {"own": known_systems.own("preadmission"), "visit": known_systems.visit}
    found, more = records.found(machine.establishment_id, Asked(identifiers=[[named]]), names, 1)
    if more:
        raise Refused.because(412, "several pre-admissions have this identifier", "multiple-matches")
    return found[0] if found else None


def _create(machine: Caller, told: Told) -> Response:
    with refusals():
        made = actions.declare(machine.establishment_id, told, systems(_here(machine)))
    return _after_change(machine, made.id, 201)


def _update(machine: Caller, preadmission_id: UUID, told: Told) -> Response:
    actions.hold_still(machine.establishment_id, preadmission_id)
    records.give_versions(machine.establishment_id)
    found = one(machine, preadmission_id)
    _same_version(found)
    with refusals():
        actions.change(found, told, systems(_here(machine)))
    return _after_change(machine, preadmission_id, 200)


def _same_version(found: Known) -> None:
    wanted = fhir.version_wanted()
    if wanted not in (None, found.version):
        raise Refused.because(412, f"it is at version {found.version}")


def _after_change(machine: Caller, preadmission_id: UUID, status: int) -> Response:
    records.give_versions(machine.establishment_id)
    return _respond(machine, one(machine, preadmission_id), status)


def _respond(machine: Caller, found: Known, status: int = 200) -> Response:
    file: Preadmission = found.preadmission
    headers = {"ETag": f'W/"{found.version}"', "Last-Modified": found.at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    if request.method != "GET":
        headers["Location"] = f"{fhir.base_url()}/Encounter/{file.id}"
        # Who may write but not read sees what it has just made, and nothing of what was there before.
        if fhir.wants_nothing_back() or (status != 201 and READ not in machine.scopes):
            return Response(status=status, headers=headers, content_type=fhir.MEDIA)
    return fhir.respond(written(machine, found, systems(file.establishment)), status, headers)


_SAID: dict[type[Exception], tuple[int, str, str]] = {
    actions.NobodyKnown: (422, "not-found", "no patient of this hospital has these identifiers"),
    actions.SeveralKnown: (422, "multiple-matches", "these identifiers lead to several patients"),
    actions.NoStaySaid: (422, "required", "say the class, the first day of the period, and a unit of this hospital"),
    actions.Differs: (422, "business-rule", "this file is another patient's"),
    actions.IdentifierTaken: (409, "duplicate", "another pre-admission has one of these identifiers"),
    actions.NoWords: (422, "required", "say in EncounterAgentInstructions what the patient will read"),
    actions.NotFromHere: (409, "business-rule", "not from the status it has"),
    NothingToAskAgain: (422, "business-rule", "no piece of the file is refused: there is nothing to ask again"),
    PiecesNotSettled: (409, "business-rule", "a piece that is needed is missing or waits for the antivirus"),
    StayInThePast: (422, "business-rule", "that day is over"),
    UnitNotOpen: (422, "business-rule", "this hospital does not take pre-admissions online"),
    TransitionRefused: (409, "business-rule", "not from the state it is in"),
}  # fmt: skip


@contextmanager
def refusals() -> Iterator[None]:
    """Facts in the words of the standard."""
    try:
        yield
    except tuple(_SAID) as fact:
        status, code, text = _SAID[type(fact)]
        raise Refused.because(status, text, code) from fact
