"""Hours of the week to take away: of months that are final, each hospital by itself, nothing where it tells of few."""

from collections.abc import Collection, Iterator

from flask_babel import gettext as _

from admin import figure_words
from admin.charts_services import Drawing, Hours
from admin.queries_figures import Choice
from portal.kpi import hours
from portal.kpi.hours import Week


def columns() -> list[str]:
    """The head of the file."""
    return [
        _("What"),
        _("Hospital"),
        _("Month"),
        _("Day"),
        _("From what time"),
        _("Until what time"),
        _("How many"),
        _("Remark"),
    ]


def drawn(drawings: Collection[Drawing]) -> list[Hours]:
    """Those of a page that are of hours."""
    return [each for each in drawings if isinstance(each, Hours)]


def lines(drawings: Collection[Drawing], choice: Choice) -> Iterator[list[object]]:
    """A line for each hour, or for each band of four hours; one alone for a month that is hidden."""
    here = [choice.hospital] if choice.hospital else choice.hospitals
    names = {each.id: each.name for each in here}
    for drawing in drawn(drawings):
        places = None if drawing.portal else names.keys()
        found = hours.closed_weeks(drawing.event, *choice.days.span, places)
        for (month, place), counted in found.items():
            named = [str(drawing.title), names.get(place, _("The whole portal")), month.isoformat()[:7]]
            yield from ([*named, *rest] for rest in _cells(hours.shown(counted)))


def _cells(grid: Week | None) -> Iterator[list[object]]:
    if grid is None:
        yield ["", "", "", "", _("Hidden: an hour would tell of fewer than eleven")]
        return
    step = hours.HOURS // len(grid[0])
    for day, counted in zip(figure_words.weekdays(), grid, strict=True):
        for rank, number in enumerate(counted):
            yield [day, f"{rank * step:02}:00", f"{(rank + 1) * step:02}:00", number, ""]
