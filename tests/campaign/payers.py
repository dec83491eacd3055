"""People who pay, in a hurry and badly: over HTTP, with a browser's cookie, from portals that may die meanwhile."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

import httpx
from lxml import html

from tests.campaign.house import Bank

_IDOP = re.compile(r"[?&]idop=([0-9a-f-]{36})")
_TRIES = 8
_GUESTS = "/factures/payer"
_SECONDS = 30.0

Later = Callable[[UUID, int], None]
"""Lets minutes pass for the attempts on one bill."""


@dataclass(frozen=True)
class Owed:
    """A bill and what opens it: a session's cookies, or what stands on the letter of somebody without an account."""

    bill_id: UUID
    cookies: dict[str, str]
    letter: dict[str, str]
    address: str
    """Where this browser is, as a proxy tells it: who tries too often from one place is stopped."""


class GaveUp(Exception):
    """This person could not reach the payment site: nothing was paid."""


class Payer:
    """One person before one bill."""

    def __init__(self, owed: Owed, portals: Sequence[str], bank: Bank, draw: Random, later: Later) -> None:
        self.owed = owed
        self.draw = draw
        self.bank = bank
        self._portals = list(portals)
        self._later = later
        headers = {"User-Agent": "Mozilla/5.0 (campaign)", "X-Forwarded-For": owed.address}
        self._browser = httpx.Client(cookies=owed.cookies, headers=headers, trust_env=False, timeout=_SECONDS)

    def __enter__(self) -> "Payer":
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._browser.close()

    # -- the portal ----------------------------------------------------------------------------------------------

    def leave(self) -> str:
        """Ask to pay until the payment site's page is known, and return it. Raises GaveUp."""
        for _ in range(_TRIES):
            if self.owed.letter:
                self._filled_in(_GUESTS, self.owed.letter)
            page = self.leave_once() or self.resumable()
            if page:
                return page
            self.minutes_pass(21)  # another try is allowed by then, and the first was asked about
        raise GaveUp

    def leave_once(self) -> str:
        """The payment site's page, or "" when the portal is in the way."""
        answer = self._filled_in(self._path + self._way, {"email": "payeur@exemple.test"})
        location = answer.headers.get("location", "") if answer is not None else ""
        return location if location.startswith(self.bank.payment_url) else ""

    def _filled_in(self, path: str, typed: dict[str, str]) -> httpx.Response | None:
        """What the page's first form is answered; None when there is no such page now."""
        page = self._ask("GET", path)
        if page is None or page.status_code != 200:
            return None
        form = html.document_fromstring(page.text).xpath("//main//form[@method='post']")[0]
        return self._ask("POST", path, {**dict(form.form_values()), **typed})

    def resumable(self) -> str:
        """The payment site's page as the bill's own page names it, or ""."""
        page = self._ask("GET", self._path)
        found = re.search(re.escape(self.bank.payment_url) + r"\?idop=[0-9a-f-]{36}", page.text if page else "")
        return found[0] if found else ""

    def come_back(self, location: str) -> None:
        """The return page, once; the portal that opened it may be dead."""
        try:
            self._browser.get(location)
        except httpx.HTTPError:
            return

    def minutes_pass(self, minutes: int) -> None:
        self._later(self.owed.bill_id, minutes)

    @property
    def _path(self) -> str:
        return f"{_GUESTS}/factures/{self.owed.bill_id}" if self.owed.letter else f"/factures/{self.owed.bill_id}"

    @property
    def _way(self) -> str:
        return "/regler" if self.owed.letter else "/payer"

    def _ask(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response | None:
        """One portal or the other; None when neither answers within a while."""
        for _ in range(20):
            try:
                return self._browser.request(method, self.draw.choice(self._portals) + path, data=data)
            except httpx.HTTPError:
                if method == "POST":
                    return None  # nobody knows: look at the bill before trying again
                time.sleep(0.2)
        return None

    # -- the payment site ----------------------------------------------------------------------------------------

    def decide(self, page: str, code: str) -> str:
        """Open the page, choose, and return where the browser is sent back; "" when the page does not open."""
        if self._browser.get(page).status_code != 200:
            return ""
        answer = self._browser.post(page, data={"idop": idop_of(page), "choice": code})
        return str(answer.headers.get("location", ""))


def idop_of(page: str) -> str:
    """Raises ValueError for an address without one."""
    if found := _IDOP.search(page):
        return found[1]
    raise ValueError(page)
