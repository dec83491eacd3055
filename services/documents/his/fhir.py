"""Documents as FHIR DocumentReference (R4), read as a hospital's system writes them, and written for it. Pure.

What it sends is told in the same words as an MDM message, so that one rule files both.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Final
from uuid import UUID

from portal.web.fhir import Json, instant
from services.documents import cda
from services.documents.his import message
from services.documents.his.message import Carried, Told
from services.documents.ins import INS_OIDS
from services.documents.models import Document

MAX_BYTES: Final = 40 * 1000 * 1000
CHANNEL: Final = "fhir"
LOINC: Final = "http://loinc.org"
_URN: Final = "urn:oid:"
_LONGEST, _MOST = 300, 20
_SEXES: Final = {"male": "M", "female": "F"}
_RESTRICTED: Final = {"R": "R", "V": "V"}
_STATUSES: Final = {"filed": "current", "tray": "current", "superseded": "superseded", "withdrawn": "entered-in-error"}
"""Our state → DocumentReference.status; what was set aside is not told."""


class Unreadable(Exception):
    """The resource lacks something, or says it in a way that is not read. expression: where."""

    def __init__(self, text: str, expression: str) -> None:
        super().__init__(text, expression)
        self.text, self.expression = text, f"DocumentReference.{expression}"


@dataclass(frozen=True)
class Named:
    """The identifier of a document, as its sender gives it."""

    system: str
    value: str

    @property
    def number(self) -> str:
        return f"{self.system}|{self.value}"


def read(sent: Json, sender: str, ipp_system: str, now: datetime, tz: tzinfo) -> Told:
    """What a resource says. sender: the machine. ipp_system: of the hospital's patient numbers. Raises Unreadable."""
    status = _text(sent.get("status"), "status")
    if status not in ("current", "superseded", "entered-in-error"):
        raise Unreadable("current, superseded or entered-in-error", "status")
    named = identifier(sent)
    parent = _parent(sent)
    created_at = _moment(sent.get("date"), tz) or now
    coding = next(iter(_codings(sent.get("type"), "type")), ("", ""))
    return Told(
        trigger=message.WITHDRAWN if status == "entered-in-error" else message.REPLACED if parent else message.NEW,
        sender=sender,
        number=named.number,
        parent=parent,
        person=_person(sent, ipp_system),
        identity_status="",
        author=_author(sent),
        status={"preliminary": "PA"}.get(_text(sent.get("docStatus"), "docStatus"), "AU"),
        availability="OB" if status == "superseded" else "",
        confidentiality=_confidentiality(sent),
        said_at=now,
        created_at=created_at,
        documents=tuple(_documents(sent, coding)) if status == "current" else (),
        visibility=(),
        wishes=(),
        channel=CHANNEL,
    )


def identifier(sent: Json) -> Named:
    """The master identifier, else the first one. Raises Unreadable."""
    master = _object(sent.get("masterIdentifier"), "masterIdentifier")
    for each in (master, *_list(sent.get("identifier"), "identifier")):
        system, value = _text(each.get("system"), "identifier"), _text(each.get("value"), "identifier")
        if system and value:
            return Named(system, value)
    raise Unreadable("an identifier with its system is needed", "identifier")


def _parent(sent: Json) -> str:
    for each in _list(sent.get("relatesTo"), "relatesTo"):
        if each.get("code") == "replaces":
            target = _object(_object(each.get("target"), "relatesTo").get("identifier"), "relatesTo.target")
            system, value = (_text(target.get(name), "relatesTo.target.identifier") for name in ("system", "value"))
            if not (system and value):
                raise Unreadable("name what it replaces by its identifier", "relatesTo.target.identifier")
            return Named(system, value).number
    return ""


def _person(sent: Json, ipp_system: str) -> cda.Patient:
    """The contained Patient, else only the identifiers of the subject: a person decides then."""
    subject = _object(sent.get("subject"), "subject")
    reference = _text(subject.get("reference"), "subject.reference")
    known = _contained(sent, "Patient", reference.removeprefix("#")) if reference.startswith("#") else {}
    numbers = [*_list(known.get("identifier"), "contained"), _object(subject.get("identifier"), "subject.identifier")]
    ins, oid = _national(numbers)
    name = _name(known)
    given = [_text(each, "contained.name") for each in name.get("given", [])[:_MOST] if isinstance(each, str)]
    return cda.Patient(
        ins=ins.upper(),
        ins_oid=oid,
        ipp=next((_text(each.get("value"), "identifier") for each in numbers if each.get("system") == ipp_system), ""),
        birth_name=_text(name.get("family"), "contained.name"),
        first_names=" ".join(given),
        first_name=given[0] if given else "",
        sex=_SEXES.get(_text(known.get("gender"), "contained.gender"), ""),
        birth_on=_day(known.get("birthDate")),
    )


