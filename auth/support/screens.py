"""The person's own pages, as the portal makes them for an agent who looks on.

The page is asked for inside the portal, by a request that no browser can make: it acts as the person, in a READ ONLY
transaction where words are blanked (`portal.blanking`), and as somebody who acts for them, so that what they keep from
those is absent. What comes out is taken to pieces (`frame`) before the agent gets it.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from flask import Flask, current_app, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from auth.models import Account, PatientAccess
from auth.sessions import WATCHED, SignedIn, Watched
from auth.support.models import SupportSession
from portal import blanking, catalog, db
from portal.db import Actor, session

SCREENS = frozenset((
    "pages.home", "pages.services", "pages.accessibility", "pages.legal", "pages.personal_data",
    "account.show", "account.my_sessions", "account_access.log", "account_access.reasons",
    "account_consents.consents", "account_data.mine", "account_data.request_page", "identity.show",
    "contact.show", "enrolment.hospitals", "mandates.overview", "circle.overview",
    "my_appointments.mine", "my_appointments.show", "my_appointments.ask_to_cancel", "requests.mine", "requests.show",
    "waiting.mine", "waiting.show", "reminder_choice.show",
    "preadmission.home", "preadmission.show", "preadmission.pieces", "preadmission.piece", "preadmission.step",
    "preadmission.receipt", "preadmission.check", "signatures.overview", "own_signatures.home",
    "questionnaires.mine", "questionnaires.show", "questionnaires.sent",
    "billing.my_bills", "billing.show", "billing.receipt", "bill_questions.thread",
    "my_documents.shelf", "my_documents.deposit", "my_messages.messages", "my_messages.thread",
    "record_requests.overview",
    "my_referrals.mine", "my_referrals.show",
))  # fmt: skip
"""Endpoints of pages that may be seen. Files, forms that begin something, and codes are never among them."""

_NARROWS = frozenset(("page", "avant", "show", "annee", "year", "etablissement", "hospital", "autres", "etat", "lang"))
"""What an address may ask of a page: by state, day, hospital. Whatever narrows by what is blanked would tell it, by
how many lines are left."""
_CARD = "pages.open_service"
_DROPPED = ("HTTP_", "CONTENT_", "werkzeug.", "flask.", "wsgi.input", "parvis.")


@dataclass(frozen=True)
class Screen:
    """What a page answered. html: whole and untouched, "" when there is nothing to show; moved_to: another page."""

    endpoint: str
    html: str = ""
    moved_to: str = ""


def endpoint_of(app: Flask, path: str) -> str:
    """The page at this path when it may be seen, "" otherwise."""
    try:
        endpoint, _arguments = app.url_map.bind("").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return ""
    return str(endpoint) if endpoint in SCREENS else ""


def behind_card(app: Flask, path: str) -> str:
    """Where a card of the home page ends, without its opening being counted; any other path as it is."""
    try:
        endpoint, arguments = app.url_map.bind("").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return path
    card = catalog.card(arguments["code"]) if endpoint == _CARD else None
    return url_for(card.endpoint) if card else path


def watched(seen: SupportSession) -> Watched | None:
    """The person's session as it would be, with nothing masked in reach; None when they have no account any more.

    Run as the system: agents read neither accounts nor who may act for whom.
    """
    account = session.get(Account, seen.person_account_id)
    own = session.get(PatientAccess, (seen.person_account_id, seen.patient_id))
    if account is None or account.closed_at is not None or own is None or own.revoked_at is not None:
        return None
    assert seen.ends_at is not None, "it is open"
    return Watched(
        _actor(account, seen.patient_id),
        SignedIn(
            seen.id, account.id, "franceconnect-plus", "eidas2", (), "", None, account.locale, seen.patient_id,
            seen.patient_id, None, seen.ends_at, timedelta(minutes=15),
        ),
    )  # fmt: skip


def _actor(account: Account, patient_id: UUID) -> Actor:
    alone = frozenset((patient_id,))
    scopes = dict.fromkeys(db.SCOPES, alone)
    # As a mandate that reaches everything: what the person masked is kept from it by the database.
    return Actor("patient", account.name, account.id, patients=alone, proxied=alone, scopes=scopes)


def application() -> Flask:
    """The application itself: its routes are asked, and its pages made, outside the current request."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy, whatever Flask says
    return app


def screen(path: str, query: str, whose: Watched) -> Screen:
    """Ask our own portal for one page, as the person."""
    app = application()
    endpoint = endpoint_of(app, path)
    if not endpoint:
        return Screen("")
    with blanking.hidden(), app.app_context(), app.request_context(_environment(path, query, whose)):
        response = app.full_dispatch_request()
        return _screen(endpoint, response)


def _screen(endpoint: str, response: Response) -> Screen:
    if 300 <= response.status_code < 400:
        target = urlsplit(response.location or "")
        return Screen(endpoint, moved_to=target.path if not target.netloc else "")
    if response.status_code != 200 or response.mimetype != "text/html":
        return Screen(endpoint)
    return Screen(endpoint, response.get_data(as_text=True))


def _environment(path: str, query: str, whose: Watched) -> dict[str, Any]:
    kept = {name: value for name, value in request.environ.items() if not name.startswith(_DROPPED)}
    return kept | {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path.encode().decode("latin-1"),  # PEP 3333
        "QUERY_STRING": urlencode([each for each in parse_qsl(query) if each[0] in _NARROWS]),
        "HTTP_HOST": request.host,
        "HTTP_USER_AGENT": "parvis-support-bot",  # no visit of the person's is counted
        "wsgi.input": _Nothing(),
        WATCHED: whose,
    }


class _Nothing:
    """A body without a byte."""

    def read(self, _size: int = -1) -> bytes:
        return b""

    def readline(self, _size: int = -1) -> bytes:
        return b""
