"""Everything that changes an appointment or a consultation session, by intention."""

from services.appointments.actions.booking import (
    Asked,
    book,
    book_by_phone,
    book_for,
    move,
    move_for_patient,
)
from services.appointments.actions.cancelling import cancel, cancel_for_patient
from services.appointments.actions.capacity import when_freed
from services.appointments.actions.consulting import open_session
from services.appointments.actions.facts import (
    AlreadyOver,
    DoesNotFit,
    HoldEnded,
    KnownPatientsOnly,
    NoSuchTime,
    NotBookable,
    NotYet,
    PatientBusy,
    ReferralOnly,
    SlotTaken,
    TooLateToCancel,
    TooManyAppointments,
)
from services.appointments.actions.holding import confirm, give_up, hold, keep_for, move_to, sweep
from services.appointments.actions.visiting import arrive, correct, finish, miss, open_appointment, open_day

__all__ = [
    "AlreadyOver",
    "Asked",
    "DoesNotFit",
    "HoldEnded",
    "KnownPatientsOnly",
    "NoSuchTime",
    "NotBookable",
    "NotYet",
    "PatientBusy",
    "ReferralOnly",
    "SlotTaken",
    "TooLateToCancel",
    "TooManyAppointments",
    "arrive",
    "book",
    "book_by_phone",
    "book_for",
    "cancel",
    "cancel_for_patient",
    "confirm",
    "correct",
    "finish",
    "give_up",
    "hold",
    "keep_for",
    "miss",
    "move",
    "move_for_patient",
    "move_to",
    "open_appointment",
    "open_day",
    "open_session",
    "sweep",
    "when_freed",
]
