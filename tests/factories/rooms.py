"""Fills each room of the demonstration."""

from importlib import import_module

from tests.factories.demonstration import World

ROOMS = (
    "directory", "appointments", "desk", "reasons", "agendas", "preadmission", "billing", "bill_imports", "refunds",
    "bill_questions", "settlement", "documents", "reading", "shelf", "sorting", "factors", "enrolment", "mandates",
    "account", "history", "agents", "practice", "deaths", "city", "requests", "waiting", "reminders", "exchanges",
    "hospital_messages", "maternity", "pathways", "questionnaires", "invitations", "companions",
    "record_requests", "mailboxes", "unit_messages", "news", "lines",
    "communities", "library", "circle", "offer", "referrals", "patient_referrals", "oversight", "support",
    "opinions", "front_desk", "looks", "figure_reports", "boards", "attendance", "kiosk", "message_texts",
)  # fmt: skip


def demonstrate(world: World) -> None:
    for room in ROOMS:
        import_module(f"tests.factories.{room}").demonstrate(world)
