"""By when a hospital answers: civil days of its own calendar, whatever its clock does at night.

CSP L1111-7: within eight days of the request, and not before forty-eight hours; within two months when the medical
information is older than five years. The time begins with a complete request.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal

from auth.account.states import months_after
from portal import calendar

REFLECTION: Final = timedelta(hours=48)
SILENCE_MONTHS: Final = 1
"""After that, no answer is a refusal (CRPA R311-12 and R311-13), and the CADA may be asked within two months."""
APPEAL_MONTHS: Final = 2
OLD_YEARS: Final = 5


@dataclass(frozen=True)
class Term:
    """So many civil days, business days or months; the last one counts whole."""

    count: int
    unit: Literal["days", "business_days", "months"]


@dataclass(frozen=True)
class Clock:
    """due_on: the last day, while it runs. left: days that were left when it was stopped to wait for the applicant
    (below zero: it was late already). Neither: nothing is owed."""

    due_on: date | None = None
    left: int | None = None

    @property
    def runs(self) -> bool:
        return self.due_on is not None

    @property
    def waits(self) -> bool:
        return self.left is not None


def last_day(start: date, term: Term, rules: str) -> date:
    """The last day of a term that begins on that day, which does not count. rules: whose holidays."""
    if term.unit == "months":
        return months_after(start, term.count)
    if term.unit == "business_days":
        return calendar.business_days_after(start, term.count, rules)
    return start + timedelta(days=term.count)


def started(today: date, term: Term, rules: str) -> Clock:
    return Clock(due_on=last_day(today, term, rules))


def paused(clock: Clock, today: date) -> Clock:
    """It waits for the applicant; asked twice, nothing more is gained."""
    return clock if clock.due_on is None else Clock(left=(clock.due_on - today).days)


def resumed(clock: Clock, today: date, term: Term, rules: str, *, restarts: bool) -> Clock:
    """What was missing is here. restarts: the request was not complete before, its time begins now."""
    if clock.left is None:
        return clock if clock.due_on else started(today, term, rules)
    if restarts and clock.left >= 0:  # a late hospital gains nothing by asking for something more
        return started(today, term, rules)
    return Clock(due_on=today + timedelta(days=clock.left))


def with_term(clock: Clock, started_on: date, term: Term, rules: str) -> Clock:
    """Another term, from the day when the request was complete."""
    return replace(clock, due_on=last_day(started_on, term, rules)) if clock.runs else clock


def is_old(until: date | None, today: date) -> bool:
    """Whether everything that is asked for is older than five years. until: its last day, None when it goes on."""
    return until is not None and until < months_after(today, -12 * OLD_YEARS)


def reflection_ends(complete_at: datetime) -> datetime:
    """Before that moment nothing is handed over. Hours of the law, not of the wall: 48 of them, clock change or not."""
    return complete_at + REFLECTION


def silence_is_refusal_on(sent_on: date) -> date:
    """The day from which no answer is a refusal."""
    return months_after(sent_on, SILENCE_MONTHS) + timedelta(days=1)


def appeal_until(refused_on: date) -> date:
    """The last day to ask the CADA."""
    return months_after(refused_on, APPEAL_MONTHS)
