"""A practitioner's agenda as the desk sees it: who comes, what is kept, what is free, in order of time. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from services.appointments import slots, states
from services.appointments.slots import Slot

MAY_ARRIVE_BEFORE = timedelta(hours=12)


def gestures(state: str, at: datetime, called_at: datetime | None, now: datetime) -> tuple[str, ...]:
    """What the desk may say now of a visit that begins at a time, the likeliest first."""
    if state == states.BOOKED:
        if now < at - MAY_ARRIVE_BEFORE:
            return ()
        return ("arrive", "miss") if now >= at else ("arrive",)
    if state == states.ARRIVED:
        return ("finish", "correct") if called_at else ("call_in", "finish", "correct")
    return ("correct",) if state in (states.DONE, states.MISSED) else ()


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment, in the words of a list. number: the hospital's own for the patient (IPP)."""

    id: UUID
    session_id: UUID
    practitioner_id: UUID
    patient_id: UUID
    at: datetime
    until: datetime
    state: str
    channel: str
    beyond: bool
    masked: bool
    arrived_at: datetime | None
    called_at: datetime | None
    missed_because: str
    cell: int
    reference: str
    reason: str
    first_name: str
    birth_name: str
    used_name: str
    birth_on: date
    mobile: str
    number: str
    at_kiosk: bool = False

    kind = "visit"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.used_name or self.birth_name}".strip()

    @property
    def slot(self) -> Slot:
        """Where it begins."""
        return Slot(self.session_id, self.cell)

    @property
    def step(self) -> str:
        """Its state, told apart from `called`: the patient is with the practitioner."""
        return "called" if self.state == states.ARRIVED and self.called_at else self.state

    def gestures(self, now: datetime) -> tuple[str, ...]:
        return gestures(self.state, self.at, self.called_at, now)

    def is_unanswered(self, now: datetime) -> bool:
        """It is over, and nobody said what became of it."""
        return self.until <= now and self.state in (states.BOOKED, states.ARRIVED)


@dataclass(frozen=True, slots=True)
class Kept:
    """A time kept for somebody until a moment. name: the patient's, when it is proposed or offered to them."""

    id: UUID
    practitioner_id: UUID
    at: datetime
    until: datetime
    expires_at: datetime
    purpose: str
    reason: str
    name: str

    kind = "kept"


@dataclass(frozen=True, slots=True)
class Free:
    """Time that nobody has, and where an appointment may begin in it. places: how many seats a group has left."""

    at: datetime
    until: datetime
    starts: tuple[tuple[datetime, str], ...]
    places: int = 1

    kind = "free"


@dataclass(frozen=True, slots=True)
class Now:
    """Where the clock is."""

    at: datetime

    kind = "now"


Line = Visit | Kept | Free | Now


@dataclass
class Agenda:
    """A practitioner's day. opened: from when to when they receive."""

    practitioner_id: UUID
    name: str
    speciality: str
    day: date
    opened: list[tuple[datetime, datetime]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def visits(self) -> Sequence[Visit]:
        return [line for line in self.lines if isinstance(line, Visit)]

    @property
    def starts(self) -> int:
        """How many free times it shows."""
        return sum(len(line.starts) for line in self.lines if isinstance(line, Free))

    def sort(self) -> None:
        self.opened.sort()
        self.lines.sort(key=lambda line: (line.at, _RANK[line.kind]))

    def mark(self, now: datetime) -> None:
        """Draw the line of the present moment, on a day that has begun and is not over."""
        if self.lines and self.lines[0].at <= now < max(line.until for line in self.lines if not isinstance(line, Now)):
            rank = next((rank for rank, line in enumerate(self.lines) if line.at > now), len(self.lines))
            self.lines.insert(rank, Now(now))


_RANK = {"visit": 0, "kept": 1, "free": 2, "now": 3}


@dataclass(frozen=True)
class Opened:
    """A consultation session, as the agenda needs it (see `slots.Opening`)."""

    id: UUID
    practitioner_id: UUID
    start_at: datetime
    step_min: int
    n_cells: int
    open: int
    free: int
    capacity: int
    seats_left: int
    for_web: int | None = None
    for_city: int | None = None
    released_at: datetime | None = None

    def at(self, cell: int) -> datetime:
        return self.start_at + timedelta(minutes=cell * self.step_min)

    @property
    def end_at(self) -> datetime:
        return self.at(self.n_cells)

    @property
    def places(self) -> int:
        return self.seats_left if self.capacity > 1 else 1


def free_lines(opened: Opened, bookable: int, shortest: int, begins: datetime, ends: datetime) -> Iterator[Free]:
    """The free time of a session between two moments, one line for each stretch of it.

    bookable: bits where some appointment may begin; shortest: how many cells the shortest of them fills.
    """
    stretch: list[int] = []
    for cell in slots.proposed(bookable & _within(opened, begins, ends), shortest):
        if stretch and not _is_free_between(opened, stretch[-1], cell):
            yield _free(opened, stretch, shortest)
            stretch = []
        stretch.append(cell)
    if stretch:
        yield _free(opened, stretch, shortest)


def _free(opened: Opened, cells: Sequence[int], shortest: int) -> Free:
    starts = tuple((opened.at(cell), str(Slot(opened.id, cell))) for cell in cells)
    return Free(starts[0][0], opened.at(cells[-1] + shortest), starts, opened.places)


def _is_free_between(opened: Opened, first: int, last: int) -> bool:
    cells = slots.mask(first, last - first)
    return opened.free & cells == cells


def _within(opened: Opened, begins: datetime, ends: datetime) -> int:
    """Bits of the cells that begin between two moments, the second one excluded."""
    step = timedelta(minutes=opened.step_min)
    first = max(0, -((opened.start_at - begins) // step))
    last = min(opened.n_cells, -((opened.start_at - ends) // step))
    return slots.mask(first, max(0, last - first))


@dataclass(frozen=True)
class Load:
    """How full some time is. open_min, free_min: minutes for patients, and those of them that are not taken."""

    visits: int = 0
    open_min: int = 0
    free_min: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(self.visits + other.visits, self.open_min + other.open_min, self.free_min + other.free_min)

    @property
    def rate(self) -> float | None:
        """Between 0 and 1; None when nobody receives."""
        return (self.open_min - self.free_min) / self.open_min if self.open_min else None


def load_of(opened: Opened) -> Load:
    """Of a session: a group's time counts once for each of its seats."""
    step = opened.step_min
    whole = opened.open.bit_count() * step
    if opened.capacity > 1:
        return Load(0, whole * opened.capacity, whole * opened.seats_left)
    return Load(0, whole, opened.free.bit_count() * step)
