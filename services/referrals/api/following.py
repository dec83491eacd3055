"""Requests and what became of them, for the machine that sent them or its hospital's own system."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from uuid import UUID

from flask import Response, request

from auth.machines import callers
from auth.machines.callers import Caller
from auth.machines.fhir import addresses, needs
from portal import files
from portal.files import FileNotReadable
from portal.web import fhir
from portal.web.fhir import Found, Json, Refused, Search
from services.referrals import queries
from services.referrals.actions import thread
from services.referrals.api.capabilities import COMMON, OFFERS, REQUESTER, TASKS
from services.referrals.fhir import actions, naming, records, resources
from services.referrals.fhir.records import Asked, Reader, Sent
from services.referrals.models import ReferralTarget

pages = addresses("fhir_referrals", __name__)

READ: Final = "system/ServiceRequest.read"
_WRITE: Final = "system/ServiceRequest.write"
_MOST: Final = 200
_REQUEST_STATUSES: Final = ("active", "completed", "revoked")
_TASK_STATUSES: Final = ("requested", *dict.fromkeys(resources.TASK_STATUSES.values()))


def reader() -> Reader:
    """The machine of the request. Raises Refused (401, 403) unless it may read, or write and follow."""
    found = callers.caller()
    machine: Caller = needs(READ if found is not None and READ in found.scopes else _WRITE)
    return Reader(machine.establishment_id, f"machine:{machine.machine_id}", READ in machine.scopes)


# -- requests ------------------------------------------------------------------------------------------------------


@pages.get("/ServiceRequest")
def search_requests() -> Response:
    return _search_requests()


@pages.post("/ServiceRequest/_search")
def search_requests_by_post() -> Response:
    return _search_requests()


def _search_requests() -> Response:
    who = reader()
    search = fhir.asked({each.name for each in COMMON}, (), most=_MOST)
    statuses = search.codes("status", _REQUEST_STATUSES)
    found = records.targets(who, _asked(search, referrals=_ids(search)), _own())
    # Of a request that matches, every unit of the hospital is told, whichever has changed.
    keys = list(dict.fromkeys(each.referral_id for each in found))
    whole = records.targets(who, Asked(referrals=keys), _own()) if keys else []
    by_request = {key: [each for each in whole if each.referral_id == key] for key in keys}
    kept = [each for each in by_request.values() if each and _is(resources.request_status(each), statuses)]
    actions.read_list(who.establishment_id, len(kept))
    sent = records.sent(who, keys)
    page = kept[search.offset : search.offset + search.count]
    written = [_written(each, sent.get(each[0].referral_id)) for each in page]
    return fhir.respond(fhir.searchset("ServiceRequest", search, _page(search, written, len(kept))))


@pages.get("/ServiceRequest/<uuid:referral_id>")
def read_request(referral_id: UUID) -> Response:
    who = reader()
    found = _targets(who, referral_id)
    actions.read(found[0])
    return respond(who, referral_id, HTTPStatus.OK, found)


def respond(who: Reader, referral_id: UUID, status: int, found: Sequence[ReferralTarget] | None = None) -> Response:
    """A request as it is now, with its version."""
    targets = found or _targets(who, referral_id)
    headers = {"ETag": f'W/"{_version(targets)}"'}
    if request.method != "GET":
        headers["Location"] = f"{fhir.base_url()}/ServiceRequest/{referral_id}"
        if fhir.wants_nothing_back():
            return Response(status=status, headers=headers, content_type=fhir.MEDIA)
    sent = records.sent(who, [referral_id]).get(referral_id)
    return fhir.respond(_written(targets, sent), status, headers)


def _written(targets: Sequence[ReferralTarget], sent: Sent | None) -> Json:
    said = sent or Sent()
    return resources.service_request(targets[0].referral, targets, said.identifiers, said.rpps, fhir.base_url())


def version(who: Reader, referral_id: UUID) -> int:
    """How many changes the request has had at the units of this hospital."""
    return _version(_targets(who, referral_id))


def _version(targets: Sequence[ReferralTarget]) -> int:
    return max(1, sum(len(each.changes) + len(each.messages) for each in targets))


def _targets(who: Reader, referral_id: UUID) -> Sequence[ReferralTarget]:
    found = records.targets(who, Asked(referrals=[referral_id]), _own())
    if not found:
        raise Refused.because(404, "no such request")
    return sorted(found, key=lambda each: each.position)


# -- what became of them -------------------------------------------------------------------------------------------


@pages.get("/Task")
def search_tasks() -> Response:
    return _search_tasks()


@pages.post("/Task/_search")
def search_tasks_by_post() -> Response:
    return _search_tasks()


def _search_tasks() -> Response:
    who = reader()
    search = fhir.asked({each.name for each in TASKS}, (), most=_MOST)
    statuses = search.codes("status", _TASK_STATUSES)
    groups = [*search.ids("based-on", "ServiceRequest"), *search.ids("focus", "ServiceRequest")]
    wanted = [_keys(group) for group in groups]
    asked = _asked(search, ids=_ids(search), referrals=frozenset.intersection(*wanted) if wanted else None)
    found = [each for each in records.targets(who, asked, _own()) if _is(resources.task_status(each), statuses)]
    actions.read_list(who.establishment_id, len(found))
    page = found[search.offset : search.offset + search.count]
    written = [resources.task(each, fhir.base_url()) for each in page]
    return fhir.respond(fhir.searchset("Task", search, _page(search, written, len(found))))


@pages.get("/Task/<uuid:target_id>")
def read_task(target_id: UUID) -> Response:
    found = target(reader(), target_id)
    actions.read(found)
    return fhir.respond(resources.task(found, fhir.base_url()))


def task_of(who: Reader, target_id: UUID) -> Json:
    return resources.task(target(who, target_id), fhir.base_url())


def target(who: Reader, target_id: UUID) -> ReferralTarget:
    """Raises Refused (404)."""
    found = records.targets(who, Asked(ids=[target_id]), _own())
    if not found:
        raise Refused.because(404, "no such task")
    return found[0]


@pages.get("/Task/<uuid:target_id>/$file/<uuid:file_id>")
def read_file(target_id: UUID, file_id: UUID) -> Response:
    """The bytes of a document of the thread."""
    found = target(reader(), target_id)
    joined = records.file_of(found, file_id)
    try:
        if joined is None:
            raise FileNotReadable(file_id)
        content = b"".join(files.open_(joined.file))
    except FileNotReadable as error:
        raise Refused.because(404, "no such document") from error
    thread.hand_over_file(found, joined)
    return Response(content, mimetype=joined.file.media_type, headers={"Cache-Control": "no-store"})


# -- what units take -----------------------------------------------------------------------------------------------


@pages.get("/ActivityDefinition")
def search_offers() -> Response:
    """What units of the machine's hospital take by referral now."""
    who = reader()
    search = fhir.asked({each.name for each in OFFERS}, (), most=_MOST)
    topics = [frozenset(token.value for token in group) for group in search.tokens("topic")]
    found = [
        each
        for each in queries.offers_at([who.establishment_id])
        if each.is_open and all(each.kind in group for group in topics)
    ]
    page = found[search.offset : search.offset + search.count]
    written = [resources.activity(each, fhir.base_url()) for each in page]
    return fhir.respond(fhir.searchset("ActivityDefinition", search, _page(search, written, len(found))))


