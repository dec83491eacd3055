"""What a file holds: the patient, the people named, who pays, the choices, the pieces."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from flask import Response, request

from auth.machines.callers import Caller
from auth.machines.fhir import addresses, needs
from portal import db, files
from portal.establishments import Establishment
from portal.files import FileNotReadable
from portal.web import fhir
from portal.web.fhir import Found, Json, Refused, Search
from services.pieces import actions as piece_actions
from services.pieces import queries as pieces
from services.preadmission import queries
from services.preadmission.answers import Answers, Choices, Coverage
from services.preadmission.api.encounters import IDENTITIES, READ, one, systems
from services.preadmission.fhir import actions, consents, covers, documents, naming, people, records
from services.preadmission.fhir.encounters import Known

pages = addresses("fhir_preadmission_contents", __name__)

COVERS, PIECES = "system/Coverage.read", "system/Binary.read"
Written = Callable[[Known], Sequence[Json]]
_RAW = ("application/pdf", "image/jpeg", "image/png", "image/heic", "application/octet-stream")


def _answers(known: Known) -> dict[str, Answers]:
    return dict(queries.sent_of(known.preadmission))


def _patient(known: Known) -> list[Json]:
    return [people.patient(known, _answers(known), systems(known.preadmission.establishment))]


def _related(known: Known) -> list[Json]:
    return people.related(known, _answers(known))


def _covers(known: Known) -> list[Json]:
    told = _answers(known).get("coverage")
    found = told if isinstance(told, Coverage) else None
    return covers.covers(known, found, systems(known.preadmission.establishment))


def _consent(known: Known) -> list[Json]:
    told = _answers(known).get("choices")
    at = records.said_at(known.preadmission.id, "choices")
    found = consents.consent(known, told if isinstance(told, Choices) else None, at or known.at)
    return [] if found is None else [found]


def _documents(known: Known) -> list[Json]:
    """Only those that this machine's rights show: health pieces are the care team's (row-level security)."""
    found = pieces.of_folder(known.preadmission.id)
    return documents.documents(known, found, systems(known.preadmission.establishment))


# -- searches ------------------------------------------------------------------------------------------------------


def _search(kind: str, machine: Caller, files_asked: Sequence[Known], search: Search, write: Written) -> Response:
    """Every resource of these files, each file's reading written down; a page of them."""
    matches: list[Json] = []
    for known in files_asked:
        actions.read(known.preadmission, kind.lower())
        matches += write(known)
    upto = search.offset + search.count
    found = Found(matches[search.offset : upto], len(matches), has_more=upto < len(matches))
    return fhir.respond(fhir.searchset(kind, search, found))


def _files(machine: Caller, search: Search, encounter: str = "encounter") -> list[Known]:
    """Those of an encounter or of a patient. Raises Refused (400) when neither is said."""
    stays = [naming.key_of(each) for group in search.ids(encounter, "Encounter") for each in group]
    persons = [naming.key_of(each) for group in search.ids("patient", "Patient") for each in group]
    if not (search.values(encounter) or search.values("patient")):
        raise Refused.because(400, f"say {encounter} or patient", "required")
    found = [known for key in stays if key and (known := records.one(machine.establishment_id, key)) is not None]
    for key in persons:
        found += records.of_patient(machine.establishment_id, key) if key else []
    if stays and persons:
        both = {known.preadmission.id for known in found if known.preadmission.patient_id in persons}
        found = [known for known in found if known.preadmission.id in both and known.preadmission.id in stays]
    return list({known.preadmission.id: known for known in found}.values())


def _searched(*scopes: str, encounter: str = "encounter", known: Collection[str] = ()) -> tuple[Caller, Search]:
    machine = needs(READ)
    for scope in scopes:
        needs(scope)
    search = fhir.asked({"patient", encounter, *known}, set(), most=200)
    records.give_versions(machine.establishment_id)
    return machine, search


@pages.get("/Patient")
def search_patients() -> Response:
    machine, search = _searched(IDENTITIES, known={"_id", "identifier"})
    keys = [naming.key_of(token.value) for group in search.tokens("_id") for token in group]
    here = db.session.get_one(Establishment, machine.establishment_id)
    tokens = [(each.system, each.value) for group in search.tokens("identifier") for each in group]
    named = records.patients(here.id, tokens, systems(here).ipp) if tokens else []
    if not (keys or tokens):
        raise Refused.because(400, "say _id or identifier", "required")
    wanted = [key for key in (*keys, *named) if key is not None]
    latest = [records.of_patient(here.id, key)[:1] for key in dict.fromkeys(wanted)]
    return _search("Patient", machine, [each for some in latest for each in some], search, _patient)


