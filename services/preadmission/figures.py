"""Indicators of pre-admissions (domain catalogue, section 5.2): P1 to P10, I1. No person in them.

P8 (files at risk) is a stock that the tray shows; a picture of it is taken each day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period
from portal.kpi.formulas import median, out_of_the_hospitals, part, share, within


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(*_of_requests(), *_of_advance(), by_unit=True)
    kpi.define(*_of_first_answers(), *_of_outcomes(), *_of_delays(), by_unit=True)
    kpi.define(*_of_prepared_stays(), *_of_arrivals(), *_of_the_office(), by_unit=True)


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
            share("preadmission_abandoned", "preadmission_started"),
            unit="rate",
            event="preadmission_abandoned",
            service="preadmission",
            events=("preadmission_abandoned", "preadmission_started"),
            better="down",
            of_people=True,
        ),
    )


def _of_advance() -> Iterator[Definition]:
    yield Definition(
        "P9",
        _l("Days between the file and the stay"),
        _l("Median number of days between sending and arrival, counted on the day of sending"),
        "",
        median("preadmission_ahead"),
        unit="days",
        event="preadmission_ahead",
        missing=_l("A file sent in the period"),
        service="preadmission",
        events=("preadmission_ahead",),
        better="up",
        of_people=True,
    )


def _of_first_answers() -> tuple[Definition, ...]:
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
            part("preadmission_answered", "in_time"),
            unit="rate",
            event="preadmission_answered",
            service="preadmission",
            events=("preadmission_answered",),
            better="up",
            of_people=True,
        ),
    )


def _of_outcomes() -> tuple[Definition, ...]:
    return (
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
            share("preadmission_integrated_alone", "preadmission_transmitted"),
            unit="rate",
            event="preadmission_integrated_alone",
            service="preadmission",
            events=("preadmission_integrated_alone", "preadmission_transmitted"),
            better="up",
            of_people=True,
        ),
    )


def _of_prepared_stays() -> tuple[Definition, ...]:
    return (
        Definition(
            "P2",
            _l("Share of stays prepared online"),
            _l("Files accepted before the day of the stay, counted on the day after it"),
            _l("Planned stays of the period, by the hospital’s totals"),
            out_of_the_hospitals(lambda period: kpi.counted("preadmission_ready", period), "stays_planned"),
            unit="rate",
            event="preadmission_ready",
            missing=_l("The hospital’s total of planned stays"),
            service="preadmission",
            events=("preadmission_ready",),
            better="up",
            of_people=True,
        ),
        Definition(
            "P2a",
            _l("Share of announced stays prepared online"),
            _l("Announced stays whose file was accepted, counted on the day after"),
            _l("Planned stays of the period, as the hospital’s system announced them"),
            _share_of_stays,
            unit="rate",
            event="stay_prepared",
            missing=_l("A stay announced by the hospital’s system"),
            service="preadmission",
            events=("stay_prepared", "stay_planned"),
            better="up",
            of_people=True,
        ),
    )


def _of_arrivals() -> Iterator[Definition]:
    yield Definition(
        "P3",
        _l("Straight to the ward"),
        _l("Stays of the period whose file was accepted one working day before, or sooner"),
        _l("Stays of the period for which a file was sent"),
        part("preadmission_arrived", "direct"),
        unit="rate",
        event="preadmission_arrived",
        service="preadmission",
        events=("preadmission_arrived",),
        better="up",
        of_people=True,
    )


def _of_delays() -> Iterator[Definition]:
    """P5: in working hours of the hospital, with `portal.kpi.delays`."""
    answered = _l("A first answer in the period")
    accepted = _l("A file accepted in the period")
    first, whole = "preadmission_first_answer", "preadmission_acceptance"
    for code, title, words, event, part_of_them, missing in (
        ("P5a", _l("Working hours to a first answer, for half of the files"),
         _l("Working hours, from sending, within which half of the first answers came"), first, 0.5, answered),
        ("P5b", _l("Working hours to a first answer, for nine files in ten"),
         _l("Working hours, from sending, within which nine first answers in ten came"), first, 0.9, answered),
        ("P5c", _l("Working hours to acceptance, for half of the files"),
         _l("Working hours from sending to the first acceptance, for half of them, without the time when the patient"
            " had to complete the file"), whole, 0.5, accepted),
        ("P5d", _l("Working hours to acceptance, for nine files in ten"),
         _l("Working hours from sending to the first acceptance, for nine in ten, without the time when the patient"
            " had to complete the file"), whole, 0.9, accepted),
    ):  # fmt: skip
        yield Definition(
            code, title, words, "", within(event, part_of_them), unit="hours", event=event, missing=missing,
            service="preadmission", events=(event,), better="down", of_people=True,
        )  # fmt: skip


def _of_the_office() -> Iterator[Definition]:
    yield Definition(
        "P8",
        _l("Files at risk"),
        _l(
            "Files sent and not accepted, of stays within three working days: average of each hospital’s daily pictures"
        ),
        "",
        _at_risk,
        event="preadmission_at_risk",
        missing=_l("A daily picture in the period"),
        service="preadmission",
        events=("preadmission_at_risk",),
        better="down",
        of_people=True,
    )
    yield Definition(
        "I1",
        _l("Qualified identities"),
        _l("Files registered in the hospital’s system whose patient’s identity is qualified (INS)"),
        _l("Files registered in the hospital’s system in the period"),
        part("preadmission_identity", "qualified"),
        unit="rate",
        event="preadmission_identity",
        service="preadmission",
        events=("preadmission_identity",),
        better="up",
        of_people=True,
    )


def _at_risk(period: Period) -> Figure:
    """Each hospital takes one picture a day."""
    pictures = kpi.counted("preadmission_at_risk", period)
    return Figure(round(kpi.summed("preadmission_at_risk", period) / (pictures or 1)), fed=pictures > 0)


@dataclass(frozen=True)
class Step:
    """One step of the funnel: its event, its words, how many files went through it in the period."""

    event: str
    title: Any
    files: int


FUNNEL = (
    ("preadmission_started", _l("Begun")),
    ("preadmission_submitted", _l("Sent")),
    ("preadmission_accepted", _l("Accepted")),
    ("preadmission_integrated", _l("Registered in the hospital’s system")),
)


def funnel(period: Period) -> list[Step]:
    """P-funnel: files begun, sent, accepted (the first time), registered, each counted on the day it was."""
    return [Step(event, title, kpi.counted(event, period)) for event, title in FUNNEL]


def by_dimension(event: str, period: Period) -> list[tuple[str, int]]:
    """How many of each dimension, the most frequent first: reasons of `piece_refused_because`, last pages answered of
    `preadmission_abandoned`."""
    found: dict[str, int] = {}
    for each in kpi.totals(event, period):
        found[each.dimension] = found.get(each.dimension, 0) + each.events
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


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
