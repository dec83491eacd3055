"""Definitions and answers as FHIR R4 writes them for other systems. Pure."""

from typing import Any

from auth.models import Patient
from portal.web.fhir import Json, instant
from services.questionnaires import states
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import Answers, Coding, Item, Quantity, Value
from services.questionnaires.definition.writing import coding, value_of
from services.questionnaires.models import Questionnaire, QuestionnaireAnswers, SentQuestionnaire

STATUSES = {states.DRAFT: "draft", states.PUBLISHED: "active", states.RETIRED: "retired"}
ALERT_TAG = "urn:parvis:questionnaire-alert"


def url_of(questionnaire: Questionnaire, base: str) -> str:
    """Of all its versions; with `|version` after it, of one."""
    return f"{base}/Questionnaire/{questionnaire.establishment.finess}-{questionnaire.code}"


def canonical(questionnaire: Questionnaire, base: str) -> str:
    return f"{url_of(questionnaire, base)}|{questionnaire.version}"


def questionnaire(made: Questionnaire, base: str) -> Json:
    """One version. base: the service's address."""
    tz = made.establishment.tz
    facts: Json = {
        "resourceType": "Questionnaire",
        "id": str(made.id),
        "meta": {"lastUpdated": instant(made.retired_at or made.published_at or made.changed_at, tz)},
        "url": url_of(made, base),
        "version": str(made.version),
        "name": "".join(part.capitalize() for part in made.code.split("-")) or "Questionnaire",
        "status": STATUSES[made.state],
        "subjectType": ["Patient"],
        "publisher": made.establishment.name,
    }
    if made.published_at:
        facts["date"] = instant(made.published_at, tz)
    if not facts["name"][0].isalpha():
        facts["name"] = f"Q{facts['name']}"  # qre-0: a computer-friendly name
    return facts | made.content


def response(sent: SentQuestionnaire, given: QuestionnaireAnswers, base: str, patient: Json) -> Json:
    """The latest answers. patient: the reference to whom they are about (see `subject`)."""
    facts: Json = {
        "resourceType": "QuestionnaireResponse",
        "id": str(sent.id),
        "meta": {"versionId": str(given.version), "lastUpdated": instant(given.answered_at, sent.tz)},
        "language": sent.definition.language,
        "identifier": {"system": f"{base}/identifiers/questionnaire-response", "value": f"{sent.id}"},
        "questionnaire": canonical(sent.questionnaire, base),
        "status": "completed" if given.version == 1 else "amended",
        "subject": patient,
        "authored": instant(given.answered_at, sent.tz),
        "source": {"type": "RelatedPerson", "display": given.by_name or "–"} if given.by_proxy else patient,
        "item": _items(sent.definition.items, given.answers, enabled(sent.definition, given.answers)),
    }
    if given.alerts:
        facts["meta"]["tag"] = [{"system": ALERT_TAG, "code": "alert"}]
    return {name: value for name, value in facts.items() if value != []}


def subject(patient: Patient, ipp: str, ipp_system: str, base: str) -> Json:
    """By the hospital's number first, the qualified national identity, else the portal's own key."""
    if ipp:
        identifier = {"system": ipp_system, "value": ipp}
    elif patient.shown_ins:
        identifier = {"system": f"urn:oid:{patient.ins_oid}", "value": patient.shown_ins}
    else:
        identifier = {"system": f"{base}/identifiers/patient", "value": str(patient.id)}
    return {"type": "Patient", "identifier": identifier}


def _items(items: tuple[Item, ...], answers: Answers, shown: frozenset[str]) -> list[Json]:
    """Only what was asked, in the order of the questionnaire (R4, QuestionnaireResponse.item); groups left empty and
    words to read are left out."""
    found = []
    for item in items:
        if item.link_id not in shown:
            continue
        inside = _items(item.items, answers, shown)
        given = [_answer(item, each) for each in answers.get(item.link_id, ())]
        if not (inside or given):
            continue
        written: dict[str, Any] = {"linkId": item.link_id, "text": item.words.text}
        if given:
            if inside:  # what is below a question is below its answer
                given[0]["item"] = inside
            found.append(written | {"answer": given})
        else:
            found.append(written | {"item": inside})
    return found


def _answer(item: Item, value: Value) -> Json:
    if isinstance(value, Coding):
        option = item.option(value)
        return {"valueCoding": coding(value, option.words.text if option else "")}
    suffix, plain = value_of(value)
    if isinstance(value, Quantity) and value.unit:
        plain |= {"unit": value.unit}
    return {f"value{suffix}": plain}