def _national(numbers: list[Json]) -> tuple[str, str]:
    for each in numbers:
        oid = _text(each.get("system"), "identifier").removeprefix(_URN)
        if oid in INS_OIDS:
            return _text(each.get("value"), "identifier"), oid
    return "", ""


def _name(known: Json) -> Json:
    """The official one (FRCore: of birth), else the first."""
    names = _list(known.get("name"), "contained.name")
    found = next((each for each in names if each.get("use") == "official"), names[0] if names else {})
    return found if isinstance(found.get("given", []), list) else {**found, "given": []}


def _author(sent: Json) -> cda.Author:
    first = next(iter(_list(sent.get("author"), "author")), {})
    return cda.Author(family=_text(first.get("display"), "author.display"))


def _confidentiality(sent: Json) -> str:
    codes = [code for each in _list(sent.get("securityLabel"), "securityLabel") for code, _ in
             _codings(each, "securityLabel")]  # fmt: skip
    return next((_RESTRICTED[code] for code in ("V", "R") if code in codes), "N")


def _documents(sent: Json, coding: tuple[str, str]) -> Iterator[Carried]:
    contents = _list(sent.get("content"), "content")
    if not contents:
        raise Unreadable("a content with its attachment is needed", "content")
    for each in contents:
        attachment = _object(each.get("attachment"), "content.attachment")
        data = attachment.get("data") or _in_binary(sent, _text(attachment.get("url"), "content.attachment.url"))
        label = _text(attachment.get("title"), "content.attachment.title") or coding[1]
        yield Carried(_bytes(data), coding[0], label)


def _in_binary(sent: Json, url: str) -> Any:
    return _contained(sent, "Binary", url.removeprefix("#")).get("data") if url.startswith("#") else None


def _bytes(data: Any) -> bytes:
    if not isinstance(data, str) or not data:
        raise Unreadable("the bytes are needed: in data, or in a contained Binary", "content.attachment")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("not base64", "content.attachment.data") from None


def _contained(sent: Json, kind: str, key: str) -> Json:
    for each in _list(sent.get("contained"), "contained"):
        if each.get("resourceType") == kind and each.get("id") == key:
            return each
    raise Unreadable(f"no contained {kind} has this id", "contained")


# -- shapes --------------------------------------------------------------------------------------------------------


def _list(value: Any, where: str) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(each, dict) for each in value):
        raise Unreadable(f"a list of at most {_MOST} objects", where)
    return value


def _object(value: Any, where: str) -> Json:
    if value is not None and not isinstance(value, dict):
        raise Unreadable("an object", where)
    return value or {}


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Unreadable("a short text", where)
    return value.strip()


def _codings(value: Any, where: str) -> list[tuple[str, str]]:
    codings = _list(_object(value, where).get("coding"), f"{where}.coding")
    return [(_text(each.get("code"), where)[:100], _text(each.get("display"), where)) for each in codings]


def _moment(value: Any, tz: tzinfo) -> datetime | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(_text(value, "date"))
    except ValueError:
        raise Unreadable("an instant, with its offset", "date") from None
    return found if found.tzinfo else found.replace(tzinfo=tz)


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


# -- writing -------------------------------------------------------------------------------------------------------


def resource(document: Document, changed_at: datetime, base: str, names: list[Named]) -> Json:
    """A document for a machine: its bytes are at `Binary/<id>`."""
    tz = document.establishment.tz
    coding = {"system": LOINC, "code": document.type_code, "display": document.type_label}
    stored = document.shown_file
    found: Json = {
        "resourceType": "DocumentReference",
        "id": str(document.id),
        "meta": {
            "lastUpdated": instant(changed_at, tz),
            "tag": [{"system": f"{base}/identifiers/state", "code": document.state}],
        },
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"{_URN}{document.unique_id}"},
        "identifier": [{"system": each.system, "value": each.value} for each in names],
        "status": _STATUSES.get(document.state, "entered-in-error"),
        "docStatus": "preliminary" if document.state == "tray" else "final",
        "type": {"coding": [{name: value for name, value in coding.items() if value}], "text": document.title},
        "date": instant(document.authored_at, tz),
        "author": [{"display": document.author_name or document.author_organization}],
        "content": [{"attachment": _attachment(document, stored.media_type, stored.size, base)}],
    }
    if document.patient_id:
        found["subject"] = {"reference": f"Patient/{document.patient_id}"}
    if document.state == "withdrawn":
        del found["content"][0]["attachment"]["url"]
    return found


def _attachment(document: Document, media_type: str, size: int, base: str) -> Json:
    url = f"{base}/Binary/{document.id}"
    return {"contentType": media_type, "url": url, "size": size, "title": document.title}


def binary(key: UUID, media_type: str, content: bytes) -> Json:
    """The bytes as they came."""
    data = base64.b64encode(content).decode()
    return {"resourceType": "Binary", "id": str(key), "contentType": media_type, "data": data}
