"""Slots: free ones for everybody where hospitals open them, taken ones for their machines."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from flask import Response

from auth.machines import callers
from auth.machines.fhir import addresses, needs, without_pass
from portal import db
from portal.web import fhir
from portal.web.fhir import Found, Json, Search
from portal.web.security import public_url
from services.appointments.api.capabilities import TIMES
from services.appointments.fhir import naming, offer, resources, taken
from services.appointments.fhir.offer import Reader, Time, TooMuch, Wanted
from services.appointments.fhir.taken import Stretch
from services.appointments.models import Reason
from services.appointments.slots import FreeSlot

pages = addresses("fhir_slots", __name__)

STATUSES = ("free", "busy", "busy-tentative", "busy-unavailable", "entered-in-error")
_KNOWN = {each.name for each in TIMES} | {"_id", "schedule.actor", "schedule.actor:Practitioner"}
_INCLUDES = {
    "Slot:schedule", "Schedule:actor", "Schedule:actor:Practitioner", "Schedule:actor:PractitionerRole",
    "Schedule:actor:Location",
}  # fmt: skip
_MOST = 1000
_UNASKED = timedelta(days=14)
_LONGEST = timedelta(days=400)


@pages.route("/Slot", methods=["GET"])
@without_pass
def search_slots() -> Response:
    """Slots by practitioner, speciality, reason and moment (GAP 4a, SAS)."""
    return _search()


@pages.route("/Slot/_search", methods=["POST"])
@without_pass
def search_slots_by_post() -> Response:
    return _search()


def _search() -> Response:
    search = fhir.asked(_KNOWN, _INCLUDES, sorts=("start",), most=_MOST)
    statuses = search.codes("status", STATUSES)
    search, wanted = _wanted(search)
    try:
        found: list[About] = [*offer.times(reader(), wanted)] if statuses is None or "free" in statuses else []
        found = sorted([*found, *_taken(wanted, statuses)], key=lambda each: each.start_at)
    except TooMuch as error:
        raise fhir.Refused.because(
            400, "too many sessions: ask for less time or fewer practitioners", "too-costly"
        ) from error
    page = found[search.offset : search.offset + search.count]
    has_more = search.count > 0 and search.offset + search.count < len(found)
    # Resources of this page alone: a unit's week may hold thousands.
    answer = Found([_resource(each) for each in page], len(found), has_more, _included(search, page))
    return fhir.respond(fhir.searchset("Slot", search, answer, resources.BUNDLE))


About = Time | Stretch


def _taken(wanted: Wanted, statuses: frozenset[str] | None) -> list[Stretch]:
    """Time that is not free, for a machine of the hospital; nobody else sees it, and whoever asks for it is told so."""
    kinds = {"busy", "busy-tentative"}
    asked = kinds if statuses is None else statuses & kinds
    if not asked or (statuses is None and callers.caller() is None):
        return []
    machine = needs("system/Slot.read")
    found = taken.stretches(machine.establishment_id, wanted)
    return [each for each in found if ("busy-tentative" if each.is_kept else "busy") in asked]


def _resource(about: About) -> Json:
    if isinstance(about, Time):
        return resources.slot(about, fhir.base_url(), _address(about))
    key = naming.taken_id(about.session_id, about.first_cell)
    schedule = naming.pair_id(about.practitioner_id, about.unit_id)
    return resources.taken(key, schedule, about.start_at, about.end_at, about.tz, is_kept=about.is_kept)


def reader() -> Reader:
    """What the caller sees of free times: what they may take."""
    machine = callers.caller()
    if machine is None or "system/Slot.read" not in machine.scopes:
        return Reader()
    return Reader(machine.establishment_id, "system/Appointment.write" in machine.scopes)


def _address(time: Time) -> str:
    if not time.is_public:
        return ""
    return public_url("appointments.choose_slot", reason=time.reason.id, slot=str(time.slot))


# -- what is asked -----------------------------------------------------------------------------------------------


def _wanted(search: Search) -> tuple[Search, Wanted]:
    since, until, search = _bounds(search)
    return search, Wanted(
        since,
        until,
        rpps=_rpps(search),
        practitioners=keys(search, ("schedule.actor", "schedule.actor:Practitioner"), "Practitioner"),
        specialities=_specialities(search),
        reasons=reasons_asked(search),
        schedules=_schedules(search),
    )


def _bounds(search: Search) -> tuple[datetime, datetime, Search]:
    asked, now = search.between("start"), db.now()
    since = max(asked.since or now, now)
    if asked.until is None:
        until = since + _UNASKED
        search = search.also("start", f"lt{fhir.instant(until, fhir.PARIS)}")
    else:
        until = asked.until
    if until - since > _LONGEST:
        raise fhir.Refused.because(400, f"start: {_LONGEST.days} days at most", "too-costly")
    return since, until, search


def _rpps(search: Search) -> frozenset[str] | None:
    groups = search.tokens("schedule.actor:Practitioner.identifier")
    found = [
        frozenset(naming.rpps_of(each.value) for each in group if each.system in (None, naming.RPPS))
        for group in groups
    ]
    return frozenset.intersection(*found) if found else None


def _specialities(search: Search) -> frozenset[str] | None:
    groups = search.tokens("specialty") + search.tokens("schedule.actor:PractitionerRole.specialty")
    found = [frozenset(each.value for each in group if each.system is None or "R38" in each.system) for group in groups]
    return frozenset.intersection(*found) if found else None


def reasons_asked(search: Search) -> frozenset[UUID] | None:
    own = naming.system(fhir.base_url(), "reason")
    found = [
        frozenset(
            key for each in group if each.system in (None, own) and (key := resources.key_of(each.value)) is not None
        )
        for group in search.tokens("service-type")
    ]
    return frozenset.intersection(*found) if found else None


def keys(search: Search, names: Sequence[str], kind: str) -> frozenset[UUID] | None:
    found = [
        frozenset(key for each in group if (key := resources.key_of(each)) is not None)
        for name in names
        for group in search.ids(name, kind)
    ]
    return frozenset.intersection(*found) if found else None


def _schedules(search: Search) -> frozenset[tuple[UUID, UUID]] | None:
    found = [frozenset(_pairs(group)) for group in search.ids("schedule", "Schedule")]
    return frozenset.intersection(*found) if found else None


def _pairs(ids: Sequence[str]) -> list[tuple[UUID, UUID]]:
    pairs = []
    for each in ids:
        try:
            pairs.append(naming.pair_of(each))
        except naming.NotAnId:
            continue
    return pairs


# -- what comes with it ------------------------------------------------------------------------------------------


def _included(search: Search, found: Sequence[About]) -> list[Json]:
    """Schedules, and then whose they are: with or without `:iterate`, which the guides write differently."""
    if "Slot:schedule" not in search.includes or not found:
        return []
    pairs = {_pair(each): each for each in found}
    units = offer.units({unit for _practitioner, unit in pairs})
    strangers = {each.practitioner_id for each in found if isinstance(each, Stretch)}
    people = taken.people(strangers) if strangers else {}
    people |= {each.practitioner.id: each.practitioner for each in found if isinstance(each, Time)}
    base = fhir.base_url()
    included = [resources.schedule(people[one], units[unit]) for one, unit in pairs]
    if "Schedule:actor" in search.includes or "Schedule:actor:Practitioner" in search.includes:
        included += [resources.practitioner(people[one]) for one in dict.fromkeys(one for one, _unit in pairs)]
    if "Schedule:actor" in search.includes or "Schedule:actor:PractitionerRole" in search.includes:
        included += [resources.role(people[one], units[unit], base) for one, unit in pairs]
    return included


def _pair(about: About) -> tuple[UUID, UUID]:
    if isinstance(about, Time):
        return about.practitioner.id, about.reason.unit_id
    return about.practitioner_id, about.unit_id


# -- one ---------------------------------------------------------------------------------------------------------


@pages.get("/Slot/<string(maxlength=64):slot_id>")
@without_pass
def read_slot(slot_id: str) -> Response:
    """A slot that a search gave, as it is now."""
    try:
        if (filled := naming.taken_of(slot_id)) is not None:
            return _read_taken(*filled)
        slot, reason_id = naming.slot_of(slot_id)
    except naming.NotAnId as error:
        raise fhir.Refused.because(404, "no such slot") from error
    found = offer.one(reader(), slot, reason_id)
    if found is None:
        raise fhir.Refused.because(404, "no such slot")
    time, is_free = found
    return fhir.respond(resources.slot(time, fhir.base_url(), _address(time), is_free=is_free))


def _read_taken(session_id: UUID, first_cell: int) -> Response:
    machine = needs("system/Slot.read")
    found = taken.one(machine.establishment_id, session_id, first_cell)
    if found is None:
        raise fhir.Refused.because(404, "no such slot")
    return fhir.respond(_resource(found))


def nearest(offers: Sequence[FreeSlot], reason: Reason) -> list[fhir.Issue]:
    """Other times, as issues of a refusal."""
    base, tz = fhir.base_url(), reason.unit.establishment.tz
    return [
        fhir.Issue(
            "informational",
            f"free: {fhir.instant(each.at, tz)} {base}/Slot/{naming.slot_id(each.slot, reason.id)}",
            "information",
        )
        for each in offers
    ]
