"""What the hospital's system and the clock do to a file. That system is the master of stays."""

from services.preadmission.actions import traces
from services.preadmission.models import Preadmission


def transmit(preadmission: Preadmission, message_id: str) -> None:
    """The hospital's system has taken our request. message_id: by which it was sent. Raises TransitionRefused.

    Told again, nothing changes: a message may be acknowledged twice.
    """
    traces.lock(preadmission)
    preadmission.message_id = message_id
    if preadmission.state not in ("transmitted", "integrated", "closed"):
        traces.move(preadmission, "transmitted")


def integrate(preadmission: Preadmission, ipp: str, visit_number: str) -> None:
    """The hospital's system knows the stay under these numbers. Raises TransitionRefused.

    ipp: of that hospital, "" when it was not told. visit_number: NDA.
    """
    traces.lock(preadmission)
    preadmission.ipp, preadmission.visit_number = ipp or preadmission.ipp, visit_number
    if preadmission.state == "validated":
        traces.move(preadmission, "transmitted")
    if preadmission.state == "transmitted":
        traces.move(preadmission, "integrated")
    else:
        traces.record("preadmission.numbered", preadmission)


def cancel_there(preadmission: Preadmission, reason: str = "") -> None:
    """The hospital cancelled the stay: the patient is told. Raises TransitionRefused."""
    traces.lock(preadmission)
    traces.move(preadmission, "cancelled_by_hospital", reason)
    preadmission.decision_reason = ""  # what was asked of the patient before is over; the reason is the hospital's own
    traces.notify(preadmission)


def close(preadmission: Preadmission) -> None:
    """The stay took place. Raises TransitionRefused."""
    traces.lock(preadmission)
    traces.move(preadmission, "closed")


def lapse(preadmission: Preadmission) -> None:
    """The day of the stay is over and the file was never settled: whoever had sent it is told.

    Raises TransitionRefused.
    """
    traces.lock(preadmission)
    traces.move(preadmission, "lapsed")
    if preadmission.submitted_at is not None:
        traces.notify(preadmission)
