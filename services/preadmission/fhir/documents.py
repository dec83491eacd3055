"""The pages of pieces as DocumentReference (profile preadmission-documentreference-fr) and Binary. Pure."""

import base64
from collections.abc import Sequence

from portal.web.fhir import Json, instant
from services.pieces.models import Piece, PiecePage
from services.preadmission.fhir import naming
from services.preadmission.fhir.encounters import Known, Systems, security

_BY_KIND = {
    "health_card": "ATTEST_VITALE",
    "address_proof": "JUSTIFICATIF_DOM",
    "work_accident": "ARRET_TRAVAIL",
    "trusted_person_form": "PERS_CONFIANCE",
}
_TWO_SIDES = {
    "identity": ("JUSTIFICATIF_ID", "CN_RECTO", "CN_VERSO"),
    "top_up_card": ("MUTUELLE", "MUTUELLE_RECTO", "MUTUELLE_VERSO"),
}
"""A piece of one page, then the first and the second of two."""
_STATUSES = {"accepted": "final", "refused": "amended"}


def type_of(kind: str, position: int, pages: int) -> str:
    """The guide's code of a page, "" when it has none. position: from 1."""
    if kind not in _TWO_SIDES:
        return _BY_KIND.get(kind, "")
    alone, first, second = _TWO_SIDES[kind]
    return {1: first, 2: second}.get(position, alone) if pages == 2 else alone


def documents(known: Known, pieces: Sequence[Piece], systems: Systems) -> list[Json]:
    """A page of each readable file; those that the antivirus has not passed are not told."""
    found = ((piece, page) for piece in pieces for page in piece.pages if page.file.state == "clean")
    return [_document(known, piece, page, systems) for piece, page in found]


def with_types(found: Sequence[Json], wanted: frozenset[str] | None) -> list[Json]:
    """Those of these types (codes); None: all."""
    return [each for each in found if wanted is None or wanted & {one["code"] for one in each["type"]["coding"]}]


def _document(known: Known, piece: Piece, page: PiecePage, systems: Systems) -> Json:
    file, tz = known.preadmission, known.preadmission.establishment.tz
    code = type_of(piece.kind, page.position, len(piece.pages))
    codings = [{"system": naming.DOCUMENT_TYPES, "code": code}] if code else []
    codings.append({"system": systems.own("piece-kind"), "code": piece.kind})
    profile = {"profile": [naming.PROFILES["DocumentReference"]]} if code else {}
    return {
        "resourceType": "DocumentReference",
        "id": str(page.id),
        "meta": profile | security(file),
        "identifier": [{"system": systems.own("piece"), "value": str(piece.id)}],
        "status": "current",
        "docStatus": _STATUSES.get(piece.state, "preliminary"),
        "type": {"coding": codings},
        "subject": {"reference": f"Patient/{file.patient_id}"},
        "date": instant(page.added_at, tz),
        "content": [{"attachment": _attachment(page, systems) | {"creation": instant(page.added_at, tz)}}],
        "context": {"encounter": [{"reference": f"Encounter/{file.id}"}]},
    }


def _attachment(page: PiecePage, systems: Systems) -> Json:
    return {
        "contentType": page.file.media_type,
        "url": f"{systems.base}/Binary/{page.id}",
        "size": page.file.size,
    }


def binary(page: PiecePage, content: bytes) -> Json:
    """The bytes as they were sent."""
    data = base64.b64encode(content).decode()
    return {"resourceType": "Binary", "id": str(page.id), "contentType": page.file.media_type, "data": data}
