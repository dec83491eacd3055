"""Indicators of questionnaires: how many, never what was answered."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period


def declare() -> None:
    kpi.define(
        Definition(
            "Q1",
            _l("Questionnaires sent"),
            _l("Questionnaires sent to patients, on the day they were sent"),
            "",
            _sent,
            event="questionnaire_sent",
            service="preadmission",
            events=("questionnaire_sent",),
            of_people=True,
        ),
        Definition(
            "Q2",
            _l("Questionnaires answered"),
            _l("Questionnaires answered, on the day they were"),
            _l("Questionnaires sent to patients"),
            _answered,
            unit="rate",
            event="questionnaire_answered",
            service="preadmission",
            events=("questionnaire_answered", "questionnaire_sent"),
            better="up",
            of_people=True,
        ),
        Definition(
            "Q3",
            _l("Alerts raised by answers"),
            _l("Sent answers of which one at least is an alert"),
            "",
            _alerts,
            event="questionnaire_alert",
            service="preadmission",
            events=("questionnaire_alert",),
            of_people=True,
        ),
    )


def _sent(period: Period) -> Figure:
    return Figure(kpi.counted("questionnaire_sent", period))


def _answered(period: Period) -> Figure:
    return Figure(kpi.counted("questionnaire_answered", period), kpi.counted("questionnaire_sent", period))


def _alerts(period: Period) -> Figure:
    return Figure(kpi.counted("questionnaire_alert", period))
