"""What is missing from the directory, so that somebody fills it in. Pure."""

from collections.abc import Sequence

from portal.establishments import Site, Unit
from services.offer.models import Activity
from services.offer.surroundings import Sheet

SITE = ("address", "town", "coordinates", "transport", "accessibility", "site_hours")
UNIT = ("phone", "professional", "hours", "presentation", "floor", "activities", "specialities")
CODES = (*SITE, *UNIT)


def of_site(site: Site, sheet: Sheet) -> list[str]:
    """Codes of what a site lacks (SITE), in that order."""
    told = {
        "address": site.address,
        "town": site.town,
        "coordinates": site.latitude is not None,
        "transport": site.transport or site.access,
        "accessibility": site.for_wheelchairs or site.for_hearing or site.for_sight,
        "site_hours": sheet.standing,
    }
    return [code for code in SITE if not told[code]]


def of_unit(unit: Unit, sheet: Sheet, activities: Sequence[Activity]) -> list[str]:
    """Codes of what a unit lacks (UNIT), in that order."""
    told = {
        "phone": unit.phone or sheet.reached("patient", "phone"),
        "professional": sheet.reached("professional"),
        "hours": sheet.standing,
        "presentation": unit.presentation,
        "floor": unit.floor,
        "activities": activities,
        "specialities": not activities or all(each.speciality for each in activities),
    }
    return [code for code in UNIT if not told[code]]
