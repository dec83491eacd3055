"""Satisfaction (domain catalogue, section 5.2): S1, and the same for each service."""

from collections.abc import Iterator
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

ASKED, GIVEN, SATISFIED = "opinion_asked", "opinion_given", "opinion_satisfied"
_OF_SERVICES: Final[dict[str, tuple[str, Any]]] = {
    "appointments": ("S1c", _l("Satisfied with appointments")),
    "preadmission": ("S1d", _l("Satisfied with pre-admission")),
    "billing": ("S1e", _l("Satisfied with payments")),
    "documents": ("S1f", _l("Satisfied with documents")),
    "messages": ("S1g", _l("Satisfied with messages")),
    "questionnaires": ("S1h", _l("Satisfied with questionnaires")),
    "referrals": ("S1i", _l("Satisfied with referrals")),
}


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(_mean(), *_shares(), *_of_services())


def _mean() -> Definition:
    return Definition(
        "S1",
        _l("Satisfaction out of 5"),
        _l("Sum of the answers, from 1 (very dissatisfied) to 5 (very satisfied)"),
        _l("Answers to the question asked after a service, at most one a person in thirty days"),
        lambda period: Figure(kpi.summed(GIVEN, period), kpi.counted(GIVEN, period)),
        unit="score",
        event=GIVEN,
        service="satisfaction",
        events=(GIVEN,),
        better="up",
        of_people=True,
        dimensions=("dimension",),
    )


def _shares() -> Iterator[Definition]:
    answers = _l("Answers to the question asked after a service, at most one a person in thirty days")
    yield Definition(
        "S1a",
        _l("Satisfied people"),
        _l("Answers “satisfied” and “very satisfied”"),
        answers,
        lambda period: Figure(kpi.counted(SATISFIED, period), kpi.counted(GIVEN, period)),
        unit="rate",
        event=GIVEN,
        service="satisfaction",
        events=(SATISFIED, GIVEN),
        better="up",
        of_people=True,
    )
    yield Definition(
        "S1b",
        _l("Answers to the question"),
        answers,
        _l("Times the question was shown to somebody for the first time"),
        lambda period: Figure(kpi.counted(GIVEN, period), kpi.counted(ASKED, period)),
        unit="rate",
        event=GIVEN,
        service="satisfaction",
        events=(GIVEN, ASKED),
        of_people=True,
    )


def _of_services() -> Iterator[Definition]:
    for service, (code, title) in _OF_SERVICES.items():
        yield Definition(
            code,
            title,
            _l("Answers “satisfied” and “very satisfied” about this service"),
            _l("Answers about this service"),
            _share_of(service),
            unit="rate",
            event=GIVEN,
            service="satisfaction",
            events=(SATISFIED, GIVEN),
            better="up",
            of_people=True,
        )


def _share_of(service: str) -> Any:
    def compute(period: Period) -> Figure:
        return Figure(kpi.counted(SATISFIED, period, dimension=service), kpi.counted(GIVEN, period, dimension=service))

    return compute
