"""What people do during a drill: read, book, send a pre-admission with its documents, pay, sign in; and try again."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from lxml import html
from PIL import Image

from tests.campaign.payers import GaveUp, Payer, idop_of
from tests.drills.history import FAIL, OK, History, Operation
from tests.drills.place import Place
from tests.drills.world import Draft, Person, World, address

PAGES = ("/", "/rendez-vous", "/rendez-vous/choisir", "/factures", "/documents", "/pre-admission", "/mon-compte",
         "/mentions-legales")  # fmt: skip
_PATIENCE_S = 60.0
_TIMEOUT_S = 90.0
_INSIDE = re.compile(r"Traceback|psycopg|sqlalchemy|File \"/|procrastinate|site-packages|select .* from ", re.I)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOLD = "//*[contains(@class, 'error-summary')]//text() | //main//h1//text() | //main//p//text()"
_SIGNS_IN = ("dominique", "suzanne", "yacine", "camille")
ALL = {"read": 8, "book": 4, "send": 3, "pay": 2, "sign_in": 1}
"""What people do, and how often."""


@dataclass
class Visitor:
    """One person with a browser; gives up a request only when the portal said what became of it."""

    person: Person
    place: Place
    world: World
    history: History
    draw: Random
    patience_s: float = _PATIENCE_S

    def __post_init__(self) -> None:
        headers = {"User-Agent": "Mozilla/5.0 (drill)", "X-Forwarded-For": address(self.person.number)}
        self._browser = httpx.Client(
            base_url=self.place.url, cookies=self.person.cookies, headers=headers, trust_env=False, timeout=_TIMEOUT_S
        )
        self._drafts = list(self.person.drafts)
        self._bills = list(self.person.bills)

    def close(self) -> None:
        self._browser.close()

    # -- what they do --------------------------------------------------------------------------------------------

    def read(self) -> None:
        path = self.draw.choice(PAGES)
        with self.history.invoke(self.person.number, "read") as operation:
            operation.facts["path"] = path
            answer = self._ask(operation, "GET", path)
            operation.outcome = OK if answer is not None and answer.status_code == 200 else FAIL

    def book(self, slot: str = "") -> None:
        """A time that others want too, half of the time."""
        slots = self.world.slots
        slot = slot or self.draw.choice(slots if self.draw.random() < 0.5 else slots[:60])
        address = f"/rendez-vous/confirmer?reason={self.world.reason_id}&slot={slot}"
        with self.history.invoke(self.person.number, "book") as operation:
            operation.facts["slot"] = slot
            form = self._form(operation, address, "/rendez-vous/garder")
            if form is None or (kept := self._insist(operation, "POST", "/rendez-vous/garder", data=form)) is None:
                operation.outcome = FAIL  # nothing is booked before the last step
                return
            form = self._form(operation, kept.headers.get("location", ""), "/rendez-vous/confirmer")
            if form is None or kept.status_code != 303:
                operation.outcome = FAIL
                return
            answer = self._insist(operation, "POST", "/rendez-vous/confirmer", data=form)
            self._conclude(operation, answer, "appointment_id")

    def send(self, draft: Draft | None = None) -> None:
        """The documents of a draft, one by one, then the file itself."""
        if draft is None:
            if not self._drafts:
                return self.read()
            draft = self._drafts.pop()
        sent = [self.upload(draft, piece) for piece in draft.pieces]
        if not all(sent):
            return None
        path = f"/pre-admission/{draft.id}/verification"
        with self.history.invoke(self.person.number, "submit") as operation:
            form = self._form(operation, path, path)
            if form is None:
                operation.outcome = FAIL
                return None
            answer = self._insist(operation, "POST", path, data=form)
            self._conclude(operation, answer, "preadmission_id")
        return None

    def upload(self, draft: Draft, piece: UUID, content: bytes = b"") -> bool:
        """Whether the document was acknowledged."""
        content = content or picture(self.draw)
        path = f"/pre-admission/{draft.id}/pieces/{piece}"
        with self.history.invoke(self.person.number, "upload") as operation:
            form = self._form(operation, path, path)
            if form is None:
                operation.outcome = FAIL
                return False
            file = {"file": ("carte.png", content, "image/png")}
            answer = self._insist(operation, "POST", path, data=form, files=file)
            self._conclude(operation, answer, "preadmission_id")
            operation.facts |= {"sha256": hashlib.sha256(content).digest(), "piece": piece}
            return operation.outcome == OK

    def pay(self) -> None:
        """Leave for the payment site, pay or not, come back or not."""
        if not self._bills:
            return self.read()
        owed = self._bills.pop()
        with (
            self.history.invoke(self.person.number, "pay") as operation,
            Payer(owed, [self.place.url], self.place.bank, self.draw, self._minutes_pass) as payer,
        ):
            try:
                page = payer.leave()
                back = payer.decide(page, self.draw.choice("PPPPVAR"))
            except (GaveUp, httpx.HTTPError):
                operation.outcome = FAIL
                return None
            operation.outcome, operation.facts["idop"] = OK, idop_of(page)
            if back and self.draw.random() < 0.7:
                payer.come_back(back)
        return None

    def sign_in(self) -> None:
        """Through the identity provider, with a browser of its own."""
        with self.history.invoke(self.person.number, "sign_in") as operation, self._fresh() as browser:
            start = self._ask(operation, "GET", "/auth/franceconnect/start", browser=browser)
            if start is None or start.status_code not in (302, 303):
                operation.outcome = FAIL
                return
            try:
                chosen = browser.post(start.headers["location"], data={"person": self.draw.choice(_SIGNS_IN)})
            except httpx.HTTPError:
                operation.outcome = FAIL
                return
            back = chosen.headers.get("location", "")
            if not back.startswith(self.place.url):
                operation.outcome = FAIL
                return
            done = self._ask(operation, "GET", back, browser=browser)
            operation.outcome = OK if done is not None and done.status_code in (302, 303) else FAIL

    # -- how they ask --------------------------------------------------------------------------------------------

    def _fresh(self) -> httpx.Client:
        headers = {"User-Agent": "Mozilla/5.0 (drill)", "X-Forwarded-For": address(self.person.number)}
        return httpx.Client(base_url=self.place.url, headers=headers, trust_env=False, timeout=_TIMEOUT_S)

    def _ask(
        self, operation: Operation, method: str, path: str, *, browser: httpx.Client | None = None, **words: Any
    ) -> httpx.Response | None:
        """One request; None when nobody answered."""
        operation.tries += 1
        try:
            answer = (browser or self._browser).request(method, path, **words)
        except httpx.HTTPError:
            operation.lost += 1
            return None
        operation.status = answer.status_code
        if answer.status_code >= 500:
            operation.unavailable += 1
        if rude := rudeness(answer):
            self.history.rude(f"{method} {urlsplit(path).path}: {rude}")
        if answer.status_code >= 400:
            self.history.told(f"{method} {_UUID.sub('…', urlsplit(path).path)} {answer.status_code}", said(answer))
        return answer

    def _insist(self, operation: Operation, method: str, path: str, **words: Any) -> httpx.Response | None:
        """The same request again until somebody says what became of it; None when patience ends."""
        until = time.monotonic() + self.patience_s
        while time.monotonic() < until:
            answer = self._ask(operation, method, path, **words)
            if answer is not None and answer.status_code < 500:
                return answer
            time.sleep(0.1 + self.draw.random() * 0.4)
        return None

    def _form(self, operation: Operation, address: str, action: str) -> dict[str, str] | None:
        """What the form that is posted there would send; None when the page has none."""
        page = self._insist(operation, "GET", address) if address else None
        if page is None or page.status_code != 200:
            return None
        for form in html.document_fromstring(page.text).xpath("//main//form[@method='post']"):
            if form.get("action", urlsplit(address).path) == action:
                return {name: value or "" for name, value in form.form_values()}
        return None

    def _conclude(self, operation: Operation, answer: httpx.Response | None, acknowledged: str) -> None:
        """303: it is done; another answer: it is not; none at all: nobody knows."""
        if answer is None:
            return
        location = answer.headers.get("location", "")
        found = _UUID.search(location)
        if answer.status_code == 303 and found and "/connexion" not in location:
            operation.outcome, operation.facts[acknowledged] = OK, UUID(found[0])
        else:
            operation.outcome, operation.facts["refused"] = FAIL, answer.status_code

    def _minutes_pass(self, bill_id: UUID, minutes: int) -> None:
        self.place.sql(
            "update payment_attempt a set created_at = created_at - m, state_at = state_at - m,"
            " next_poll_at = next_poll_at - m, notified_at = notified_at - m from make_interval(mins => %s) m"
            " where a.id in (select attempt_id from attempt_share where bill_id = %s)",
            minutes,
            bill_id,
        )


def rudeness(answer: httpx.Response) -> str:
    """What an error page says that it should not, or "" (I9: polite, with a reference, nothing of the inside)."""
    if answer.status_code < 500:
        return ""
    if found := _INSIDE.search(answer.text):
        return f"{answer.status_code} shows {found[0]!r}"
    if not any(mark in answer.text for mark in ("app-trouble", "app-template", "<form")):
        return f"{answer.status_code} is no page of ours: {answer.text[:80]!r}"
    return ""


def said(answer: httpx.Response) -> str:
    """What a page tells whoever reads it, in its first words."""
    told = html.document_fromstring(answer.text or "<p/>").xpath(_TOLD)
    return " ".join(" ".join(told).split())[:400]


def picture(draw: Random, size: tuple[int, int] = (160, 120)) -> bytes:
    """A PNG that no other is equal to."""
    out = BytesIO()
    Image.frombytes("RGB", size, draw.randbytes(size[0] * size[1] * 3)).save(out, "PNG", compress_level=1)
    return out.getvalue()


@dataclass
class Crowd:
    """Everybody at once, each in a thread, until the block ends; then each ends what was begun."""

    place: Place
    world: World
    history: History
    seed: int
    habits: Mapping[str, int] = field(default_factory=lambda: dict(ALL))
    pause_s: float = 0.02
    patience_s: float = _PATIENCE_S

    def __enter__(self) -> "Crowd":
        self._going = threading.Event()
        self._broken: list[BaseException] = []
        self._threads = [threading.Thread(target=self._live, args=(each,), daemon=True) for each in self.world.people]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._going.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S + 4 * self.patience_s)
        if any(thread.is_alive() for thread in self._threads):
            raise TimeoutError("somebody is still waiting for an answer")
        if self._broken:
            raise self._broken[0]

    def _live(self, person: Person) -> None:
        draw = Random(f"{self.seed}/{person.number}")
        visitor = Visitor(person, self.place, self.world, self.history, draw, self.patience_s)
        names, weights = list(self.habits), list(self.habits.values())
        try:
            while not self._going.is_set():
                act: Callable[[], None] = getattr(visitor, draw.choices(names, weights)[0])
                act()
                time.sleep(self.pause_s * draw.random())
        except BaseException as trouble:  # told by the main thread
            self._broken.append(trouble)
        finally:
            visitor.close()


def busy(place: Place, world: World, history: History, seed: int, names: Sequence[str] = ()) -> Crowd:
    """The usual crowd, or one that does these things alone."""
    return Crowd(place, world, history, seed, {name: ALL[name] for name in names} if names else dict(ALL))
