"""A ServiceRequest as a practice's software writes it: alone with what it contains, or in a bundle. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from services.referrals.fhir import naming
from services.referrals.fhir.shapes import (
    Around,
    Identifier,
    Json,
    Unreadable,
    around,
    codings,
    content,
    identifiers,
    listed,
    object_,
    text,
)

STATUSES: Final = ("active", "revoked", "entered-in-error")
PRIORITIES: Final = ("routine", "urgent", "asap", "stat")
_INTENTS: Final = ("proposal", "plan", "order", "original-order")
_SEXES: Final = {"male": "M", "female": "F"}
_MOST_FILES: Final = 10
_MOST_BYTES: Final = 40 * 1000 * 1000
"""Of all files together, once they are decoded: one Binary may be named many times."""


@dataclass(frozen=True, repr=False)
class Person:
    """A patient in the practitioner's words."""

    birth_name: str
    first_name: str
    birth_on: date
    sex: str
    mobile: str
    email: str
    address: str


@dataclass(frozen=True, repr=False)
class Carried:
    """A file: its bytes, its name, and the code of what the offer asked for ("" for any other)."""

    content: bytes
    name: str
    code: str


@dataclass(frozen=True, repr=False)
class Told:
    """What was said. withdraws: the request is taken back. offers: in the order of preference. urgency: a code of the
    unit's grid, "" when only a priority was said. rpps, author: of the practitioner who asks."""

    identifiers: tuple[Identifier, ...]
    withdraws: bool
    rpps: str
    author: str
    offers: tuple[UUID, ...]
    priority: str
    urgency: str
    question: str
    person: Person | None
    files: tuple[Carried, ...]


def read(sent: Json, base: str, others: Mapping[str, Json] | None = None) -> Told:
    """base: our own address. others: the resources of the bundle, by what references call them. Raises Unreadable."""
    status = _among(sent, "status", STATUSES)
    near, named = around(sent, others), tuple(identifiers(sent.get("identifier"), "ServiceRequest.identifier"))
    if not named:
        raise Unreadable("your own identifier of the request is needed", "ServiceRequest.identifier")
    rpps, author = _requester(sent, near)
    if status != "active":
        return Told(named, True, rpps, author, (), "", "", "", None, ())
    _among(sent, "intent", _INTENTS)
    return Told(
        named,
        False,
        rpps,
        author,
        _offers(sent, base),
        _among(sent, "priority", PRIORITIES) if sent.get("priority") is not None else "routine",
        _urgency(sent, base),
        _question(sent),
        _person(sent, near),
        _within(_files(sent, near, base), "ServiceRequest.supportingInfo"),
    )


def _among(sent: Json, name: str, codes: Sequence[str]) -> str:
    code = sent.get(name)
    if code not in codes:
        raise Unreadable(f"one of {', '.join(codes)}", f"ServiceRequest.{name}")
    return str(code)


def _requester(sent: Json, near: Around) -> tuple[str, str]:
    where = "ServiceRequest.requester"
    reference = object_(sent.get("requester"), where)
    known = near.of(reference, "Practitioner", where)
    numbers = list(identifiers(known.get("identifier"), f"{where}.identifier"))
    if reference.get("identifier"):
        numbers += identifiers([object_(reference["identifier"], where)], f"{where}.identifier")
    rpps = next((found for each in numbers if (found := naming.rpps_of(*each))), "")
    if not rpps:
        raise Unreadable("a practitioner with an RPPS number is needed", where)
    names = listed(known.get("name"), f"{where}.name")
    shown = text(reference.get("display"), f"{where}.display") or (_full_name(names[0]) if names else "")
    return rpps, shown[:200]


def _full_name(name: Json) -> str:
    given = _given(name)
    family = text(name.get("family"), "name.family")
    return text(name.get("text"), "name.text") or " ".join([*given, family]).strip()


def _given(name: Json) -> list[str]:
    given = name.get("given", [])
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise Unreadable("a list of texts", "name.given")
    return [text(each, "name.given") for each in given]


def _offers(sent: Json, base: str) -> tuple[UUID, ...]:
    """From the performers, by our identifier of what each unit takes."""
    where, own = "ServiceRequest.performer", naming.system(base, "referral-offer")
    found = []
    for each in listed(sent.get("performer"), where):
        pairs = list(identifiers([object_(each.get("identifier"), where)] if each.get("identifier") else [], where))
        found += [_key(value, where) for system, value in pairs if system == own]
    if not found:
        raise Unreadable(f"say what is asked of which unit: an identifier of {own}", where)
    return tuple(found)


