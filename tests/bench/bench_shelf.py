"""documents.shelf: the shelf of a patient with 2,000 documents, p95 of its first page, against that of a patient whose
documents all stand on one page, measured in the same run: what a long life at the hospital costs its reader."""

import http.client
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from auth import sessions
from auth.models import WebSession
from portal import db
from services.documents.shelf.queries import PAGE
from tests.bench.harness import Ground, application, ground, quickest, report, served, size
from tests.factories import hospitals, people, shelf

NAMES = ("documents.shelf",)
DOCUMENTS = 2000
_REQUESTS = 60
_AGENT = "Mozilla/5.0 (bench)"


def run() -> None:
    with ground() as place:
        full, short = _fill(place, size(DOCUMENTS))
        with served("wsgi:app", place) as portal:
            for path, headers in (("/documents", full), ("/documents", short)):  # a visit is counted once
                _request(_connected(portal), path, headers)
            ours, limit = quickest(lambda: _p95(portal, full), lambda: _p95(portal, short))
    note = f"{size(DOCUMENTS)} documents against {PAGE}, p95 of {_REQUESTS} requests one after the other"
    report("documents.shelf", ours * 1e3, "ms", limit * 1e3, lower_is_better=True, note=note)


def _fill(place: Ground, count: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """A patient with that many documents and one with a page of them: the headers of their browsers."""
    app = application(place.settings)
    with app.app_context(), db.transaction(db.system("bench")):
        hospital = hospitals.hospital()
        found = []
        for name, total in (("PLEIN", count), ("COURT", PAGE)):
            account, person = people.patient_with_account(birth_name=name)
            people.known_at(person, hospital.establishment.id, f"00{total}")
            shelf.many(hospital.establishment, person, total)
            found.append(_signed_in(account.id))
    return found[0], found[1]


def _signed_in(account_id: object) -> Mapping[str, str]:
    token = secrets.token_urlsafe(32)
    db.session.add(
        WebSession(
            digest=sessions.digest(token),
            account_id=account_id,
            provider="franceconnect",
            acr="eidas1",
            amr="mfa",
            activity={},
            expires_at=db.now() + sessions.LIMITS["patient"].absolute,
        )
    )
    return {"Cookie": f"{sessions.cookie_name(secure=False)}={token}", "User-Agent": _AGENT}


def _p95(base: str, headers: Mapping[str, str]) -> float:
    """Seconds under which nineteen requests in twenty are answered."""
    connection, taken = _connected(base), []
    for _ in range(_REQUESTS):
        began = time.perf_counter()
        _request(connection, "/documents", headers)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[int(_REQUESTS * 0.95) - 1]


def _connected(base: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(base).netloc)


def _request(connection: http.client.HTTPConnection, path: str, headers: Mapping[str, str]) -> None:
    connection.request("GET", path, headers=dict(headers))
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}")
