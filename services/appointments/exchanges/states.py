"""What is told to those who follow appointments: triggers of SIU messages, events of webhooks."""

from collections.abc import Mapping

SUBJECT = "appointment"
"""How the door of hospital systems calls what is told here (`services.exchanges.subjects`)."""

NEW, RESCHEDULED, MODIFIED, CANCELLED, NO_SHOW = "S12", "S13", "S14", "S15", "S26"
TRIGGERS = (NEW, RESCHEDULED, MODIFIED, CANCELLED, NO_SHOW)
"""SIU (HL7 v2.5, 10.4): notification of new, rescheduled, modified, cancelled appointments, and of no-shows."""

EVENTS: Mapping[str, str] = {
    NEW: "appointment.booked",
    RESCHEDULED: "appointment.moved",
    CANCELLED: "appointment.cancelled",
    NO_SHOW: "appointment.missed",
    "arrived": "appointment.arrived",
}
"""What a webhook is told of each change."""
WEBHOOK_EVENTS = tuple(EVENTS.values())

HIS_ACTOR = "appointments.his"
"""The system job that writes what the hospital system says: its own changes are not told back to it."""
