"""How figures are computed from events: the few ways that most definitions share."""

from collections.abc import Callable, Collection

from portal.kpi import delays, hospital_totals
from portal.kpi.catalogue import Figure
from portal.kpi.reading import Period, counted, summed, totals, uniques

Compute = Callable[[Period], Figure]
Number = Callable[[Period], int]


def number(event: str, *, channels: Collection[str] = (), audience: str = "", dimension: str = "") -> Compute:
    """How many such events."""
    return lambda period: Figure(counted(event, period, channels=channels, audience=audience, dimension=dimension))


def total(event: str) -> Compute:
    """The sum of what such events measure."""
    return lambda period: Figure(summed(event, period))


def share(event: str, *among: str) -> Compute:
    """Such events, out of those of other kinds together; nothing to divide by gives no rate."""
    return lambda period: Figure(counted(event, period), sum(counted(each, period) for each in among))


def part(event: str, *dimensions: str) -> Compute:
    """Those of some dimensions, out of all of this kind."""
    return lambda period: Figure(
        sum(each.events for each in totals(event, period) if each.dimension in dimensions), counted(event, period)
    )


def within(event: str, part_of_them: float) -> Compute:
    """Working hours (see `delays`) within which this part of them lie; not fed by nothing."""

    def compute(period: Period) -> Figure:
        found = delays.hours(event, period, part_of_them)
        return Figure(found or 0, fed=found is not None)

    return compute


def median(event: str) -> Compute:
    """The lower median of events whose dimension is a whole number; not fed by nothing."""

    def compute(period: Period) -> Figure:
        found = delays.lower_median(event, period)
        return Figure(found or 0, fed=found is not None)

    return compute


def people(event: str, *audiences: str) -> Compute:
    """Distinct accounts in the month of the last day, of these audiences (any when none is named)."""
    return lambda period: Figure(sum(uniques(event, period, audience=each) for each in audiences or ("",)))


def out_of_the_hospitals(numerator: Number, code: str) -> Compute:
    """Ours, out of what hospitals say of themselves; not fed when any of them is silent about a part of the period."""

    def compute(period: Period) -> Figure:
        theirs = hospital_totals.fed(code, period)
        return Figure(numerator(period), theirs.value, fed=theirs.value is not None, missing=theirs.missing)

    return compute
