"""The patient, and the people named in a file. Pure."""

from collections.abc import Iterator
from typing import Any

from auth.models import Patient
from portal.web.fhir import Json
from services.preadmission.answers import Answers, Holders, Identity, Protector, Relative, Trust
from services.preadmission.fhir import naming
from services.preadmission.fhir.encounters import Known, Systems

_GENDERS = {"F": "female", "M": "male"}
_NIR, _NIA = "1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9"
_LINKS = {"parent": "PRN", "spouse": "SPS", "child": "CHILD", "sibling": "SIB", "friend": "FRND"}
Given = dict[str, Answers]


def patient(known: Known, given: Given, systems: Systems) -> Json:
    """With the strict traits as their source gave them, and how the person is reached as the file says."""
    person = known.preadmission.patient
    told = given.get("identity")
    identity = told if isinstance(told, Identity) else Identity()
    profile = naming.PROFILES["PatientINS" if person.shown_ins else "Patient"]
    facts: dict[str, Any] = {
        "resourceType": "Patient",
        "id": str(person.id),
        "meta": {"profile": [profile]},
        "extension": [_reliability(person), *_birth_place(person)],
        "identifier": list(_identifiers(person, known.ipp, systems)),
        "active": True,
        "name": list(_names(person, identity)),
        "telecom": list(_telecom(identity)),
        "gender": _GENDERS.get(person.sex, "unknown"),
        "birthDate": person.birth_on.isoformat(),
        "address": _address(identity),
        "communication": _interpreter(identity),
        "generalPractitioner": list(_doctor(given)),
    }
    return {name: value for name, value in facts.items() if value not in ([], None)}


def _reliability(person: Patient) -> Json:
    """The four states of an identity (RNIV). Qualified is validated with an INS: FrCore says VALI of both."""
    code = "VALI" if person.identity_status == "QUAL" else person.identity_status
    coding = {"system": naming.RELIABILITIES, "code": code}
    return {"url": naming.RELIABILITY, "extension": [{"url": "identityStatus", "valueCoding": coding}]}


def _birth_place(person: Patient) -> Iterator[Json]:
    code = person.birthplace_insee or person.birthcountry_insee
    if not (code or person.birthplace_text):
        return
    place: Json = {"text": person.birthplace_text} if person.birthplace_text else {}
    if code:
        coding = {"system": naming.MUNICIPALITIES, "code": code}
        place["extension"] = [{"url": naming.INSEE, "valueCoding": coding}]
    yield {"url": naming.BIRTH_PLACE, "valueAddress": place}


def _identifiers(person: Patient, ipp: str, systems: Systems) -> Iterator[Json]:
    if ipp:
        kind = {"coding": [{"system": naming.HL7_TYPES, "code": "PI"}]}
        yield {"use": "usual", "type": kind, "system": systems.ipp, "value": ipp}
    if person.shown_ins:
        code = {_NIR: "INS-NIR", _NIA: "INS-NIA"}.get(person.ins_oid, "INS-NIR")
        kind = {"coding": [{"system": naming.INS_TYPES, "code": code}]}
        use = "temp" if code == "INS-NIA" else "official"
        yield {"use": use, "type": kind, "system": f"urn:oid:{person.ins_oid}", "value": person.shown_ins}
    yield {"use": "secondary", "system": systems.own("patient"), "value": str(person.id)}


def _names(person: Patient, identity: Identity) -> Iterator[Json]:
    """FrCore: one given name in the official one, and the whole list of the birth certificate beside it."""
    listed = {"url": naming.GIVEN_NAMES, "valueString": " ".join(person.first_names)}
    official: Json = {"use": "official", "family": person.birth_name, "extension": [listed]}
    yield official | {"given": [person.first_name]}
    used, first = identity.used_name or person.used_name, identity.used_first_name or person.first_name
    if (used or person.birth_name, first) != (person.birth_name, person.first_name):
        yield {"use": "usual", "family": used or person.birth_name, "given": [first]}


def _telecom(identity: Identity) -> Iterator[Json]:
    if identity.phone:
        yield {"system": "phone", "value": identity.phone, "use": "mobile"}
    if identity.email:
        yield {"system": "email", "value": identity.email}


def _address(identity: Identity) -> list[Json]:
    lines = [line for line in (identity.street, identity.complement) if line]
    found = {"line": lines, "postalCode": identity.postcode, "city": identity.town}
    kept: Json = {name: value for name, value in found.items() if value}
    return [{"use": "home", **kept, "country": identity.country}] if kept else []


def _interpreter(identity: Identity) -> list[Json]:
    if not identity.interpreter:
        return []
    return [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": identity.interpreter}]}, "preferred": True}]


def _doctor(given: Given) -> Iterator[Json]:
    found = given.get("doctor")
    name, rpps = getattr(found, "name", ""), getattr(found, "rpps", "")
    if name or rpps:
        number = {"identifier": {"system": naming.RPPS, "value": f"8{rpps}"}} if rpps else {}
        yield {**number, "type": "Practitioner", **({"display": name} if name else {})}


# -- people named in the file --------------------------------------------------------------------------------------


def related(known: Known, given: Given) -> list[Json]:
    """Whom to call (C), the person of trust (K), those who hold authority over a child, who protects an adult (N)."""
    file = known.preadmission
    found = (_related(part, known, given) for part in naming.PEOPLE)
    return [each for each in found if each is not None and file.patient_id is not None]


def _related(part: str, known: Known, given: Given) -> Json | None:
    name, link, phone, email = _person(part, given)
    if not name:
        return None
    file = known.preadmission
    role = {"relative": "C", "trust": "K"}.get(part, "N")
    roles = [{"coding": [{"system": naming.CONTACT_ROLES, "code": role}]}]
    if link in _LINKS:
        roles.append({"coding": [{"system": naming.ROLES, "code": _LINKS[link]}]})
    elif part == "protector":
        roles.append({"coding": [{"system": naming.ROLES, "code": "GUARD"}]})
    telecom = [{"system": kind, "value": value} for kind, value in (("phone", phone), ("email", email)) if value]
    facts: dict[str, Any] = {
        "resourceType": "RelatedPerson",
        "id": naming.part_id(part, file.id),
        "meta": {"profile": [naming.PROFILES["RelatedPerson"]]},
        "active": True,
        "patient": {"reference": f"Patient/{file.patient_id}"},
        "relationship": roles,
        "name": [{"text": name}],
        "telecom": telecom,
    }
    return {key: value for key, value in facts.items() if value != []}


def _person(part: str, given: Given) -> tuple[str, str, str, str]:
    """Name, link, telephone, mail; a name of "" when nobody was named."""
    relative, trust = given.get("relative"), given.get("trust")
    holders, protector = given.get("holders"), given.get("protector")
    if part == "relative" and isinstance(relative, Relative):
        return relative.name, relative.link, relative.phone, ""
    if part == "trust" and isinstance(trust, Trust) and trust.wanted != "no":
        return trust.name, trust.link, trust.phone, trust.email
    if part == "protector" and isinstance(protector, Protector):
        return protector.name or protector.organisation, "", protector.phone, protector.email
    if isinstance(holders, Holders):
        return {
            "holder-1": (holders.first_name, "parent", "", ""),
            "holder-2": (holders.second_name, "parent", holders.second_phone, holders.second_email),
            "third": (holders.third_party, "", "", ""),
        }.get(part, ("", "", "", ""))
    return "", "", "", ""
