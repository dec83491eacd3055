"""Words for what is exchanged about appointments: why a message was refused, what an event is called."""

from flask_babel import lazy_gettext as _l

REASONS = {
    "unknown_appointment": _l("The portal has no appointment with this reference."),
    "unknown_practitioner": _l("The portal does not know this practitioner at this hospital."),
    "no_time": _l("When it begins and ends is missing, or makes no sense."),
    "two_at_one_hour": _l("Somebody has an appointment by the portal at that time: both are listed for the agents."),
    "newer_known": _l("Something newer was said already: nothing changed."),
    "newer_here": _l("It was changed on the portal since: the portal tells it again."),
    "cancelled_here": _l("It is cancelled on the portal, and a cancellation is final."),
    "time_taken": _l("That time is taken on the portal."),
    "patient_busy": _l("The patient has another appointment at that time."),
    "no_session": _l("This practitioner has no consultation at that time for this reason on the portal."),
    "over": _l("The appointment is over, or was seen to already."),
    "not_yet": _l("It is too early to say so."),
    "not_allowed": _l("The appointment is not in a state that allows this."),
    "wrong_201": _l("Only S12, S13, S14, S15 and S26 are taken here."),
}
"""What stands in the acknowledgement (ERR-8) and on the agents' screen."""

KNOWN_THERE = {
    "accepted": _l("It knows this appointment as it is"),
    "waiting": _l("It will be told as soon as it answers"),
    "refused": _l("It refused what the portal sent"),
    "set_aside": _l("What was to be sent was set aside"),
}
EVENTS = {
    "S12": _l("S12: booked"),
    "S13": _l("S13: moved"),
    "S14": _l("S14: changed"),
    "S15": _l("S15: cancelled"),
    "S26": _l("S26: missed"),
    "appointment.booked": _l("Appointment booked"),
    "appointment.moved": _l("Appointment moved"),
    "appointment.cancelled": _l("Appointment cancelled"),
    "appointment.arrived": _l("Patient arrived"),
    "appointment.missed": _l("Patient did not come"),
    "parvis.test": _l("Test of the connection"),
}
