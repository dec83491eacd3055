"""Several visits booked together, all or none."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from services.appointments.actions import booking, capacity
from services.appointments.actions.booking import Asked
from services.appointments.actions.facts import KnownPatientsOnly, TooManyAppointments
from services.appointments.slots import Slot


def book_together(
    patient_id: UUID, visits: Sequence[tuple[UUID, Slot]], channel: str, *, known_only: bool = False
) -> UUID:
    """Take a time of each reason; returns the id that they share. Reasons need not be open online by themselves.

    visits: (reason, slot). Raises SlotTaken, PatientBusy, NotBookable, TooManyAppointments online, or
    KnownPatientsOnly when the hospital does not follow the patient and asks it: then none is taken, once the
    transaction is rolled back.
    """
    chain_id = uuid4()
    capacity.hold_still([slot.session_id for _reason_id, slot in visits])
    counted = set[UUID]()
    for reason_id, slot in visits:
        wanted = booking.asked(booking.ANY, reason_id, slot, patient_id)
        if known_only and not wanted.is_known:
            raise KnownPatientsOnly
        if channel == "web" and reason_id not in counted:
            _check_room_for_more(wanted)
        counted.add(reason_id)
        booking.take(patient_id, wanted, channel, chain_id)
    return chain_id


def _check_room_for_more(wanted: Asked) -> None:
    """What was booked before counts, not the series itself: one account must not fill a unit's weeks."""
    if wanted.reason.max_to_come and wanted.to_come >= wanted.reason.max_to_come:
        raise TooManyAppointments
