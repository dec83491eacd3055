"""What the pages of pre-admissions show: always one patient's, or those of an agent's hospitals."""

from services.preadmission.queries.files import (
    OPTIONS,
    answers_of,
    facts,
    history,
    of_patient,
    one_of_patient,
    overdue,
    relatives,
    steps_of,
    units_on_offer,
)
from services.preadmission.queries.tray import GROUPS, PAGE_SIZE, Tray, TrayFilter, one_at, sites_of, tray

__all__ = [
    "GROUPS",
    "OPTIONS",
    "PAGE_SIZE",
    "Tray",
    "TrayFilter",
    "answers_of",
    "facts",
    "history",
    "of_patient",
    "one_at",
    "one_of_patient",
    "overdue",
    "relatives",
    "sites_of",
    "steps_of",
    "tray",
    "units_on_offer",
]
