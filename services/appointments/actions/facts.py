"""What may stand in the way of an appointment. Facts, in no one's words: pages find theirs."""


class SlotTaken(Exception):
    """This slot is not free, or not any more."""


class PatientBusy(Exception):
    """The patient has another appointment at that time."""


class NotBookable(Exception):
    """This reason is not taken in that session, or not online."""


class KnownPatientsOnly(Exception):
    """This reason is for patients whom the hospital already follows."""


class ReferralOnly(Exception):
    """This reason is for patients whom a practitioner sends."""


class TooManyAppointments(Exception):
    """The patient already has as many appointments to come for this reason as one person may take alone."""


class NotTheAge(Exception):
    """This reason is for patients of another age."""


class HoldEnded(Exception):
    """The time kept for this person has been given back."""


class TooLateToCancel(Exception):
    """The cut-off has passed: the patient must call."""


class AlreadyOver(Exception):
    """The appointment is cancelled already, or its time has come."""


class NotYet(Exception):
    """Nobody arrives, or fails to come, before the day."""


class NoSuchTime(Exception):
    """A clock change skips this time on that day."""


class DoesNotFit(Exception):
    """A session ends after it starts and holds between 1 and 60 cells."""
