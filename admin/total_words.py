"""Words for hospitals' totals: what each is, where it came from, why one was not taken."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import format_date, format_decimal
from flask_babel import lazy_gettext as _l

from portal.kpi.hospital_totals import HospitalTotal, NotATotal
from portal.kpi.totals_file import Report
from portal.web.ui import euros, short_day

LABELS: Final[Mapping[str, Any]] = {
    "consultations_booked": _l("Appointments for consultations"),
    "open_reasons_booked": _l("Appointments for reasons open online"),
    "stays_planned": _l("Planned stays"),
    "bills_issued": _l("Bills of patients"),
    "bills_issued_cents": _l("Amount of the bills of patients"),
    "active_patients": _l("Active patients"),
}
SHORT: Final[Mapping[str, Any]] = {
    "consultations_booked": _l("Consultations"),
    "open_reasons_booked": _l("Open online"),
    "stays_planned": _l("Stays"),
    "bills_issued": _l("Bills"),
    "bills_issued_cents": _l("Amount"),
    "active_patients": _l("Active patients"),
}
"""For the head of a table."""
HINTS: Final[Mapping[str, Any]] = {
    "consultations_booked": _l("Created in the month for outpatient consultations, by any channel (for R2b)"),
    "open_reasons_booked": _l("Among them, those for reasons that are open online, in any agenda (for R2c)"),
    "stays_planned": _l("Planned stays that began in the month (for P2)"),
    "bills_issued": _l("Bills of a patient’s share issued in the month (for F2c)"),
    "bills_issued_cents": _l("Sum of those bills (for F2d)"),
    "active_patients": _l("Patients seen lately, as you count them, on the last day of the month (for U4)"),
}
SOURCES: Final[Mapping[str, Any]] = {
    "file": _l("File"),
    "screen": _l("Typed"),
    "machine": _l("Another system"),
}
_WHY: Final[Mapping[str, Any]] = {
    "code": _l("“%(told)s” is not the code of a total"),
    "grain": _l("“%(told)s” is neither month nor day"),
    "value": _l("The value is not a whole number, zero or more"),
    "day": _l("“%(told)s” is not a day such as 2026-10-01"),
    "first_day": _l("A month is named by its first day"),
    "not_over": _l("What begins on %(told)s is not over"),
    "too_old": _l("%(told)s is before 2000"),
    "finess": _l("No hospital of yours has the FINESS number %(told)s"),
    "line": _l("The line cannot be read (%(told)s)"),
}
_COUNTS: Final = _l(
    "Totals added: %(added)s, changed: %(changed)s, as they were: %(unchanged)s. Lines refused: %(refused)s."
)


def value(code: str, number: int) -> str:
    """A number, or an amount of money."""
    return euros(number) if code.endswith("_cents") else str(format_decimal(number))


def month(first: date) -> str:
    """`October 2026`."""
    return str(format_date(first, "LLLL y"))


def short_month(first: date) -> str:
    """`Oct 2026`."""
    return str(format_date(first, "LLL y"))


def when(said: HospitalTotal) -> str:
    """The month, or the day, that a total is about."""
    return month(said.day) if said.grain == "month" else short_day(said.day)


def by_whom(said: HospitalTotal) -> str:
    return said.by_name if not said.by.startswith("system:") else str(_l("Command line"))


def why(refused: NotATotal) -> str:
    return str(_WHY[refused.reason]) % {"told": refused.told}


def outcome(report: Report) -> str:
    """What became of a file, in a sentence."""
    return str(_COUNTS) % {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "refused": report.refused,
    }
