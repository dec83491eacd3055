"""Booking and giving back visits that belong together: all of them or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from portal import audit, db, jobs, kpi
from portal.db import session
from portal.establishments import Unit
from services.appointments import actions, states
from services.appointments.actions import AlreadyOver
from services.appointments.models import Appointment, Reason
from services.appointments.pathways.models import Pathway, PathwayStep
from services.appointments.pathways.queries import Visit


@dataclass(frozen=True)
class Facts:
    """What an agent says of a pathway; see `Pathway`."""

    kind: str
    name: str
    description: str
    bookable_online: bool
    known_only: bool
    min_gap_min: int
    max_gap_min: int
    times: int
    every_days: int
    tolerance_days: int


def create(unit: Unit, facts: Facts, reasons: Sequence[Reason]) -> Pathway:
    """Describe visits that are booked together."""
    made = Pathway(id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, **vars(facts))
    session.add(made)
    session.flush()
    _walk_through(made, reasons)
    _tell(made, "created")
    return made


def change(pathway: Pathway, facts: Facts, reasons: Sequence[Reason]) -> None:
    """Describe it anew; visits already booked stay as they are."""
    for name, value in vars(facts).items():
        setattr(pathway, name, value)
    pathway.steps.clear()
    session.flush()
    _walk_through(pathway, reasons)
    _tell(pathway, "changed")


def close(pathway: Pathway) -> None:
    """Offer it no more; visits already booked stay."""
    pathway.closed_at = db.now()
    session.flush()
    _tell(pathway, "closed")


def reopen(pathway: Pathway) -> None:
    pathway.closed_at = None
    session.flush()
    _tell(pathway, "reopened")


def _walk_through(pathway: Pathway, reasons: Sequence[Reason]) -> None:
    for position, reason in enumerate(reasons):
        step = PathwayStep(position=position, reason_id=reason.id, establishment_id=pathway.establishment_id)
        pathway.steps.append(step)
    session.flush()


def _tell(pathway: Pathway, what: str) -> None:
    audit.record(
        f"pathway.{what}",
        establishment_id=pathway.establishment_id,
        object_kind="pathway",
        object_id=pathway.id,
    )


# -- visits ------------------------------------------------------------------------------------------------------


def book(patient_id: UUID, pathway: Pathway, visits: Sequence[Visit]) -> UUID:
    """A patient books every visit online; returns what they share.

    Raises SlotTaken, PatientBusy, KnownPatientsOnly, TooManyAppointments or NotBookable: then none is booked.
    """
    return _book(patient_id, pathway, visits, "web", known_only=pathway.known_only)


def book_by_phone(patient_id: UUID, pathway: Pathway, visits: Sequence[Visit]) -> UUID:
    """An agent does, for somebody on the phone. Raises as `book` does, but for KnownPatientsOnly."""
    return _book(patient_id, pathway, visits, "phone", known_only=False)


def _book(patient_id: UUID, pathway: Pathway, visits: Sequence[Visit], channel: str, *, known_only: bool) -> UUID:
    wanted = [(each.offer.reason.id, each.offer.slot) for each in visits]
    chain_id = actions.book_together(patient_id, wanted, channel, known_only=known_only)
    kpi.count(
        "pathway_booked",
        establishment_id=pathway.establishment_id,
        channel=channel,
        dimension=pathway.kind,
        quantity=len(wanted),
    )
    _write_to_patient("pathways.tell_booked", chain_id)
    return chain_id


def cancel(visits: Sequence[Appointment], why: str) -> int:
    """A patient gives back what is still to come of visits booked together; returns how many.

    why: one of states.CANCELLED_BY_PATIENT. Raises TooLateToCancel within the cut-off of the first one, AlreadyOver
    when nothing is to come.
    """
    return _cancel(visits, why, by_agent=False)


def cancel_for_patient(visits: Sequence[Appointment], why: str) -> int:
    """An agent does. why: one of states.CANCELLED_BY_HOSPITAL. Raises AlreadyOver."""
    return _cancel(visits, why, by_agent=True)


def _cancel(visits: Sequence[Appointment], why: str, *, by_agent: bool) -> int:
    to_come = [each for each in visits if each.state == states.BOOKED and each.start_at > db.now()]
    if not to_come:
        raise AlreadyOver
    actions.cancel_together(to_come, why, by_agent=by_agent)
    chain_id = to_come[0].chain_id
    if chain_id is not None:
        _write_to_patient("pathways.tell_cancelled", chain_id)
    return len(to_come)


def open_visits(visits: Sequence[Appointment]) -> None:
    """An agent opens visits booked together: the patient's name is shown, so the audit knows."""
    audit.record(
        "appointment_chain.opened",
        patient_id=visits[0].patient_id,
        establishment_id=visits[0].establishment_id,
        object_kind="appointment_chain",
        object_id=visits[0].chain_id,
    )


def _write_to_patient(job: str, chain_id: UUID) -> None:
    actor = db.current_actor()
    account_id = str(actor.account_id or "") if actor.kind == "patient" else ""
    jobs.enqueue(job, chain_id=str(chain_id), account_id=account_id)
