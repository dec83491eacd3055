"""Every page of the demonstration that a link leads to: it opens, it is well made, and reading it changes nothing."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from auth import guards
from auth.models import Account, PatientAccess
from portal import db
from portal.config import Settings
from tests.conftest import Database
from tests.factories import demonstration, rooms
from tests.ground import prepared
from tests.pages import parsed

pytestmark = [pytest.mark.xdist_group("demonstration"), pytest.mark.timeout(1200)]  # some two thousand pages

ALONE = ("child", "protected")
"""People of the demonstration who have no account of their own."""
PAGES_OF_A_KIND = 3
"""How many pages of one route are looked at, for one person."""
MOST_PAGES = 1500
LEDGERS = {"audit_event", "kpi_event", "web_session"}
"""What reading a page may write: who read, how often, and when a session was last seen."""
READING_MARKS = {
    "community_announcement_reading": "which announcements a member has read, for the counts of their community",
    "community_event": "who took the journal or the list of members of a community away, for its animators",
    "community_topic_reading": "until when a member has read a discussion",
    "document_reading": "when a patient first opened a letter: its sender is told",
    "exchange": "an exchange that the other side has opened is no longer new",
    "exchange_change": "by whom, and when",
    "opinion_turn": "a page on which something ends shows the question once, and a letter opened is something done",
    "search_miss": "how often words were looked for in vain; the words are not in it",
    "received_mail": "that a unit opened a mail whose sender wanted to know: a receipt is sent to them",
    "preadmission_presence": "which agents have a file open, so that two do not answer it by surprise",
    "news": "what leads to a page is no longer new once the page is open",
    "circle_member": "a patient is told the first time that somebody looks at what they let them see",
    "referral_target": "the unit knows that its patient has read its answer, and each side what it has not read",
    "waiting_room": "a new visitor takes a turn: the next one's moves on, so that a rush finds an order",
}
"""What reading a page writes by design, and why."""


@dataclass(frozen=True)
class Somebody:
    """A person of the demonstration; no account for a visitor."""

    account_id: UUID | None
    homes: tuple[str, ...]


HOMES = {"patient": ("/", "/mon-compte"), "professional": ("/pro", "/"), "staff": ("/admin/", "/")}
VISITOR = Somebody(None, ("/", "/connexion", "/pro/connexion", "/admin/connexion"))


@pytest.fixture
def people(app: Flask) -> dict[str, Somebody]:
    """The demonstration, filled; its people by name. `history`, thousands of figures, is left out."""
    with prepared():
        world = demonstration.build()
        for room in rooms.ROOMS:
            if room != "history":
                rooms.import_module(f"tests.factories.{room}").demonstrate(world)
        accounts = {
            **{name: _account_of(patient.id) for name, patient in world.patients.items() if name not in ALONE},
            **{name: each.account_id for name, each in world.professionals.items()},
            **{name: each.id for name, each in world.agents.items()},
        }
        audiences = {each.id: each.audience for each in db.session.scalars(select(Account))}
    return {"a visitor": VISITOR} | {name: Somebody(id_, HOMES[audiences[id_]]) for name, id_ in accounts.items()}


def _account_of(patient_id: UUID) -> UUID:
    own = select(PatientAccess.account_id).where(PatientAccess.relation == "self")
    return db.session.scalars(own.where(PatientAccess.patient_id == patient_id)).one()


def test_every_page_that_a_link_leads_to(
    app: Flask, settings: Settings, database: Database, people: dict[str, Somebody],
    sign_in: Callable[[UUID], FlaskClient], work_jobs: Callable[[], None],
) -> None:  # fmt: skip
    work_jobs()
    _one_job_fails(database)
    before = _content(database)
    seen: Counter[str] = Counter()
    for name, somebody in people.items():
        browser = sign_in(somebody.account_id) if somebody.account_id else app.test_client()
        seen += _crawl(app, browser, somebody.homes, name)
    changed = {table for table, content in _content(database).items() if content != before[table]}
    assert changed - LEDGERS - set(READING_MARKS) == set(), "a GET changed these"
    assert len(seen) > 50, "the crawl must see most of the portal"
    left = sorted(_never_reached(app, seen))
    assert not left, f"no link leads there, nobody finds these pages: {left}"


def _one_job_fails(database: Database) -> None:
    """Whether the clock left some for later depends on the hour: the page of a job has one to show at any."""
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(
            "insert into procrastinate_jobs (queue_name, task_name, status) values ('default', 'audit.seal', 'failed')"
        )


def _crawl(app: Flask, browser: FlaskClient, homes: tuple[str, ...], who: str) -> Counter[str]:
    """Endpoint → how many of its pages were opened. Raises AssertionError on a link that leads nowhere."""
    opened: Counter[str] = Counter()
    waiting = deque((home, "") for home in homes)
    known = set(homes)
    while waiting and sum(opened.values()) < MOST_PAGES:
        address, found_on = waiting.popleft()
        endpoint = _endpoint(app, address)
        if opened[endpoint] >= PAGES_OF_A_KIND:
            continue
        opened[endpoint] += 1
        answer = browser.get(address)
        told = f"{who}: {found_on} → {address}: {answer.status_code}"
        # The footer and public pages show every door; somebody who came in by another one is told so.
        shown_to_all = _is_public(app, found_on) or address in ("/pro", "/admin", "/admin/")
        is_another_door = answer.status_code == 403 and shown_to_all and not _is_public(app, address)
        assert answer.status_code in (200, 302, 303, 304, 308) or is_another_door, told
        for link in _links(answer, address):
            if link not in known:
                known.add(link)
                waiting.append((link, address))
        answer.close()
    return opened


def _is_public(app: Flask, address: str) -> bool:
    blueprint = app.blueprints.get(_endpoint(app, address).rpartition(".")[0])
    return getattr(blueprint, guards.GUARD, "") == "public"


def _endpoint(app: Flask, address: str) -> str:
    try:
        return str(app.url_map.bind("localhost").match(urlsplit(address).path)[0])
    except HTTPException:
        return "static" if address.startswith("/static/") else address


def _links(answer: Any, address: str) -> list[str]:
    """Where this answer leads inside the portal; a change of language and an anchor are the same page."""
    if answer.status_code >= 300:
        targets = [answer.headers.get("Location", "")]
    elif answer.mimetype == "text/html":
        targets = [link.get("href") for link in parsed(answer.text).iter("a") if link.get("href")]
    else:
        return []
    inside = (urlsplit(urljoin(address, target)) for target in targets)
    return [
        parts.path + (f"?{parts.query}" if parts.query else "")
        for parts in inside
        if not parts.scheme and not parts.netloc and parts.path.startswith("/") and "lang=" not in parts.query
    ]


def _content(database: Database) -> dict[str, object]:
    """table → a digest of its rows."""
    with psycopg.connect(database.superuser_url) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "select relname from pg_class where relkind in ('r', 'p') and not relispartition"
                " and relnamespace = 'public'::regnamespace"
                " and relname not like 'procrastinate%'"
            )
        ]
        statement = sql.SQL("select count(*), md5(string_agg(t::text, ';' order by t::text)) from {} t")
        return {name: connection.execute(statement.format(sql.Identifier(name))).fetchone() for name in names}


# Reached by a form, a mail, another site or a machine, and not by a link.
NOT_BY_A_LINK = {
    "community_links.follow",
    "signature_links.follow", "receipt_check.check", "preadmission.towns_at", "admin_preadmission.piece_page",
    "auth.callback", "auth.logout_callback", "auth.start", "billing_callbacks.payfip", "billing_public.come_back",
    "pages.security_txt", "pages.working_json", "pages.find", "style.style_guide",
    "status.live", "status.ready", "status.metrics",
    "pages.theme_css", "pages.logo",
    "auth.callback_of_hospital", "auth.logout_callback_of_hospital", "auth.start_at_hospital", "auth.encryption_keys",
    "closed.closed", "guests.birth", "guests.code", "guests.show", "local.set_up", "local.set_up_passkey",
    "local.set_up_password", "oauth_whoami.whoami", "appointment_links.show", "appointment_links.cancel",
    "appointment_links.move", "calendar.read",
    # Pictures and frames of a letter; a certificate is checked from its printed address.
    # A picture of the directory, and what search engines read.
    "offer.plan", "offer_engines.robots", "offer_engines.sitemap",
    "admin_document_content.laid_out", "admin_document_content.sheet", "my_document_content.laid_out",
    "my_document_content.sheet", "circle_documents.laid_out", "circle_documents.sheet", "certificates.verify",
    # On a sheet of paper.
    "referral_objections.ask", "referral_objections.done",
    # In a mail.
    # On a terminal of a hall.
    "kiosk.start", "kiosk.activation", "kiosk.begin_again",
    "digest_stops.stop", "news_choices.confirm_box", "news_stops.stop",
}  # fmt: skip


# Where one is sent on the way to another page: everybody here has agreed, proved two factors, and may act for somebody.
ON_THE_WAY = {
    "account_consents.agree", "verification.prove", "mandates.choose", "mandates.nobody", "mandates.over",
}  # fmt: skip

# Behind something that the demonstration's people do not have: a provider of their own, a number of health insurance.
FOR_OTHERS = {
    # Whoever signs with a patient has their own account, by a link; a child's parent acts under a band (own journeys).
    "own_signatures.home", "own_signatures.revoke", "own_signatures.sheet", "own_signatures.show",
    "signatures.authorise", "signatures.overview", "signatures.revoke", "signatures.sheet", "choices.text",
    # Bills that somebody tried to pay, or paid in full: not the first three that are opened.
    "admin_billing.evidence", "billing.attestation",
    "admin_preadmission.reopen",
    # Sites of the directory come before its units: three places are opened.
    "admin_offer.add_activity",
    # Requests and referrals with files, and certificates, are not the first three that are opened.
    "admin_record_requests.file", "admin_user_requests.certify", "admin_user_requests.file", "record_requests.file",
    "referrals.file", "referrals.inside", "referrals.read",
    "admin_hospital_provider.remove", "admin_identities.reveal_nir", "factors.add_address", "factors.add_passkey",
    # Nobody here has a password of the portal's own.
    "password.change",
}  # fmt: skip


# Shown after a form was sent, or only on days when somebody works (the demonstration is around today).
AFTER_A_FORM = {
    "billing.pay_together", "billing_guests.bills", "billing_guests.pay", "billing_guests.pay_together",
    "billing_guests.receipt", "billing_guests.receipt_pdf", "billing_guests.show",
    "admin_preadmission.begin", "admin_preadmission.entry", "admin_preadmission.register_patient",
    "admin_preadmission_office.message", "admin_retention.lift", "signatures.designate",
    "admin_questionnaires.send", "questionnaires.check", "questionnaires.sent",
    "city_appointments.booked", "city_appointments.confirm",
    "admin_appointments.choose_place", "admin_appointments.choose_reason", "admin_pathways.new", "admin_pathways.show",
    "my_pathways.confirm", "rush.wait",
    "admin_appointment_requests.letter", "admin_waiting.new", "requests.letter", "requests.receipt",
    "admin_appointments.choose_time", "admin_appointments.new_patient", "admin_appointments.show",
    "admin_documents.publish", "admin_documents.take_back", "admin_staff.invitation", "documents.sent",
    "my_appointments.booked", "my_appointments.confirm", "preadmission.piece_page",
    "admin_deaths.declare", "admin_desk_accounts.open_account", "admin_desk_accounts.printed",
    "admin_emergencies.document", "admin_emergencies.show", "admin_support.ask", "admin_support.first_screen",
    "admin_support.screen", "admin_support.show", "admin_identities.show_link",
    "admin_lost_factors.help_patient", "contact.code", "factors.confirm_sent", "mandates.given_code",
    # After a search, or by steps.
    "admin_deposits.ask", "admin_directory.person", "admin_directory.structure", "directory.person",
    "admin_exchanges.write_by_link", "admin_exchanges.write_to_address", "record_requests.receipt",
    "record_requests.step", "opinions.thanks",
}  # fmt: skip


def _never_reached(app: Flask, seen: Counter[str]) -> set[str]:
    pages = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/fhir/")]  # for machines
    shown = {rule.endpoint for rule in pages if "GET" in (rule.methods or ())} - {"static"}
    return shown - set(seen) - NOT_BY_A_LINK - AFTER_A_FORM - ON_THE_WAY - FOR_OTHERS