@pages.get("/RelatedPerson")
def search_related_people() -> Response:
    machine, search = _searched(IDENTITIES)
    return _search("RelatedPerson", machine, _files(machine, search), search, _related)


@pages.get("/Coverage")
def search_covers() -> Response:
    machine, search = _searched(COVERS)
    return _search("Coverage", machine, _files(machine, search), search, _covers)


@pages.get("/Consent")
def search_consents() -> Response:
    machine, search = _searched(encounter="data")
    return _search("Consent", machine, _files(machine, search, "data"), search, _consent)


@pages.get("/DocumentReference")
def search_documents() -> Response:
    """Pages of pieces; letters of another room are found at the same address."""
    if (letters := fhir.shared("DocumentReference")) is not None:
        return letters
    machine, search = _searched(PIECES, known={"type"})
    types = [frozenset(token.value for token in group) for group in search.tokens("type")]
    wanted = frozenset.intersection(*types) if types else None

    def write(known: Known) -> list[Json]:
        return documents.with_types(_documents(known), wanted)

    return _search("DocumentReference", machine, _files(machine, search), search, write)


# -- one -----------------------------------------------------------------------------------------------------------


def _part(kind: str, text: str, known_parts: tuple[str, ...], scope: str, write: Written) -> Response:
    machine = needs(READ)
    needs(scope)
    named = naming.part_of(text, known_parts)
    if named is None:
        raise Refused.because(404, f"no such {kind}")
    return _of_file(kind, machine, named[1], text, write)


def _of_file(kind: str, machine: Caller, preadmission_id: UUID, key: str, write: Written) -> Response:
    records.give_versions(machine.establishment_id)
    known = one(machine, preadmission_id)
    found = next((each for each in write(known) if each["id"] == key), None)
    if found is None:
        raise Refused.because(404, f"no such {kind}")
    actions.read(known.preadmission, kind.lower())
    return fhir.respond(found)


@pages.get("/Patient/<uuid:patient_id>")
def read_patient(patient_id: UUID) -> Response:
    machine = needs(READ)
    needs(IDENTITIES)
    records.give_versions(machine.establishment_id)
    found = records.of_patient(machine.establishment_id, patient_id)
    if not found:
        raise Refused.because(404, "no such patient")
    actions.read(found[0].preadmission, "patient")
    return fhir.respond(_patient(found[0])[0])


@pages.get("/RelatedPerson/<key>")
def read_related_person(key: str) -> Response:
    return _part("RelatedPerson", key, naming.PEOPLE, IDENTITIES, _related)


@pages.get("/Coverage/<key>")
def read_cover(key: str) -> Response:
    return _part("Coverage", key, naming.COVERS, COVERS, _covers)


@pages.get("/Consent/<uuid:preadmission_id>")
def read_consent(preadmission_id: UUID) -> Response:
    machine = needs(READ)
    return _of_file("Consent", machine, preadmission_id, str(preadmission_id), _consent)


@pages.get("/DocumentReference/<uuid:page_id>")
def read_document(page_id: UUID) -> Response:
    if (letter := fhir.shared("DocumentReference/id", page_id)) is not None:
        return letter
    machine = needs(READ)
    needs(PIECES)
    found = records.page(machine.establishment_id, page_id)
    if found is None:
        raise Refused.because(404, "no such document")
    return _of_file("DocumentReference", machine, found[1].folder_id, str(page_id), _documents)


@pages.get("/Binary/<uuid:page_id>")
def read_binary(page_id: UUID) -> Response:
    """The original bytes: raw when the caller accepts their type, else inside a Binary."""
    if (letter := fhir.shared("Binary/id", page_id)) is not None:
        return letter
    machine = needs(READ)
    needs(PIECES)
    found = records.page(machine.establishment_id, page_id)
    if found is None:
        raise Refused.because(404, "no such document")
    try:
        stored = piece_actions.hand_over_original(found[0])
    except FileNotReadable as error:
        raise Refused.because(404, "no such document") from error
    content = b"".join(files.open_(stored))
    if request.accept_mimetypes.best_match([fhir.MEDIA, *_RAW], fhir.MEDIA) == stored.media_type:
        return Response(content, mimetype=stored.media_type, headers={"Cache-Control": "no-store"})
    return fhir.respond(documents.binary(found[0], content))
