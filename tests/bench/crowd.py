"""The people of a busy hour: thousands who are signed in, and a few dozen who do something at the same moment, each act
over HTTP with its forms, each request timed."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.campaign.payers import GaveUp, Owed, Payer
from tests.drills.history import FAIL, OK, History, Operation
from tests.drills.people import Visitor
from tests.drills.place import Place
from tests.drills.world import Draft, Person, World, address

MIX: Mapping[str, int] = {
    "read": 34, "open": 12, "search": 12, "find": 12, "book": 7, "send": 4, "pay": 3, "sign_in": 8, "tray": 6,
    "day": 1, "figures": 1,
}  # fmt: skip
"""Of a hundred acts of the hour. An assumption (docs/scaling.md), not a measure: no portal's log was at hand."""
WORDS = ("cardio", "IRM", "consultation", "maternité", "urgences", "docteur mercier", "ophtalmologie", "radio genou")
TRAYS = ("/admin/", "/admin/pre-admissions", "/admin/documents", "/admin/factures/liste", "/admin/identites",
         "/admin/orientations", "/admin/demandes-de-rendez-vous", "/admin/questionnaires")  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One request and its answer. status 0: nobody answered."""

    act: str
    seconds: float
    status: int

    @property
    def is_error(self) -> bool:
        """Broken, too slow or turned away; a time that somebody else took a moment before (409, 422) is none."""
        return self.status in (0, 403, 404, 429) or self.status >= 500


@dataclass
class Town:
    """Everybody, and what is left for them to do. documents: of the people who have one. staff: cookies of agents."""

    world: World
    documents: Sequence[tuple[Person, str]]
    staff: Sequence[Mapping[str, str]]
    drafts: deque[tuple[Person, Draft]] = field(default_factory=deque)
    bills: deque[tuple[Person, Owed]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        for person in self.world.people:
            self.drafts.extend((person, draft) for draft in person.drafts)
            self.bills.extend((person, owed) for owed in person.bills)


class Seat(Visitor):
    """A place at which one person after another does one thing."""

    def __init__(self, town: Town, place: Place, draw: Random) -> None:
        self.town, self.told, self._act = town, list[Told](), ""
        super().__init__(town.world.people[0], place, town.world, History(), draw)

    def do(self, act: str) -> None:
        """Somebody sits down and does it."""
        self._act = act
        self.history = History()  # what was asked long ago is not kept
        self._sit(self.draw.choice(self.town.world.people))
        work: Callable[[], None] = getattr(self, act)
        work()

    def _sit(self, person: Person, cookies: Mapping[str, str] | None = None) -> None:
        self.person = person
        self._browser.cookies = httpx.Cookies(dict(cookies or person.cookies))
        self._browser.headers["X-Forwarded-For"] = address(person.number)

    # -- what they do beside what people do in a drill --------------------------------------------------------------

    def open(self) -> None:
        """The shelf, then a document."""
        person, path = self.draw.choice(self.town.documents)
        self._sit(person)
        self._get("/documents", path)

    def search(self) -> None:
        self._get(f"/recherche?q={self.draw.choice(WORDS)}")

    def find(self) -> None:
        """The reasons, then the times of one."""
        self._get("/rendez-vous/choisir", f"/rendez-vous/choisir-un-creneau?reason={self.world.reason_id}")

    def book(self, slot: str = "") -> None:
        """Any time: on few hours do all want the same ones (that is a drill)."""
        super().book(slot or self.draw.choice(self.world.slots))

    def send(self, draft: Draft | None = None) -> None:
        try:
            person, draft = self.town.drafts.popleft()
        except IndexError:
            return self.read()
        self._sit(person)
        return super().send(draft)

    def pay(self) -> None:
        try:
            person, owed = self.town.bills.popleft()
        except IndexError:
            return self.read()
        self._sit(person)
        with TimedPayer(self, owed) as payer:
            try:
                page = payer.leave()
                if back := payer.decide(page, "P"):
                    payer.come_back(back)
            except (GaveUp, httpx.HTTPError):
                self.told.append(Told("pay", 0.0, 0))
        return None

    def tray(self) -> None:
        self._as_staff(self.draw.choice(TRAYS))

    def day(self) -> None:
        self._as_staff("/admin/rendez-vous")

    def figures(self) -> None:
        self._as_staff("/admin/chiffres/comparaison")

    def _as_staff(self, path: str) -> None:
        self._sit(self.person, self.draw.choice(self.town.staff))
        self._get(path)

    def _get(self, *paths: str) -> None:
        for path in paths:
            with self.history.invoke(self.person.number, self._act) as operation:
                answer = self._ask(operation, "GET", path)
                operation.outcome = OK if answer is not None and answer.status_code == 200 else FAIL

    # -- how it is timed --------------------------------------------------------------------------------------------

    def _ask(
        self, operation: Operation, method: str, path: str, *, browser: httpx.Client | None = None, **words: Any
    ) -> httpx.Response | None:
        return self.timed(lambda: super(Seat, self)._ask(operation, method, path, browser=browser, **words))

    def timed(self, ask: Callable[[], httpx.Response | None]) -> httpx.Response | None:
        began = time.perf_counter()
        answer = ask()
        self.told.append(Told(self._act, time.perf_counter() - began, answer.status_code if answer is not None else 0))
        return answer


class TimedPayer(Payer):
    """Whoever pays, each of whose requests to the portal is timed."""

    def __init__(self, seat: Seat, owed: Owed) -> None:
        super().__init__(owed, [seat.place.url], seat.place.bank, seat.draw, lambda _bill_id, _minutes: None)
        self._seat = seat

    def _ask(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response | None:
        return self._seat.timed(lambda: super(TimedPayer, self)._ask(method, path, data))

    def come_back(self, location: str) -> None:
        self._seat.timed(lambda: self._browser.get(location))


class Diary:
    """When somebody does the next thing: `rate` times a second, each when it likes (a Poisson process); at once for 0.
    Safe to share between threads."""

    def __init__(self, lasting: float, rate: float, draw: Random, mix: Mapping[str, int]) -> None:
        self._lasting, self._rate, self._draw = lasting, rate, draw
        self._acts, self._weights = list(mix), list(mix.values())
        self._lock = threading.Lock()
        self._began = self._due = time.perf_counter()
        self.acts = 0
        self.latest = 0.0
        """Seconds that somebody waited for a seat."""

    def __iter__(self) -> Iterator[str]:
        while True:
            with self._lock:
                self._due += self._draw.expovariate(self._rate) if self._rate else 0.0
                due, act = self._due, self._draw.choices(self._acts, self._weights)[0]
                now = time.perf_counter()
                if max(due, now) - self._began > self._lasting:
                    return
                self.acts += 1
                if self._rate:
                    self.latest = max(self.latest, now - due)
            time.sleep(max(0.0, due - now))
            yield act


@dataclass(frozen=True)
class Hour:
    """What became of it. acts: those that were begun."""

    told: Sequence[Told]
    acts: int
    seconds: float
    latest: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.told) / self.seconds

    @property
    def errors(self) -> int:
        return sum(each.is_error for each in self.told)

    def of(self, act: str) -> "Hour":
        return Hour([each for each in self.told if each.act == act], 0, self.seconds, 0.0)

    def ms(self, share: float) -> float:
        """Milliseconds within which this share of the requests was answered."""
        taken = sorted(each.seconds for each in self.told)
        return taken[min(len(taken) - 1, int(len(taken) * share))] * 1e3 if taken else 0.0

    @property
    def times(self) -> str:
        return f"p50 {self.ms(0.5):.0f}, p95 {self.ms(0.95):.0f}, p99 {self.ms(0.99):.0f} ms"


def live(town: Town, place: Place, seats: int, lasting: float, *, rate: float = 0.0, seed: int = 1,
         mix: Mapping[str, int] = MIX) -> Hour:  # fmt: skip
    """So many seconds of it. rate: acts a second; 0: as many as the seats can."""
    diary = Diary(lasting, rate, Random(seed), mix)
    with ExitStack() as closing, ThreadPoolExecutor(seats) as pool:
        taken = [Seat(town, place, Random(f"{seed}/{number}")) for number in range(seats)]
        for seat in taken:
            closing.callback(seat.close)
        began = time.perf_counter()
        for done in [pool.submit(_occupy, seat, diary) for seat in taken]:
            done.result()
        seconds = time.perf_counter() - began
    return Hour([told for seat in taken for told in seat.told], diary.acts, seconds, diary.latest)


def _occupy(seat: Seat, diary: Diary) -> None:
    for act in diary:
        seat.do(act)
