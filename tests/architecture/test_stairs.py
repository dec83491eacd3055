"""The plan of the house holds: imports go down the stairs, and nothing grows beside the listed modules."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSE = {
    "apart", "app", "audit", "backup", "blanking", "calendar", "catalog", "check", "cli", "clocks", "config", "db",
    "delimited", "doctor", "embedded", "establishments", "file_copies", "file_crypto", "file_opening", "file_sheets",
    "file_sniffing", "files", "files_alarm", "files_apart",
    "files_erasing", "files_orphans", "files_shown", "gateways", "job_workers",
    "jobs", "kpi", "logs", "message_texts", "notifications", "pages", "pdf", "retention", "schema",
    "reading_only", "static", "templates", "text_messages", "tracing", "turns", "web",
}  # fmt: skip
"""What may stand in portal/; an addition is a line in docs/decisions/0008."""
DRAWERS = {
    "models", "states", "actions", "queries", "forms", "routes_public", "routes_patient", "routes_pro",
    "routes_callbacks", "api", "jobs", "mails", "export", "affairs", "belongings", "guests", "figures", "occasions",
    "digest", "journal", "wording",
    "commands", "templates",
}  # fmt: skip
OWN_DRAWERS = {
    "appointments": {
        "circle",
        "city",
        "fhir",
        "pathways",
        "places",
        "rush",
        "requests",
        "waiting",
        "wishes",
        "exchanges",
        "for_whom",
        "times",
        "agendas",
        "attendance",
        "availability",
        "booking_links",
        "offered",
        "desk",
        "feed",
        "ics",
        "kiosk",
        "links",
        "outside",
        "reasons",
        "reminders",
        "resources",
        "slots",
        "tokens",
    },
    "attendance": {"estimates", "retention"},
    "billing": {
        "access_keys",
        "bill_file",
        "disputes",
        "imports",
        "ledger",
        "metrics",
        "office",
        "payouts",
        "pes",
        "questions",
        "receipts",
        "refunds",
        "reminders",
        "sources",
        "stripe_events",
        "turns",
        "settlement",
        "treasury",
    },
    "documents": {
        "circle",
        "cda",
        "xdm",
        "ins",
        "untrusted_xml",
        "matching",
        "parcels",
        "reading",
        "shelf",
        "deposits",
        "unread",
        "exchanges",
        "mailboxes",
        "lists",
        "inbox",
        "messages",
        "requests",
        "mss",
        "his",
        "tracing",
        "tray",
        "pdfa",
        "value_sets",
    },
    "exchanges": {"dialect", "listening", "metrics", "routes_machine", "signing", "subjects"},
    "pieces": {"facts", "letters"},
    "directory": {"lent", "columns", "folding", "lines", "loading", "reports", "rows", "seeking", "staging"},
    "questionnaires": {"answers", "calendar", "definition", "sheet", "fhir", "retention"},
    "preadmission": {
        "circle",
        "additions",
        "answers",
        "asked",
        "calendars",
        "choices",
        "companions",
        "deadlines",
        "delays",
        "doctors",
        "exchanges",
        "fhir",
        "invitations",
        "kinds",
        "known_stays",
        "life",
        "maternity",
        "office",
        "pages",
        "prices",
        "receipts",
        "reminders",
        "retention",
        "routes_pieces",
        "steps",
        "towns",
    },
    "sent_patients": {"sources"},
    "offer": {
        "drawing",
        "fhir",
        "linked",
        "openings",
        "pages",
        "quality",
        "retention",
        "seeking",
        "shown",
        "specialities",
        "structured",
        "surroundings",
        "words",
    },
    "circle": {"retention", "sections", "telling", "units"},
    "satisfaction": {"asking", "choices", "retention", "routes_users", "screening"},
    "lines": {"hours", "loading", "numbers", "retention", "roster", "rows", "useful"},
    "referrals": {
        "circle",
        "fhir",
        "followers",
        "for_patients",
        "objecting",
        "patient_words",
        "retention",
        "routes_sheets",
        "sheets",
        "claims",
        "deadlines",
        "definition",
        "drafts",
        "letters",
        "outcomes",
        "standing",
    },
    "communities": {
        "frame",
        "identifiers",
        "library",
        "retention",
        "rights",
        "routes_entrance",
        "routes_members",
        "routes_news",
        "routes_run",
        "routes_talk",
        "traces",
    },
}
"""What one room has beyond the usual drawers: pure parsers, formats and rules of its own."""


def _names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir() if not path.name.startswith("_")}


def test_imports_only_go_down_the_stairs() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_module_appears_quietly_in_the_house() -> None:
    assert _names(ROOT / "portal") == HOUSE


@pytest.mark.parametrize("room", sorted(OWN_DRAWERS))
def test_a_room_has_the_usual_drawers(room: str) -> None:
    assert _names(ROOT / "services" / room) <= DRAWERS | OWN_DRAWERS[room]


def test_every_room_is_listed() -> None:
    assert {path.name for path in (ROOT / "services").iterdir() if path.is_dir()} - {"__pycache__"} == set(OWN_DRAWERS)
