"""Who pays, as Coverage (profile preadmission-coverage-fr): the compulsory cover, then the complementary. Pure."""

from typing import Any

from portal.web.fhir import Json
from services.preadmission.answers import Coverage
from services.preadmission.fhir import naming
from services.preadmission.fhir.encounters import Known, Systems

_PAYERS = {"french": "Assurance maladie obligatoire", "ame": "Aide médicale de l’État",
           "european": "Carte européenne d’assurance maladie", "convention": "Convention internationale",
           "none": "Patient"}  # fmt: skip
_EXEMPTIONS = {"long_illness": "ALD", "disability": "Invalidité", "other": "Autre"}


def covers(known: Known, told: Coverage | None, systems: Systems) -> list[Json]:
    """None when the patient has not answered."""
    if told is None:
        return []
    found = [_compulsory(known, told, systems)]
    if told.amc_kind != "none":
        found.append(_complementary(known, told, systems))
    return found


def _cover(known: Known, part: str, code: str, systems: Systems, facts: Json) -> Json:
    file = known.preadmission
    whole: dict[str, Any] = {
        "resourceType": "Coverage",
        "id": naming.part_id(part, file.id),
        "meta": {"profile": [naming.PROFILES["Coverage"]]},
        "identifier": [{"system": systems.own("coverage"), "value": naming.part_id(part, file.id)}],
        "status": "active",
        "type": {"coding": [{"system": naming.ACTS, "code": code}]},
        "beneficiary": {"reference": f"Patient/{file.patient_id}"},
    } | facts
    return {name: value for name, value in whole.items() if value not in ([], "", {}, None)}


def _compulsory(known: Known, told: Coverage, systems: Systems) -> Json:
    """subscriberId: the insured person's number. class: régime, caisse, centre, then what they are exempt from."""
    funds = (("plan", "regime", told.scheme), ("group", "caisse", told.fund), ("subgroup", "centre", told.centre))
    classes = [
        {"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": code}]},
         "value": value, "name": name}
        for code, name, value in funds if value
    ]  # fmt: skip
    exempt = _EXEMPTIONS.get(told.exemption, "")
    payer: Json = {"display": _PAYERS[told.amo_kind]}
    if told.scheme and told.fund:
        number = {"system": systems.own("health-fund"), "value": f"{told.scheme}{told.fund}{told.centre}"}
        payer["identifier"] = number
    return _cover(known, "amo", "PAY" if told.amo_kind == "none" else "PUBLICPOL", systems, {
        "subscriber": _subscriber(known, told),
        "subscriberId": told.nir,
        "relationship": _relationship(told),
        "period": {"end": told.rights_until.isoformat()} if told.rights_until else {},
        "payor": [payer],
        "class": classes,
        "costToBeneficiary": [{"type": {"text": "Exonération"}, "exception": [{"type": {"text": exempt}}],
                               "valueMoney": {"value": 0, "currency": "EUR"}}] if exempt else [],
    })  # fmt: skip


def _complementary(known: Known, told: Coverage, systems: Systems) -> Json:
    """The extension holds what the top-up card says: its name, its number."""
    inside = [{"url": "nomAMC", "valueString": told.amc_name}, {"url": "numeroAMC", "valueString": told.amc_number}]
    inside = [each for each in inside if each["valueString"]]
    name = told.amc_name or ("Complémentaire santé solidaire" if told.amc_kind == "c2s" else "Complémentaire santé")
    payer: Json = {"display": name}
    if told.amc_number:
        payer["identifier"] = {"system": systems.own("top-up"), "value": told.amc_number}
    return _cover(known, "amc", "EHCPOL", systems, {
        "extension": [{"url": naming.AMC, "extension": inside}] if inside else [],
        "subscriber": _subscriber(known, told),
        "subscriberId": told.member_number,
        "period": {"end": told.amc_until.isoformat()} if told.amc_until else {},
        "payor": [payer],
    })  # fmt: skip


def _subscriber(known: Known, told: Coverage) -> Json:
    if told.insured == "self":
        return {"reference": f"Patient/{known.preadmission.patient_id}"}
    return {"display": told.insured_name} if told.insured_name else {}


def _relationship(told: Coverage) -> Json:
    code = {"self": "self", "parent": "child", "spouse": "spouse", "other": "other"}[told.insured]
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "code": code}]}
