"""Organizations, places, activities, practitioners and their roles as FHIR R4 writes them. Pure.

Profiles: those of the national SAS platform where it has one, and FrCore's. Only what everybody may read: contacts of
professionals and activities that are not public never come here.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.establishments import Establishment, Practitioner, Site, Unit
from portal.web.fhir import Json
from services.offer import specialities, wording
from services.offer.fhir import naming
from services.offer.models import Activity
from services.offer.openings import MIDNIGHT, Days, Schedule
from services.offer.surroundings import Sheet

_SAS = "http://sas.fr/fhir/StructureDefinition"
_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition"
PROFILES = {
    "Organization": [f"{_CORE}/fr-core-organization"],
    "Practitioner": [f"{_SAS}/FrPractitionerAgregateur"],
    "PractitionerRole": [f"{_SAS}/FrPractitionerRoleExerciceAgregateur"],
    "Location": [f"{_SAS}/FrLocationAgregateur"],
    "HealthcareService": [f"{_CORE}/fr-core-healthcare-service"],
}
_TOWN = re.compile(r"(?P<line>.*)\b(?P<code>[0-9]{5})\s+(?P<town>[^,;]+)", re.ASCII)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SYSTEMS = {"phone": "phone", "fax": "fax", "mail": "email", "url": "url"}


def _resource(kind: str, key: str, facts: Json) -> Json:
    found: Json = {"resourceType": kind, "id": key, "meta": {"profile": PROFILES[kind]}}
    return found | {name: value for name, value in facts.items() if value not in ([], "", None)}  # R4: nothing empty


def _coding(system: str, code: str, **more: str) -> Json:
    return {"coding": [{"system": system, "code": code, **more}]}


# -- practitioners -----------------------------------------------------------------------------------------------


def specialty(words: str) -> list[Json]:
    code = specialities.code_of(words)
    return [(_coding(naming.SPECIALITIES, code) if code else {}) | {"text": words}] if words else []


def practitioner(one: Practitioner) -> Json:
    """By the national number."""
    number: Json = {
        "type": _coding(naming.IDENTIFIER_TYPES, "IDNPS"),
        "system": naming.RPPS,
        "value": naming.national_number(one.rpps),
    }
    name: Json = {"family": one.family_name, "given": [one.given_name]}
    if one.title:
        name["prefix"] = [one.title]
    return _resource("Practitioner", str(one.id), {"identifier": [number], "active": True, "name": [name]})


def role(one: Practitioner, unit: Unit, base: str) -> Json:
    """Where a practitioner receives: the unit, its hospital, its place."""
    structure = {
        "type": _coding(naming.IDENTIFIER_TYPES, "IDNST"),
        "system": naming.STRUCTURES,
        "value": f"1{unit.site.finess_et}",
    }
    telephone = unit.phone or unit.establishment.phone
    facts: Json = {
        "contained": [location(unit.site, base, contained_as="place")],
        "active": True,
        "practitioner": {"reference": f"Practitioner/{one.id}"},
        "organization": {"identifier": structure, "display": unit.establishment.name},
        "specialty": specialty(one.speciality),
        "location": [{"reference": "#place", "display": f"{unit.site.name}, {unit.name}"}],
    }
    if telephone:
        facts["telecom"] = [{"system": "phone", "value": telephone}]
    return _resource("PractitionerRole", naming.pair_id(one.id, unit.id), facts)


def location(site: Site, base: str, contained_as: str = "") -> Json:
    number = {
        "type": _coding(naming.PLACE_TYPES, "INTRN"),
        "system": naming.system(base, "site"),
        "value": str(site.id),
    }
    facts: Json = {"identifier": [number], "name": site.name, "address": address(site.address, site.name)}
    if site.town and "city" not in facts["address"]:
        facts["address"]["city"] = site.town
    return _resource("Location", contained_as or str(site.id), facts)


def address(text: str, name: str) -> Json:
    """An address as hospitals write it (« 12 avenue des Tilleuls, 91990 Arceau »), in parts when it has them."""
    plain = " ".join(text.split())
    found = _TOWN.fullmatch(plain)
    if found is None:
        return {"line": [plain or name], **({"text": plain} if plain else {})}
    return {
        "line": [found["line"].rstrip(" ,;–-") or name],
        "city": found["town"].strip(),
        "postalCode": found["code"],
        "country": "FR",
    }


# -- the group ---------------------------------------------------------------------------------------------------


def establishment(one: Establishment) -> Json:
    """A hospital, by the FINESS number of the legal entity."""
    facts = {
        "identifier": [_finess(one.finess, "FINEJ")],
        "active": True,
        "type": [_coding(naming.ORGANIZATION_TYPES, "prov")],
        "name": one.name,
        "alias": [one.short_name] if one.short_name else [],
        "telecom": _telecom({"phone": one.phone, "email": one.email}),
        "address": [address(one.address, one.name)] if one.address else [],
    }
    return _resource("Organization", str(one.id), facts)


def site_organization(one: Site, *, is_open: bool = True) -> Json:
    """A site, by the FINESS number of the place."""
    facts = {
        "identifier": [_finess(one.finess_et, "FINEG")],
        "active": is_open,
        "name": one.name,
        "partOf": _reference("Organization", one.establishment_id, one.establishment.name),
        "address": [address(one.address, one.name)],
    }
    return _resource("Organization", str(one.id), facts)


def site(one: Site, sheet: Sheet, base: str, *, is_open: bool = True) -> Json:
    """A site as a place: where it is, when its doors are open."""
    facts = location(one, base)
    facts["identifier"] = [*facts["identifier"], *_ror(one.ror, base)]
    more: Json = {
        "status": "active" if is_open else "inactive",
        "mode": "instance",
        "telecom": contacts(sheet, one.establishment.phone),
        "physicalType": _coding(naming.PHYSICAL_TYPES, "si"),
        "position": _position(one),
        "managingOrganization": _reference("Organization", one.id, one.name),
        "hoursOfOperation": _hours(sheet.schedule, "openingTime", "closingTime"),
        "availabilityExceptions": "; ".join(_said(each) for each in sheet.changes),
    }
    return facts | {name: value for name, value in more.items() if value not in ([], "", None)}


def unit(one: Unit, sheet: Sheet, base: str, *, is_open: bool = True) -> Json:
    """A unit as a place inside a site."""
    number = {"system": naming.system(base, "unit"), "value": f"{one.establishment.finess}-{one.uf}"}
    facts = {
        "identifier": [number, *_ror(one.ror, base)],
        "status": "active" if is_open else "inactive",
        "name": one.name,
        "description": ". ".join(filter(None, (one.floor, one.presentation))),
        "mode": "instance",
        "telecom": contacts(sheet, one.phone),
        "address": address(one.site.address, one.site.name),
        "physicalType": _coding(naming.PHYSICAL_TYPES, "wa"),
        "managingOrganization": _reference("Organization", one.site_id, one.site.name),
        "partOf": _reference("Location", one.site_id, one.site.name),
        "hoursOfOperation": _hours(sheet.schedule, "openingTime", "closingTime"),
    }
    return _resource("Location", str(one.id), facts)


def activity(one: Activity, sheet: Sheet, base: str, *, is_open: bool = True) -> Json:
    """What a unit offers."""
    said = " ".join(filter(None, (one.presentation, wording.ages(one))))
    facts = {
        "identifier": [{"system": naming.system(base, "activity"), "value": one.code}, *_ror(one.ror, base)],
        "active": is_open,
        "providedBy": _reference("Organization", one.unit.site_id, one.unit.site.name),
        "type": [{"coding": [{"system": naming.system(base, "activity-kind"), "code": one.kind}]}],
        "specialty": _specialty_of(one.speciality),
        "location": [_reference("Location", one.unit_id, one.unit.name)],
        "name": one.name,
        "extraDetails": said,
        "characteristic": [{"text": each} for each in one.equipment],
        "communication": [_coding("urn:ietf:bcp:47", code) for code in one.languages],
        "telecom": contacts(sheet, one.unit.phone),
        "availableTime": _hours(sheet.schedule, "availableStartTime", "availableEndTime"),
        "notAvailable": [_not_available(each) for each in sheet.changes if each.is_closed],
    }
    return _resource("HealthcareService", str(one.id), facts)


def _finess(number: str, kind: str) -> Json:
    return {"type": _coding(naming.FRENCH_TYPES, kind), "system": naming.FINESS, "value": number}


def _ror(code: str, base: str) -> list[Json]:
    return [{"system": naming.system(base, "ror"), "value": code}] if code else []


def _reference(kind: str, key: UUID, display: str) -> Json:
    return {"reference": f"{kind}/{key}", "display": display}


def _position(one: Site) -> Json | None:
    if one.latitude is None or one.longitude is None:
        return None
    return {"longitude": one.longitude, "latitude": one.latitude}


def _telecom(known: dict[str, str]) -> list[Json]:
    return [{"system": system, "value": value} for system, value in known.items() if value]


def contacts(sheet: Sheet, phone: str) -> list[Json]:
    """Those for patients, and nothing else; else the number of the place."""
    listed = [
        {"system": _SYSTEMS[each.kind], "value": each.value, "use": "work"}
        for each in sheet.reached("patient")
        if each.kind in _SYSTEMS
    ]
    return listed or _telecom({"phone": phone})


def _specialty_of(code: str) -> list[Json]:
    words = specialities.words_of(code)
    return [_coding(naming.SPECIALITIES, code) | {"text": words}] if words else []


def _hours(schedule: Schedule, begins: str, ends: str) -> list[Json]:
    """Each stretch of the week; what ends on the next day ends at midnight and begins again."""
    found: list[Json] = []
    for each in schedule.week:
        if each.opens == each.closes == MIDNIGHT:
            found.append({"daysOfWeek": [_DAYS[each.weekday]], "allDay": True})
        elif each.closes > each.opens:
            found.append(_stretch(each.weekday, begins, f"{each.opens}", ends, f"{each.closes}"))
        else:
            found.append(_stretch(each.weekday, begins, f"{each.opens}", ends, "24:00:00"))
            if each.closes != MIDNIGHT:
                found.append(_stretch((each.weekday + 1) % 7, begins, "00:00:00", ends, f"{each.closes}"))
    return found


def _stretch(weekday: int, begins: str, opens: str, ends: str, closes: str) -> Json:
    # R4's time has no 24:00: the last minute of the day is as near as it goes.
    return {"daysOfWeek": [_DAYS[weekday]], begins: opens, ends: "23:59:59" if closes == "24:00:00" else closes}


def _not_available(days: Days) -> Json:
    during: Json = {}
    if days.starts_on > date.min + timedelta(days=1):
        during["start"] = days.starts_on.isoformat()
    if days.kind != "no_more":
        during["end"] = days.ends_on.isoformat()
    return {"description": _said(days), "during": during}


def _said(days: Days) -> str:
    return days.reason or wording.days(days)


def included(resources: Sequence[Json]) -> list[Json]:
    """Each once."""
    once: dict[tuple[Any, Any], Json] = {(each["resourceType"], each["id"]): each for each in resources}
    return list(once.values())


def key_of(text: str) -> UUID | None:
    """A key of ours, None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None
