"""Indicators of the room (domain catalogue, section 5.2): R1, R2, R5 to R8. No person in them.

R7 counts what was said of visits, on the day it was said, less what was taken back; visits of which nothing was said
are apart (R7b).
"""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import Compute, median, number, out_of_the_hospitals, part

_BOOKED, _DUE, _THIRD = "appointment_booked", "appointment_due", "third_time_offered"
_OUTCOME, _TAKEN_BACK = "appointment_outcome", "appointment_outcome_taken_back"
_MISSING = _l("The hospital’s totals of appointments")
_R1 = _l("Appointments created on the portal by patients (R1)")
_DUE_WORDS = _l("Visits whose day is over, kept or cancelled; counted on the day after")


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*_of_rates_by_totals())
    kpi.define(*_of_bookings(), *_of_rates(), *_of_visits(), *_of_missed_visits(), by_unit=True)


def _of_bookings() -> Iterator[Definition]:
    yield Definition(
        "R1",
        _l("Appointments booked online"),
        _l("Appointments created on the portal by patients, on the day they were created"),
        "",
        number(_BOOKED, channels=("web",)),
        event=_BOOKED,
        service="appointments",
        events=(_BOOKED,),
        better="up",
        of_people=True,
    )
    yield Definition(
        "R5",
        _l("Days to the third free time"),
        _l("Median number of days, of all reasons open online, until their third free time, measured each day"),
        "",
        median(_THIRD),
        unit="days",
        event=_THIRD,
        missing=_l("A reason with three free times in the period"),
        service="appointments",
        events=(_THIRD,),
        better="down",
    )


def _of_rates() -> Iterator[Definition]:
    yield Definition(
        "R2a",
        _l("Rate of online appointments (reasons open online)"),
        _R1,
        _l("Appointments created by any channel for reasons that are open online"),
        lambda period: Figure(_online(period), kpi.counted(_BOOKED, period, dimension="open_online")),
        unit="rate",
        event=_BOOKED,
        service="appointments",
        events=(_BOOKED,),
        better="up",
        of_people=True,
    )


def _of_rates_by_totals() -> Iterator[Definition]:
    """Out of what the hospital counts itself."""
    for code, title, whole, total in (
        (
            "R2b",
            _l("Rate of online appointments (all consultations)"),
            _l("All appointments for outpatient consultations created in the hospital, by any channel"),
            "consultations_booked",
        ),
        (
            "R2c",
            _l("Rate of online appointments (reasons open online, by the hospital’s totals)"),
            _l("Appointments created in the hospital by any channel for reasons open online, in any agenda"),
            "open_reasons_booked",
        ),
    ):
        yield Definition(
            code,
            title,
            _R1,
            whole,
            out_of_the_hospitals(_online, total),
            unit="rate",
            event=_BOOKED,
            missing=_MISSING,
            service="appointments",
            events=(_BOOKED,),
            better="up",
            of_people=True,
        )


def _online(period: Period) -> int:
    return kpi.counted(_BOOKED, period, channels=("web",))


def _of_visits() -> Iterator[Definition]:
    for code, title, words, dimension in (
        ("R6a", _l("Visits cancelled by patients"), _l("Visits that patients cancelled, or asked to cancel"),
         "by_patient"),
        ("R6b", _l("Visits cancelled by the hospital"),
         _l("Visits that the hospital cancelled: nobody to receive, unit closed"), "by_hospital"),
    ):  # fmt: skip
        yield Definition(
            code,
            title,
            words,
            _DUE_WORDS,
            part(_DUE, dimension),
            unit="rate",
            event=_DUE,
            service="appointments",
            events=(_DUE,),
            better="down",
            of_people=True,
        )


def _of_missed_visits() -> Iterator[Definition]:
    told = _l("Visits of which it was said in the period that the patient was seen, or did not come")
    for code, title, words, whole, reminded in (
        ("R7", _l("Missed visits"), _l("Visits to which patients did not come"), told, ""),
        ("R8a", _l("Missed visits after a reminder"), _l("Those to which reminded patients did not come"),
         _l("The same visits, of patients who had been reminded"), "_reminded"),
        ("R8b", _l("Missed visits without a reminder"), _l("Those to which patients not reminded did not come"),
         _l("The same visits, of patients who had not been reminded"), "_alone"),
    ):  # fmt: skip
        yield Definition(
            code,
            title,
            words,
            whole,
            _missed(reminded),
            unit="rate",
            event=_OUTCOME,
            service="appointments",
            events=(_OUTCOME, _TAKEN_BACK),
            better="down",
            of_people=True,
            part_of="R7" if reminded else "",
        )
    yield Definition(
        "R7b",
        _l("Visits to be filled in"),
        _l("Kept visits of which nobody has said whether the patient came"),
        _l("Kept visits whose day is over"),
        _to_fill,
        unit="rate",
        event=_DUE,
        service="appointments",
        events=(_DUE, _OUTCOME, _TAKEN_BACK),
        better="down",
        of_people=True,
    )


def _missed(ending: str) -> Compute:
    return lambda period: Figure(_told(period, "missed", ending), _told(period, "", ending))


def _told(period: Period, begins: str, ends: str = "") -> int:
    """Outcomes said less those taken back: never less than none, were the taking back alone in the period."""
    said = _matching(_OUTCOME, period, begins, ends) - _matching(_TAKEN_BACK, period, begins, ends)
    return max(said, 0)


def _matching(event: str, period: Period, begins: str, ends: str) -> int:
    return sum(
        each.events
        for each in kpi.totals(event, period)
        if each.dimension.startswith(begins) and each.dimension.endswith(ends)
    )


def _to_fill(period: Period) -> Figure:
    kept = kpi.counted(_DUE, period, dimension="kept")
    return Figure(max(kept - _told(period, ""), 0), kept)


def statuses(period: Period) -> dict[str, int]:
    """seen | by_patient | by_hospital | missed | to_fill → visits of the period, for a chart of statuses."""
    cancelled = {each: kpi.counted(_DUE, period, dimension=each) for each in ("by_patient", "by_hospital")}
    return {
        "seen": _told(period, "seen"),
        **cancelled,
        "missed": _told(period, "missed"),
        "to_fill": _to_fill(period).numerator,
    }
