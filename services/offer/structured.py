"""What search engines read of a page: schema.org, in JSON-LD. Pure; only what the page itself shows to everybody."""

from collections.abc import Sequence
from typing import Any

from portal.establishments import Establishment, Practitioner, Site, Unit
from services.offer import specialities
from services.offer.models import Activity
from services.offer.openings import MIDNIGHT, Schedule
from services.offer.surroundings import Sheet

Json = dict[str, Any]
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def hospital(one: Establishment, sites: Sequence[Site], url: str) -> Json:
    made = _thing("Hospital", url, one.name, telephone=one.phone, email=one.email, address=one.address)
    if sites:
        made["department"] = [{"@type": "MedicalClinic", "name": each.name} for each in sites]
    return made | {"identifier": _finess(one.finess)}


def site(one: Site, sheet: Sheet, url: str) -> Json:
    made = _thing("Hospital", url, one.name, telephone=one.establishment.phone, address=one.address)
    made["parentOrganization"] = {"@type": "Hospital", "name": one.establishment.name}
    made["identifier"] = _finess(one.finess_et)
    return made | _place(one) | _hours(sheet.schedule)


def unit(one: Unit, sheet: Sheet, phone: str, activities: Sequence[Activity], url: str) -> Json:
    made = _thing("MedicalClinic", url, one.name, telephone=phone, address=one.site.address)
    if one.presentation:
        made["description"] = one.presentation
    named = [specialities.words_of(each.speciality) for each in activities if each.speciality]
    if named:
        made["medicalSpecialty"] = list(dict.fromkeys(named))
    if activities:
        made["availableService"] = [{"@type": "MedicalProcedure", "name": each.name} for each in activities]
    made["parentOrganization"] = {"@type": "Hospital", "name": one.establishment.name}
    return made | _place(one.site) | _hours(sheet.schedule)


def activity(one: Activity, sheet: Sheet, phone: str, url: str) -> Json:
    made = _thing("MedicalClinic", url, one.name, telephone=phone, address=one.unit.site.address)
    if one.presentation:
        made["description"] = one.presentation
    if one.speciality:
        made["medicalSpecialty"] = specialities.words_of(one.speciality)
    made["parentOrganization"] = {"@type": "MedicalClinic", "name": one.unit.name}
    return made | _place(one.unit.site) | _hours(sheet.schedule)


def practitioner(one: Practitioner, url: str) -> Json:
    made = _thing("Physician", url, one.full_name, telephone=one.unit.phone, address=one.unit.site.address)
    made["medicalSpecialty"] = one.speciality
    made["hospitalAffiliation"] = {"@type": "Hospital", "name": one.unit.establishment.name}
    return made


def _thing(kind: str, url: str, name: str, **facts: str) -> Json:
    told = {key: value for key, value in facts.items() if value}
    return {"@context": "https://schema.org", "@type": kind, "@id": url, "url": url, "name": name, **told}


def _finess(number: str) -> Json:
    return {"@type": "PropertyValue", "propertyID": "FINESS", "value": number}


def _place(one: Site) -> Json:
    made: Json = {}
    if one.latitude is not None and one.longitude is not None:
        made["geo"] = {"@type": "GeoCoordinates", "latitude": one.latitude, "longitude": one.longitude}
    if one.for_wheelchairs:
        made["amenityFeature"] = {
            "@type": "LocationFeatureSpecification", "name": "wheelchair accessible", "value": True,
        }  # fmt: skip
    return made


def _hours(schedule: Schedule) -> Json:
    """Night hours end before they begin, as schema.org writes them; round the clock is 00:00 to 23:59."""
    made = [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"https://schema.org/{_DAYS[each.weekday]}",
            "opens": f"{each.opens:%H:%M}",
            "closes": "23:59" if each.closes == MIDNIGHT else f"{each.closes:%H:%M}",
        }
        for each in schedule.week
    ]
    return {"openingHoursSpecification": made} if made else {}
