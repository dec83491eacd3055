"""growth.<page>: how much longer a page takes when its tables hold SIZE rows of other people than when they hold ten
thousand: milliseconds (the quickest of LOOKS, in process, with PostgreSQL), against the smaller size. Aim: 1.3."""

import time
from collections.abc import Callable, Mapping

from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from portal import db
from portal.db import RIGHTS
from tests.bench.growth import grow
from tests.bench.harness import application, ground, report, seconds, signed_in, size
from tests.factories import demonstration, people, rooms

NAMES = ("growth",)
SMALL = 10_000
LARGE = 200_000
LOOKS = 25
PAGES = {
    "patient": ("/", "/rendez-vous", "/documents", "/documents/messages", "/factures", "/pre-admission",
                "/mon-compte/acces"),
    "professional": ("/pro", "/pro/patients", "/pro/orientations"),
    "staff": ("/admin/", "/admin/rendez-vous", "/admin/pre-admissions", "/admin/pre-admissions/attendus",
              "/admin/documents", "/admin/documents/classes", "/admin/documents/echanges", "/admin/factures",
              "/admin/factures/liste", "/admin/identites", "/admin/journal", "/admin/echeances", "/admin/en-attente"),
}  # fmt: skip


def run() -> None:
    with ground() as place:
        app = application(place.settings)
        browsers = _browsers(app)
        grow(place, 1, SMALL)
        before = _measure(browsers)
        took = seconds(lambda: grow(place, SMALL + 1, size(LARGE)))
        after = _measure(browsers)
    for page, value in after.items():
        note = f"{size(LARGE)} rows a table against {SMALL}: {value / before[page]:.2f} times; filled in {took:.0f} s"
        report(f"growth.{page}", value, "ms", before[page], lower_is_better=True, note=note)


def _browsers(app: Flask) -> Mapping[str, FlaskClient]:
    """One of each kind of people of the demonstration."""
    with app.app_context(), db.transaction(db.system("bench")):
        world = demonstration.build()
        rooms.demonstrate(world)
        agent = people.agent(world.north.establishment.id, *RIGHTS)
        return {
            "patient": signed_in(app, demonstration.account_of(world.patients["dominique"])),
            "professional": signed_in(app, next(iter(world.professionals.values())).account_id),
            "staff": signed_in(app, agent.id),
        }


def _measure(browsers: Mapping[str, FlaskClient]) -> dict[str, float]:
    """Milliseconds of each page."""
    found = {page: _quickest_ms(lambda page=page, who=who: _look(browsers[who], page))
             for who, pages in PAGES.items() for page in pages}  # fmt: skip
    return found | {"search of a person": _quickest_ms(lambda: _search(browsers["staff"]))}


def _look(browser: FlaskClient, page: str) -> None:
    answer = browser.get(page)
    if answer.status_code != 200:
        raise RuntimeError(f"{page} answered {answer.status_code}")


def _search(browser: FlaskClient) -> None:
    """By birth date and name, at the identity unit."""
    address = "/admin/identites/rechercher"
    (form,) = html.document_fromstring(browser.get(address).text).xpath("//main//form[@method='post']")
    typed = {"name": "FOULE 77", "birth_on-day": "28", "birth_on-month": "3", "birth_on-year": "1979"}
    answer = browser.post(address, data=dict(form.form_values()) | typed)
    if answer.status_code != 200:
        raise RuntimeError(f"the search answered {answer.status_code}")


def _quickest_ms(look: Callable[[], None]) -> float:
    look()
    taken = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        look()
        taken.append(time.perf_counter() - began)
    return min(taken) * 1e3
