"""What a person types at each step, and the walk through all of them over HTTP."""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import preadmission as factory
from tests.services.preadmission.conftest import Ground

SITUATION = {"accident": "none", "protection": "none"}
IDENTITY = {"used_name": "MARTIN-ROY", "phone": "06 39 98 00 01", "email": "jeanne@exemple.test",
            "street": "4 rue des Lilas", "postcode": "91990", "town": "Arceau", "country": "FR"}  # fmt: skip
DOCTOR = {"has_one": "yes", "name": "Hélène Roumillac", "town": "Arceau"}
COVERAGE = {"amo_kind": "french", "nir": "2 79 03 51 215 189 89", "insured": "self", "exemption": "none",
            "amc_kind": "c2s"}  # fmt: skip
RELATIVE = {"name": "Alix Morel", "link": "sibling", "phone": "06 39 98 00 99"}
CHOICES = {"outside_team": "no"}
TYPED: Mapping[str, Mapping[str, str]] = {
    "situation": SITUATION,
    "identite": IDENTITY,
    "medecin": DOCTOR,
    "prise-en-charge": COVERAGE,
    "personne-a-prevenir": RELATIVE,
    "choix": CHOICES,
}
"""End of the address → answers to the questions that everybody is asked."""


def once(page: str) -> str:
    """The idempotency key that the page's form carries."""
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page)
    assert found, "the form has no idempotency key"
    return found[1]


def send(browser: FlaskClient, url: str, data: Mapping[str, Any], follow: bool = False) -> TestResponse:
    return browser.post(url, data=data, follow_redirects=follow, content_type="multipart/form-data")


def links_to_pieces(page: str) -> list[str]:
    """The pieces that the page offers to send, in its order."""
    return list(dict.fromkeys(re.findall(r'href="(/pre-admission/[0-9a-f-]+/pieces/[0-9a-f-]+)"', page)))


def prepared(browser: FlaskClient, ground: Ground, day: Mapping[str, str], stay_kind: str = "outpatient") -> str:
    """Open a draft, answer page after page, and return its address."""
    start = browser.get("/pre-admission/nouvelle")
    stay = {"once": once(start.text), "unit_id": str(ground.hospital.unit.id), "stay_kind": stay_kind, **day}
    page = browser.post("/pre-admission/nouvelle", data=stay).location
    address = page.partition("/etapes/")[0]
    while not page.endswith("/pieces"):
        answer = browser.post(page, data=TYPED[page.rpartition("/")[2]])
        assert answer.status_code == 303, re.findall(r"govuk-error-message.*?</p>", answer.text, re.DOTALL)
        page = answer.location
    return address


def deposit(browser: FlaskClient, piece: str, content: bytes | None = None, name: str = "ma carte.png") -> str:
    """Send a file for this piece, and return where that leads."""
    form, content = browser.get(piece), content or factory.photo(piece)
    answer = send(browser, piece, {"once": once(form.text), "file": (BytesIO(content), name)})
    assert answer.status_code == 303, re.findall(r"govuk-error-message.*?</p>", answer.text, re.DOTALL)
    return answer.location or ""


def deposit_all(browser: FlaskClient, address: str) -> None:
    """Send a photo for each piece that is asked."""
    for piece in links_to_pieces(browser.get(f"{address}/pieces").text):
        deposit(browser, piece)