def _key(value: str, where: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Unreadable("no unit takes this", where) from None


def _urgency(sent: Json, base: str) -> str:
    own = naming.system(base, "referral-urgency")
    details = listed(sent.get("orderDetail"), "ServiceRequest.orderDetail")
    codes = (pair for each in details for pair in codings(each, "ServiceRequest.orderDetail"))
    return next((code for system, code in codes if system == own), "")


def _question(sent: Json) -> str:
    where = "ServiceRequest.reasonCode"
    reasons = [text(each.get("text"), f"{where}.text") for each in listed(sent.get("reasonCode"), where)]
    notes = [
        text(each.get("text"), "ServiceRequest.note.text") for each in listed(sent.get("note"), "ServiceRequest.note")
    ]
    said = "\n\n".join(each for each in (*reasons, *notes) if each)
    if not said:
        raise Unreadable("say why, and what is wanted, in reasonCode.text or note.text", where)
    return said


def _person(sent: Json, near: Around) -> Person:
    where = "ServiceRequest.subject"
    known = near.of(sent.get("subject"), "Patient", where)
    names = listed(known.get("name"), "Patient.name")
    name = next((each for each in names if each.get("use") == "official"), names[0] if names else {})
    family, given = text(name.get("family"), "Patient.name.family"), _given(name)
    if not (family and given and given[0]):
        raise Unreadable("a Patient of this message, with a birth name and a first name", where)
    return Person(
        family[:100],
        given[0][:100],
        _birth(known.get("birthDate")),
        _SEXES.get(text(known.get("gender"), "Patient.gender"), ""),
        _telecom(known, "phone")[:30],
        _telecom(known, "email")[:254],
        _address(known),
    )


def _birth(value: Any) -> date:
    try:
        born = date.fromisoformat(text(value, "Patient.birthDate"))
    except ValueError:
        raise Unreadable("a whole date", "Patient.birthDate") from None
    if not 1880 <= born.year <= 2200:
        raise Unreadable("no such birth date", "Patient.birthDate")
    return born


def _telecom(known: Json, system: str) -> str:
    points = listed(known.get("telecom"), "Patient.telecom")
    return next((text(each.get("value"), "Patient.telecom") for each in points if each.get("system") == system), "")


def _address(known: Json) -> str:
    first = next(iter(listed(known.get("address"), "Patient.address")), {})
    written = text(first.get("text"), "Patient.address.text")
    lines = first.get("line", [])
    if not isinstance(lines, list):
        raise Unreadable("a list of texts", "Patient.address.line")
    town = " ".join(text(first.get(part), "Patient.address") for part in ("postalCode", "city")).strip()
    return written or "\n".join(filter(None, (*(text(each, "Patient.address.line") for each in lines), town)))


def _files(sent: Json, near: Around, base: str) -> Iterator[Carried]:
    where = "ServiceRequest.supportingInfo"
    found = listed(sent.get("supportingInfo"), where)
    if len(found) > _MOST_FILES:
        raise Unreadable(f"{_MOST_FILES} documents at most", where)
    for reference in found:
        document = near.of(reference, "DocumentReference", where)
        if not document:
            raise Unreadable("documents are contained, or come in the same bundle", where)
        yield from _carried(document, near, base)


def _within(found: Iterable[Carried], where: str) -> tuple[Carried, ...]:
    """All of them, one after the other: what would be too much is never decoded. Raises Unreadable."""
    kept: list[Carried] = []
    for each in found:
        kept.append(each)
        if len(kept) > _MOST_FILES:
            raise Unreadable(f"{_MOST_FILES} documents at most", where)
        if sum(len(one.content) for one in kept) > _MOST_BYTES:
            raise Unreadable(f"{_MOST_BYTES // 1_000_000} megabytes of documents at most", where)
    return tuple(kept)


def _carried(document: Json, near: Around, base: str) -> Iterator[Carried]:
    own = naming.system(base, "referral-file")
    code = next((one for system, one in codings(document.get("type"), "DocumentReference.type") if system == own), "")
    for each in listed(document.get("content"), "DocumentReference.content"):
        yield attached(each.get("attachment"), near, code)


def attached(value: Any, near: Around, code: str = "") -> Carried:
    """The bytes of an attachment: in it, or in a Binary that its url names. Raises Unreadable."""
    where = "attachment"
    attachment = object_(value, where)
    data, url = attachment.get("data"), text(attachment.get("url"), f"{where}.url")
    if data is None and url:
        data = near.of({"reference": url}, "Binary", f"{where}.url").get("data")
    name = text(attachment.get("title"), f"{where}.title") or "document"
    return Carried(content(data, f"{where}.data"), name[:200], code)


# -- a bundle ------------------------------------------------------------------------------------------------------


def unpacked(bundle: Json) -> tuple[Json, dict[str, Json]]:
    """The one ServiceRequest of a transaction or collection, and every resource by what references call it. Raises
    Unreadable."""
    if bundle.get("type") not in ("transaction", "collection", "batch"):
        raise Unreadable("transaction or collection", "Bundle.type")
    named: dict[str, Json] = {}
    requests = []
    for each in listed(bundle.get("entry"), "Bundle.entry"):
        resource = object_(each.get("resource"), "Bundle.entry.resource")
        kind, key = str(resource.get("resourceType", "")), str(resource.get("id", ""))
        for name in (text(each.get("fullUrl"), "Bundle.entry.fullUrl"), f"{kind}/{key}" if key else ""):
            if name:
                named[name] = resource
        if kind == "ServiceRequest":
            requests.append(resource)
    if len(requests) != 1:
        raise Unreadable("one ServiceRequest, and what goes with it", "Bundle.entry")
    return requests[0], named


@dataclass(frozen=True, repr=False)
class Reply:
    """A message of the practitioner to a unit. task_id: about which Task."""

    task_id: UUID
    text: str
    files: tuple[Carried, ...]


def reply(sent: Json) -> Reply:
    """A Communication about a Task: what the unit asked for. Raises Unreadable."""
    references = [
        *listed(sent.get("basedOn"), "Communication.basedOn"),
        *listed(sent.get("about"), "Communication.about"),
    ]
    named = [text(each.get("reference"), "Communication.about").rpartition("Task/") for each in references]
    keys = [key for _before, mark, key in named if mark]
    if len(keys) != 1:
        raise Unreadable("say about which Task, once", "Communication.about")
    near, where = around(sent), "Communication.payload"
    payload = listed(sent.get("payload"), where)
    words = [text(each.get("contentString"), f"{where}.contentString") for each in payload]
    joined = (each["contentAttachment"] for each in payload if each.get("contentAttachment") is not None)
    files = _within((attached(each, near) for each in joined), where)
    return Reply(_key(keys[0], "Communication.about"), "\n\n".join(filter(None, words)), files)
