"""Questionnaires and answers of a machine's hospital, below /fhir: read, searched, and as a PDF."""

from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from flask import Response
from flask_babel import force_locale
from sqlalchemy import select

from auth.machines.callers import Caller
from auth.machines.fhir import addresses, needs
from auth.models import Patient, PatientRecord
from portal import db, establishments
from portal.establishments import Establishment
from portal.web import fhir
from portal.web.fhir import Found, Json, Parameter, Refused, Resource, Search, Token
from services.questionnaires import actions, queries, sheet
from services.questionnaires import fhir as resources
from services.questionnaires.models import Questionnaire, QuestionnaireAnswers, SentQuestionnaire
from services.questionnaires.queries import Asked

pages = addresses("fhir_questionnaires", __name__)

IPP_SYSTEM = "fhir_ipp_system"
"""The hospital's setting: the identifier system of its patient numbers, when it has one of its own."""
_READ, _DEFINITIONS = "system/QuestionnaireResponse.read", "system/Questionnaire.read"
_RESPONSES = (
    Parameter("_id", "token"),
    Parameter("_lastUpdated", "date"),
    Parameter("authored", "date"),
    Parameter("questionnaire", "reference", "The id or the canonical address, with or without |version"),
    Parameter("status", "token"),
    Parameter("subject.identifier", "token"),
    Parameter("patient.identifier", "token"),
)
_QUESTIONNAIRES = (Parameter("_id", "token"), Parameter("status", "token"), Parameter("url", "token"))
_MOST = 100


def declare() -> None:
    """Say what is answered here, in /fhir/metadata."""
    fhir.offer(
        Resource("Questionnaire", [], ["read", "search-type"], _QUESTIONNAIRES, text="Published and retired versions.")
    )
    fhir.offer(
        Resource(
            "QuestionnaireResponse",
            [],
            ["read", "search-type"],
            _RESPONSES,
            text="Answers that patients sent, in their latest version. [id]/$pdf gives them as a Binary.",
        )
    )


# -- definitions ---------------------------------------------------------------------------------------------------


@pages.get("/Questionnaire")
def search_questionnaires() -> Response:
    machine = needs(_DEFINITIONS)
    search = fhir.asked({each.name for each in _QUESTIONNAIRES}, (), most=_MOST)
    found = [each for each in _definitions(machine) if _is_wanted(each, search)]
    shown = found[search.offset : search.offset + search.count]
    has_more = search.count > 0 and search.offset + search.count < len(found)
    written = [resources.questionnaire(each, fhir.base_url()) for each in shown]
    return fhir.respond(fhir.searchset("Questionnaire", search, Found(written, len(found), has_more)))


@pages.get("/Questionnaire/<uuid:questionnaire_id>")
def read_questionnaire(questionnaire_id: UUID) -> Response:
    machine = needs(_DEFINITIONS)
    found = next((each for each in _definitions(machine) if each.id == questionnaire_id), None)
    if found is None:
        raise Refused.because(404, "no such questionnaire")
    return fhir.respond(resources.questionnaire(found, fhir.base_url()))


def _definitions(machine: Caller) -> Sequence[Questionnaire]:
    """Those that were published once, at the machine's hospital."""
    here = [machine.establishment_id]
    every = [*queries.definitions(here), *queries.definitions(here, retired=True)]
    return [each for each in every if each.published_at is not None]


def _is_wanted(each: Questionnaire, search: Search) -> bool:
    ids = [{token.value for token in group} for group in search.tokens("_id")]
    urls = [{token.value for token in group} for group in search.tokens("url")]
    statuses = search.codes("status", resources.STATUSES.values())
    return (
        all(str(each.id) in group for group in ids)
        and all(resources.url_of(each, fhir.base_url()) in group for group in urls)
        and (statuses is None or resources.STATUSES[each.state] in statuses)
    )


# -- answers -------------------------------------------------------------------------------------------------------


@pages.get("/QuestionnaireResponse")
def search_responses() -> Response:
    return _search()


@pages.post("/QuestionnaireResponse/_search")
def search_responses_by_post() -> Response:
    """Numbers of patients stay out of addresses and logs."""
    return _search()


def _search() -> Response:
    machine = needs(_READ)
    search = fhir.asked({each.name for each in _RESPONSES}, (), most=_MOST)
    here = db.session.get_one(Establishment, machine.establishment_id)
    found, total = queries.responses(here.id, _asked(search, here), search.count, search.offset)
    actions.read_list(here.id, len(found))
    for each in found:
        actions.open_answers(each, "read")
    has_more = search.count > 0 and search.offset + search.count < total
    return fhir.respond(fhir.searchset("QuestionnaireResponse", search, Found(_written(found, here), total, has_more)))


