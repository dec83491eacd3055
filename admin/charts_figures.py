"""The charts of the figures: how they went, bar by bar."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _

from admin import figure_words
from admin.queries_figures import Figures, Reading
from portal import kpi
from portal.kpi import Definition, Figure, Period

_CHANNELS = {"web": lambda: _("Online"), "phone": lambda: _("By phone"), "desk": lambda: _("At the desk")}
_MOST_CURVES = 4


@dataclass(frozen=True)
class Chart:
    """A drawing for `ui.line_chart` (labels, series) or `ui.bar_chart` (points). header: what the values are."""

    code: str
    title: str
    header: str
    note: str
    labels: Sequence[str] = ()
    series: Sequence[dict[str, Any]] = ()
    points: Sequence[dict[str, Any]] = ()


def of_family(family: str, figures: Figures) -> Chart | None:
    """The chart that a family of indicators is shown with: visits, appointments, pre-admissions, payments."""
    if family not in _DRAWN:
        return None
    code, draw = _DRAWN[family]
    return draw(figures, code) if code in {definition.code for definition in kpi.definitions()} else None


def chart(reading: Reading) -> Chart:
    """One indicator: a curve for a rate (in per cent), bars for what is counted."""
    definition, by = reading.definition, figure_words.grain(reading.grain)
    labels = [figure_words.bar(cut.days, reading.grain) for cut in reading.cuts]
    title = str(definition.title)
    if definition.unit == "rate":
        percents = [None if value is None else round(value * 100, 1) for value in reading.past]
        series = [{"name": _("Per cent"), "values": percents}]
        return Chart(definition.code, title, _("Per cent"), by, labels=labels, series=series)
    points = [
        {
            "label": label,
            "value": _height(definition, cut.figure),
            "display": figure_words.value(definition, cut.figure),
        }
        for label, cut in zip(labels, reading.cuts, strict=True)
    ]
    return Chart(definition.code, title, title, by, points=points)


def _height(definition: Definition, figure: Figure) -> float:
    value = figure.value or 0
    return value / 100 if definition.unit == "cents" else value


def _visits(figures: Figures, code: str) -> Chart:
    def signed_in(period: Period) -> int:
        return sum(kpi.counted("visit_started", period.portal, audience=each) for each in ("patient", "professional"))

    def anonymous(period: Period) -> int:
        return kpi.counted("visit_started", period.portal, audience="anonymous")

    return _lines(figures, code, _("Visits"), {_("Signed in"): signed_in, _("Anonymous"): anonymous})


def _appointments(figures: Figures, code: str) -> Chart:
    event = kpi.definition(code).event
    found = {total.channel for _days, period in figures.periods() for total in kpi.totals(event, period)}
    order = [*_CHANNELS, *sorted(found - set(_CHANNELS))]
    curves = {
        _CHANNELS[channel]() if channel in _CHANNELS else channel: _through(event, channel)
        for channel in [each for each in order if each in found][:_MOST_CURVES]
    }
    return _lines(figures, code, _("Appointments booked, by channel"), curves)


def _through(event: str, channel: str) -> Callable[[Period], int]:
    return lambda period: kpi.counted(event, period, channels=(channel,))


def _preadmissions(figures: Figures, code: str) -> Chart:
    return replace(chart(figures.of(kpi.definition(code))), title=_("Pre-admissions sent"))


def _payments(figures: Figures, code: str) -> Chart:
    return replace(chart(figures.of(kpi.definition(code))), title=_("Amounts paid online, in euros"))


def _lines(figures: Figures, code: str, title: str, curves: dict[str, Callable[[Period], int]]) -> Chart:
    bars, by = figures.periods(), figures.grain
    series = [{"name": name, "values": [read(period) for _days, period in bars]} for name, read in curves.items()]
    labels = [figure_words.bar(days, by) for days, _period in bars]
    return Chart(code, title, title, figure_words.grain(by), labels=labels, series=series)


_DRAWN: dict[str, tuple[str, Callable[[Figures, str], Chart]]] = {
    "O": ("U3", _visits),
    "R": ("R1", _appointments),
    "P": ("P1", _preadmissions),
    "F": ("F1a", _payments),
}
