"""What is told to those who follow appointments, and what becomes of it: events, states, ways a follower may be."""

from collections.abc import Mapping

HIS, WEBHOOK = "his", "webhook"
KINDS = (HIS, WEBHOOK)

WAITING, ACCEPTED, REFUSED, SET_ASIDE, NOT_NEEDED = "waiting", "accepted", "refused", "set_aside", "not_needed"
DELIVERY_STATES = (WAITING, ACCEPTED, REFUSED, SET_ASIDE, NOT_NEEDED)

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
TEST_EVENT = "parvis.test"

HIS_ACTOR = "appointments.his"
"""The system job that writes what the hospital system says: its own changes are not told back to it."""