@pages.get("/QuestionnaireResponse/<uuid:sent_id>")
def read_response(sent_id: UUID) -> Response:
    machine = needs(_READ)
    sent, given = _one(machine, sent_id)
    actions.open_answers(sent, "read")
    written = _written([sent], sent.establishment)[0]
    return fhir.respond(written, 200, {"ETag": f'W/"{given.version}"'})


@pages.get("/QuestionnaireResponse/<uuid:sent_id>/$pdf")
def read_pdf(sent_id: UUID) -> Response:
    """The same answers for the hospital's folder, as a Binary resource."""
    machine = needs(_READ)
    sent, given = _one(machine, sent_id)
    actions.open_answers(sent, "printed")
    language = sent.definition.language
    with force_locale(language):
        data = sheet.write(sent, given, language, alerts=True, number=queries.number_of(sent))
    binary = {"resourceType": "Binary", "contentType": "application/pdf", "data": b64encode(data).decode()}
    return fhir.respond(binary)


def _one(machine: Caller, sent_id: UUID) -> tuple[SentQuestionnaire, QuestionnaireAnswers]:
    found, _total = queries.responses(machine.establishment_id, Asked(ids=[sent_id]), 1, 0)
    given = queries.last_answers(found).get(sent_id)
    if given is None:
        raise Refused.because(404, "no such answers")
    return found[0], given


def _written(found: Sequence[SentQuestionnaire], here: Establishment) -> list[Json]:
    base, system = fhir.base_url(), _ipp_system(here)
    given, numbers = queries.last_answers(found), queries.numbers(found, here.id)
    about = partial(resources.subject, ipp_system=system, base=base)
    return [
        resources.response(each, given[each.id], base, about(each.patient, numbers.get(each.patient_id, "")))
        for each in found
        if each.id in given
    ]


def _ipp_system(here: Establishment) -> str:
    return establishments.setting(here.id, IPP_SYSTEM, f"{fhir.base_url()}/identifiers/ipp/{here.finess}")


def _asked(search: Search, here: Establishment) -> Asked:
    authored, changed = search.between("authored", here.tz), search.between("_lastUpdated", here.tz)
    since = [each for each in (authored.since, changed.since) if each]
    until = [each for each in (authored.until, changed.until) if each]
    statuses = search.codes("status", {"in-progress", "completed", "amended", "entered-in-error", "stopped"})
    subjects = [*search.tokens("subject.identifier"), *search.tokens("patient.identifier")]
    ids = _keys(search.tokens("_id"))
    if statuses is not None and not {"completed", "amended"} & set(statuses):
        ids = frozenset()  # nothing else is shown to machines
    return Asked(
        ids=ids,
        patients=[_patients(group, here) for group in subjects],
        questionnaires=_questionnaires(search.tokens("questionnaire"), here),
        since=max(since, default=None),
        until=min(until, default=None),
    )


def _keys(groups: Sequence[Sequence[Token]]) -> frozenset[UUID] | None:
    found = [frozenset(key for each in group if (key := _key(each.value))) for group in groups]
    return frozenset.intersection(*found) if found else None


def _key(text: str) -> UUID | None:
    try:
        return UUID(text.rpartition("/")[2])
    except ValueError:
        return None


def _questionnaires(groups: Sequence[Sequence[Token]], here: Establishment) -> frozenset[UUID] | None:
    if not groups:
        return None
    base = fhir.base_url()
    every = [*queries.definitions([here.id]), *queries.definitions([here.id], retired=True)]
    found = []
    for group in groups:
        # A canonical address has a bar, which a token takes for a system's.
        wanted = {f"{each.system}|{each.value}" if each.system else each.value for each in group}
        keys = {_key(each) for each in wanted}
        found.append(
            frozenset(
                one.id
                for one in every
                if one.id in keys or wanted & {resources.url_of(one, base), resources.canonical(one, base)}
            )
        )
    return frozenset.intersection(*found)


def _patients(group: Sequence[Token], here: Establishment) -> list[UUID]:
    """Those of this hospital under its own number, or a qualified national identity. Never by name."""
    ipp = [each.value for each in group if each.system in (None, _ipp_system(here))]
    record = select(PatientRecord.patient_id).where(
        PatientRecord.establishment_id == here.id, PatientRecord.ipp.in_(ipp)
    )
    found = list(db.session.scalars(record))
    for each in group:
        if each.system:
            national = select(Patient.id).where(
                Patient.ins == each.value,
                Patient.ins_oid == each.system.removeprefix("urn:oid:"),
                Patient.identity_status == "QUAL",
            )
            found += db.session.scalars(national)
    return found