@pages.get("/ActivityDefinition/<uuid:offer_id>")
def read_offer(offer_id: UUID) -> Response:
    found = queries.offer_at([reader().establishment_id], offer_id)
    if found is None:
        raise Refused.because(404, "no unit of this hospital takes this")
    return fhir.respond(resources.activity(found, fhir.base_url()))


# -- what is asked -------------------------------------------------------------------------------------------------


def _own() -> str:
    return naming.system(fhir.base_url(), "referral")


def _asked(search: Search, *, ids: frozenset[UUID] | None = None, referrals: frozenset[UUID] | None = None) -> Asked:
    changed = search.between("_lastUpdated")
    requesters = [frozenset(_rpps(each.value) for each in group) for group in search.tokens(REQUESTER)]
    return Asked(
        ids=ids,
        referrals=referrals,
        identifiers=[[(each.system, each.value) for each in group] for group in search.tokens("identifier")],
        rpps=frozenset.intersection(*requesters) if requesters else None,
        since=changed.since,
        until=changed.until,
    )


def _rpps(value: str) -> str:
    return naming.rpps_of(naming.RPPS, value) or value


def _ids(search: Search) -> frozenset[UUID] | None:
    groups = [_keys([each.value for each in group]) for group in search.tokens("_id")]
    return frozenset.intersection(*groups) if groups else None


def _keys(values: Sequence[str]) -> frozenset[UUID]:
    return frozenset(key for each in values if (key := _key(each)) is not None)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _is(status: str, statuses: frozenset[str] | None) -> bool:
    return statuses is None or status in statuses


def _page(search: Search, written: Sequence[Json], total: int) -> Found:
    return Found(written, total, search.count > 0 and search.offset + search.count < total)
