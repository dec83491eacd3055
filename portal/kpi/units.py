"""Figures of the units of one hospital: some events are told twice, once for the hospital and once for their unit.

The second telling is an event like any other (`unit.appointment_booked`, whose dimension begins with the unit),
appended in the same statement as the first one and at the same instant: the roll-up, late events, closed months and
rebuilding take it as they take all of them. It carries no pseudonym. What was told of no unit, or before units were
told, is the difference of the two: units and that rest always add up to the hospital.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import text

from portal.db import session
from portal.kpi.reading import Counts, Period
from portal.kpi.spanning import Span, Total

EVENTS: Final = frozenset(
    {
        "appointment_booked", "appointment_by_waiting_list", "appointment_due", "appointment_outcome",
        "appointment_outcome_taken_back", "appointment_request_answered", "appointment_request_became",
        "appointment_request_closed", "appointment_request_delay", "appointment_request_sent", "appointment_slot_freed",
        "third_time_offered",
        "preadmission_abandoned", "preadmission_acceptance", "preadmission_accepted", "preadmission_ahead",
        "preadmission_answered", "preadmission_arrived", "preadmission_first_answer", "preadmission_identity",
        "preadmission_integrated_alone", "preadmission_refused", "preadmission_started", "preadmission_submitted",
        "preadmission_transmitted", "stay_planned", "stay_prepared",
        "referral_answered", "referral_delay", "referral_sent", "callback_answered", "callback_asked",
        "exchange_first_answer", "exchange_read", "exchange_sent", "exchange_to_read",
        "deposit_accepted", "deposit_refused", "deposit_sent",
    }
)  # fmt: skip
"""The only ones that are told by unit."""
DIMENSION: Final = "unit"
"""In `Definition.dimensions`: the figure may be asked of a unit."""
_BEFORE: Final = "unit."
_HEX: Final = 32


def name(event: str) -> str:
    """What an event is called when it is told of its unit."""
    return _BEFORE + event


def dimension(unit_id: UUID, told: str = "") -> str:
    """A unit and the event's own dimension."""
    return f"{unit_id.hex}:{told}"


class _Apart:
    """What some counts hold of one hospital, by unit: told apart once for all of them."""

    def __init__(self, whole: Counts) -> None:
        self._whole = whole
        self._known: dict[tuple[str, Span], dict[UUID | None, list[Total]]] = {}

    def totals(self, event: str, span: Span) -> Mapping[UUID | None, Sequence[Total]]:
        if (event, span) not in self._known:
            self._known[event, span] = self._split(event, span)
        return self._known[event, span]

    def _split(self, event: str, span: Span) -> dict[UUID | None, list[Total]]:
        found: dict[UUID | None, list[Total]] = {}
        rest: dict[tuple[bool, str, str, str], list[int]] = {}
        for total in self._whole.totals(event, span):
            _add(rest, total, 1)
        for told in self._whole.totals(name(event), span):
            total = told._replace(dimension=told.dimension[_HEX + 1 :])
            found.setdefault(UUID(told.dimension[:_HEX]), []).append(total)
            _add(rest, total, -1)
        found[None] = [Total(*key, *numbers) for key, numbers in rest.items() if any(numbers)]
        return found


def _add(numbers: dict[tuple[bool, str, str, str], list[int]], total: Total, sign: int) -> None:
    known = numbers.setdefault((total.portal, total.channel, total.audience, total.dimension), [0, 0])
    known[0] += sign * total.events
    known[1] += sign * total.quantity


class _OfUnit(Counts):
    """What of some counts is of one unit (None: of none): events only, nothing else is told by unit."""

    def __init__(self, apart: _Apart, unit_id: UUID | None) -> None:
        self._apart_by_unit, self._unit_id = apart, unit_id
        self._told = {}

    def _found(self, event: str, span: Span) -> Iterable[Total]:
        return self._apart_by_unit.totals(event, span).get(self._unit_id, ())


class ByUnit:
    """Some days at one hospital, unit by unit. events: what will be asked for, read in one statement."""

    def __init__(self, spans: Sequence[Span], establishment_id: UUID, events: Collection[str]) -> None:
        self._spans, self._establishment_id, self._events = spans, establishment_id, sorted(events)
        read = Counts(spans, [establishment_id], {*events, *map(name, events)})
        self._apart = _Apart(read)
        self.whole = [Period(first, last, establishment_id, read) for first, last in spans]

    @property
    def units(self) -> frozenset[UUID]:
        """Those of which something was told in these days."""
        told = [self._apart.totals(event, span) for event in self._events for span in self._spans]
        return frozenset(unit for each in told for unit in each if unit is not None)

    def of(self, unit_id: UUID | None) -> list[Period]:
        """The same days at one unit; None for what was told of no unit."""
        counts = _OfUnit(self._apart, unit_id)
        return [Period(first, last, self._establishment_id, counts) for first, last in self._spans]


class _AtUnit(Counts):
    """What the roll-up holds of one unit alone: the other ones are not read."""

    def __init__(self, spans: Sequence[Span], establishment_id: UUID, unit_id: UUID, events: Collection[str]) -> None:
        super().__init__(spans, [establishment_id], set(map(name, events)), beginning=dimension(unit_id))

    def _found(self, event: str, span: Span) -> Iterable[Total]:
        found = super()._found(name(event), span)
        return (each._replace(dimension=each.dimension[_HEX + 1 :]) for each in found)


def at_unit(spans: Sequence[Span], establishment_id: UUID, unit_id: UUID, events: Collection[str]) -> list[Period]:
    """Periods that are read together, at one unit of a hospital. One statement."""
    counts = _AtUnit(spans, establishment_id, unit_id, events)
    return [Period(first, last, establishment_id, counts) for first, last in spans]


def heard_of(establishment_id: UUID, until: Collection[date]) -> Mapping[date, frozenset[UUID]]:
    """Day → the units of which anything was told in a month that had begun by then. One statement."""
    rows = session.execute(_HEARD_OF, {"place": establishment_id, "last": max(until)}).all()
    return {day: frozenset(UUID(unit) for unit, since in rows if since <= day) for day in until}


_HEARD_OF = text(
    f"select left(k.dimension, {_HEX}) as unit, min(k.month) as since from kpi_month k"
    f" where k.establishment_id = :place and k.month <= :last and k.event in"
    f" ({', '.join(repr(name(event)) for event in sorted(EVENTS))}) group by 1"
)
