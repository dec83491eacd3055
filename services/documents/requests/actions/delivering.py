"""The answer: files on the patient's shelf or beside the request, copies sent another way, words, certificates."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from portal import db, files, kpi
from portal.db import session
from services.documents import actions as documents
from services.documents.actions import Publication
from services.documents.models import Document
from services.documents.requests import queries, states
from services.documents.requests.actions.applying import new_reference
from services.documents.requests.actions.facts import NothingJoined, NotThere, StillReflecting
from services.documents.requests.actions.steps import lock, move, note, record, say, tell
from services.documents.requests.models import HospitalCertificate, RecordRequest, RecordRequestFile
from services.documents.requests.queries import Desk, one_at

ADMINISTRATIVE: Final = "51851-4"
WAYS: Final = ("post", "on_site", "doctor", "collected")


@dataclass(frozen=True)
class Item:
    """A received file of the agent's, and what the applicant reads of it. type_code, type_label: JDV_J07."""

    file_id: UUID
    title: str
    type_code: str = ADMINISTRATIVE
    type_label: str = ""


def deliver(desk: Desk, request_id: UUID, items: Sequence[Item], text: str, *, version: int) -> RecordRequest:
    """Hand the files over and close, in one gesture: on the patient's shelf when the hospital knows them, else beside
    the request. Raises NotThere, ChangedMeanwhile, NotAllowed, NothingJoined, StillReflecting, FileNotReadable.
    """
    request = _answerable(desk, request_id, version)
    if not items:
        raise NothingJoined
    on_shelf = _goes_on_shelf(request)
    for item in items:
        _give(request, item, on_shelf=on_shelf)
    _close(request, "shelf" if on_shelf else "here", text, told=on_shelf)
    return request


def _answerable(desk: Desk, request_id: UUID, version: int) -> RecordRequest:
    request = lock(one_at(desk, request_id), version)
    states.check(request.state, states.ANSWERED)
    if request.is_reflecting:
        raise StillReflecting
    return request


def _goes_on_shelf(request: RecordRequest) -> bool:
    """Those who administer complaints do not write on shelves; nothing about the dead goes to the living's."""
    return request.desk == "documents" and queries.is_known_at(request.patient_id, request.establishment_id)


def _give(request: RecordRequest, item: Item, *, on_shelf: bool) -> None:
    document: Document | None = None
    if on_shelf and request.patient_id is not None:
        told = Publication(request.patient_id, item.title, item.type_code, item.type_label)
        document = documents.publish(request.establishment, item.file_id, told)
        document.masked = request.masked
    else:
        files.attach(item.file_id, establishment_id=request.establishment_id, staff_right=request.desk)
    session.add(
        RecordRequestFile(
            id=uuid4(),
            request_id=request.id,
            establishment_id=request.establishment_id,
            file_id=item.file_id,
            document_id=document.id if document else None,
            use="answer",
            from_staff=True,
        )
    )
    session.flush()


def _close(request: RecordRequest, by: str, text: str, *, told: bool = False) -> None:
    """told: the shelf has announced it already."""
    request.delivered_by, request.missing = by, []
    move(request, states.ANSWERED, by)
    say(request, text, from_staff=True)
    request.unread = False
    session.flush()
    if not told:
        tell(request, "answered")
    record("record_request.answered", request, by=by)


def mark_sent(desk: Desk, request_id: UUID, by: str, text: str, *, version: int) -> RecordRequest:
    """The copy left another way. by: of WAYS. Raises NotThere, ChangedMeanwhile, NotAllowed, StillReflecting."""
    request = _answerable(desk, request_id, version)
    _close(request, by, text)
    return request


def answer_in_words(desk: Desk, request_id: UUID, text: str, *, version: int) -> RecordRequest:
    """The message is the answer. Raises NotThere, ChangedMeanwhile, NotAllowed, NothingJoined."""
    request = _answerable(desk, request_id, version)
    if not text.strip():
        raise NothingJoined
    _close(request, "words", text)
    return request


def pass_on(desk: Desk, request_id: UUID, unit_name: str, *, version: int) -> RecordRequest:
    """Thanks reached the unit they are for. Raises NotThere, ChangedMeanwhile, NotAllowed."""
    request = lock(one_at(desk, request_id), version)
    if request.kind != "thanks" or not request.is_open:
        raise states.NotAllowed(request.state)
    request.facts = {**request.facts, "passed_to": unit_name}
    note(request, request.state, "passed_on")
    record("record_request.passed_on", request)
    kpi.count("record_request_passed_on", establishment_id=request.establishment_id)
    return request


# -- certificates ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Numbered:
    """What makes a certificate checkable: drawn before it is printed."""

    number: str
    code: str

    @classmethod
    def drawn(cls) -> "Numbered":
        return cls(f"C{new_reference()}", base64.b32encode(secrets.token_bytes(7)).decode()[:10])

    @property
    def printed_code(self) -> str:
        return f"{self.code[:5]}-{self.code[5:]}"


def certify(
    desk: Desk, request_id: UUID, numbered: Numbered, facts: dict[str, Any], item: Item, *, version: int
) -> HospitalCertificate:
    """The hospital certifies these facts, which an agent has checked; the sheet is handed over and the request closed.

    Raises NotThere, ChangedMeanwhile, NotAllowed, FileNotReadable.
    """
    request = _answerable(desk, request_id, version)
    made = HospitalCertificate(
        id=uuid4(),
        request_id=request.id,
        establishment_id=request.establishment_id,
        kind=request.kind,
        number=numbered.number,
        code=numbered.code,
        facts=facts,
        issued_by_name=db.current_actor().name,
    )
    session.add(made)
    session.flush()
    on_shelf = _goes_on_shelf(request)
    _give(request, item, on_shelf=on_shelf)
    _close(request, "shelf" if on_shelf else "here", "", told=on_shelf)
    record("certificate.issued", request, number=made.number)
    return made


def revoke(desk: Desk, request_id: UUID, certificate_id: UUID) -> HospitalCertificate:
    """It was wrong: whoever checks it learns that it holds no longer. Raises NotThere."""
    request = lock(one_at(desk, request_id))
    found = next((each for each in queries.certificates(request.id) if each.id == certificate_id), None)
    if found is None or found.revoked_at is not None:
        raise NotThere(certificate_id)
    found.revoked_at = db.now()
    note(request, request.state, "revoked")
    record("certificate.revoked", request, number=found.number)
    return found
