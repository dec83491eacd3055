"""Indicators of pre-admissions (domain catalogue, section 5.2): P1 to P10. No person in them.

P8 (files at risk now) is a stock that the tray shows; it is not counted over a period.
"""

from collections.abc import Callable

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*_of_requests(), *_of_answers(), *_of_stays())


def _of_requests() -> tuple[Definition, ...]:
    return (
        Definition(
            "P1",
            _l("Pre-admissions online"),
            _l("Files sent by patients, counted on the day they were sent"),
            "",
            lambda period: Figure(kpi.counted("preadmission_submitted", period)),
            event="preadmission_submitted",
            service="preadmission",
            events=("preadmission_submitted",),
            better="up",
            of_people=True,
        ),
        Definition(
            "P7",
            _l("Drafts given up"),
            _l("Drafts that were not sent within 14 days, counted on the fifteenth"),
            _l("Drafts begun in the period"),
            _share("preadmission_abandoned", "preadmission_started"),
            unit="rate",
            event="preadmission_abandoned",
            service="preadmission",
            events=("preadmission_abandoned", "preadmission_started"),
            better="down",
            of_people=True,
        ),
        Definition(
            "P9",
            _l("Days between the file and the stay"),
            _l("Average number of days between sending and arrival, counted on the day of sending"),
            "",
            _ahead,
            event="preadmission_ahead",
            missing=_l("A file sent in the period"),
            service="preadmission",
            events=("preadmission_ahead",),
            better="up",
            of_people=True,
        ),
    )


def _of_answers() -> tuple[Definition, ...]:
    return (
        Definition(
            "P4",
            _l("Complete at the first sending"),
            _l("Files accepted without anything being asked again"),
            _l("Files accepted or refused in the period"),
            _complete,
            unit="rate",
            event="preadmission_accepted",
            service="preadmission",
            events=("preadmission_accepted", "preadmission_refused"),
            better="up",
            of_people=True,
        ),
        Definition(
            "P5",
            _l("Answered within two working days"),
            _l("Files whose first answer came within two working days of the hospital"),
            _l("Files whose first answer came in the period"),
            _part("preadmission_answered", "in_time"),
            unit="rate",
            event="preadmission_answered",
            service="preadmission",
            events=("preadmission_answered",),
            better="up",
            of_people=True,
        ),
        Definition(
            "P6",
            _l("Files refused"),
            _l("Files refused in the period"),
            _l("Files accepted or refused in the period"),
            _refused,
            unit="rate",
            event="preadmission_refused",
            service="preadmission",
            events=("preadmission_refused", "preadmission_accepted"),
            better="down",
            of_people=True,
        ),
        Definition(
            "P10",
            _l("Registered without typing again"),
            _l("Files that the hospital’s system registered by itself"),
            _l("Files sent on to the hospital’s system"),
            _share("preadmission_integrated_alone", "preadmission_transmitted"),
            unit="rate",
            event="preadmission_integrated_alone",
            service="preadmission",
            events=("preadmission_integrated_alone", "preadmission_transmitted"),
            better="up",
            of_people=True,
        ),
    )


def _of_stays() -> tuple[Definition, ...]:
    return (
        Definition(
            "P2",
            _l("Share of stays prepared online"),
            _l("Planned stays whose file was accepted before the day, counted on the day after"),
            _l("Planned stays of the period, as the hospital’s system announced them"),
            _share_of_stays,
            unit="rate",
            event="stay_prepared",
            missing=_l("The hospital's total of planned stays"),
            service="preadmission",
            events=("stay_prepared", "stay_planned"),
            better="up",
            of_people=True,
        ),
        Definition(
            "P3",
            _l("Straight to the ward"),
            _l("Stays of the period whose file was accepted one working day before, or sooner"),
            _l("Stays of the period for which a file was sent"),
            _part("preadmission_arrived", "direct"),
            unit="rate",
            event="preadmission_arrived",
            service="preadmission",
            events=("preadmission_arrived",),
            better="up",
            of_people=True,
        ),
    )


def _share(event: str, among: str) -> Callable[[Period], Figure]:
    return lambda period: Figure(kpi.counted(event, period), kpi.counted(among, period))


def _part(event: str, dimension: str) -> Callable[[Period], Figure]:
    return lambda period: Figure(kpi.counted(event, period, dimension=dimension), kpi.counted(event, period))


def _ahead(period: Period) -> Figure:
    files = kpi.counted("preadmission_ahead", period)
    return Figure(round(kpi.summed("preadmission_ahead", period) / files) if files else 0, fed=bool(files))


def _decided(period: Period) -> int:
    return kpi.counted("preadmission_accepted", period) + kpi.counted("preadmission_refused", period)


def _complete(period: Period) -> Figure:
    return Figure(kpi.counted("preadmission_accepted", period, dimension="at_once"), _decided(period))


def _refused(period: Period) -> Figure:
    return Figure(kpi.counted("preadmission_refused", period), _decided(period))


def _share_of_stays(period: Period) -> Figure:
    """Fed only by a hospital whose system announces its stays."""
    planned = kpi.counted("stay_planned", period)
    return Figure(kpi.counted("stay_prepared", period), planned, fed=bool(planned))
