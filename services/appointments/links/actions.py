"""What whoever holds a link of a message may do: say that they come, move, cancel.

They act as the holder of that link, for its patient alone: never with the system's rights.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

from flask_babel import gettext as _
from sqlalchemy import select

from portal import audit, db, kpi
from portal.db import Actor, session
from services.appointments import actions, states, tokens
from services.appointments.actions import booking
from services.appointments.links.models import AppointmentLink
from services.appointments.models import Appointment
from services.appointments.slots import Slot

PURPOSE: Final = "appointment link"


def path_to(appointment: Appointment) -> str:
    """The path of the page that acts on this appointment at this time, the same one in each message; "" when there is
    none: it is masked (an address on paper may be a parent's), cancelled or begun. In a transaction of the system."""
    if appointment.masked or appointment.state != states.BOOKED or appointment.start_at <= db.now():
        return ""
    former = session.scalars(
        select(AppointmentLink).where(
            AppointmentLink.appointment_id == appointment.id, AppointmentLink.start_at == appointment.start_at
        )
    ).all()
    # One that a secret made that is no longer here cannot be written again.
    known = filter(None, (tokens.made(PURPOSE, each.id, each.digest) for each in former))
    return f"/rendez-vous/lien/{next(known, None) or _make(appointment)}"


def _make(appointment: Appointment) -> str:
    link_id = uuid4()
    token = tokens.token_of(PURPOSE, link_id)
    session.add(
        AppointmentLink(
            id=link_id,
            establishment_id=appointment.establishment_id,
            appointment_id=appointment.id,
            start_at=appointment.start_at,
            digest=tokens.digest(token),
        )
    )
    session.flush()
    audit.record(
        "appointment_link.made",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )
    return token


# -- the holder ----------------------------------------------------------------------------------------------------


@contextmanager
def acting(link: AppointmentLink) -> Iterator[Appointment]:
    """A transaction in which the holder of a link acts: row-level security shows them that patient's rows, and the
    audit names the link. Raises AlreadyOver when its appointment moved meanwhile."""
    whose = frozenset({link.appointment.patient_id})
    holder = Actor("patient", str(_("Link of a message")), link.id, patients=whose, scopes={"administrative": whose})
    with db.transaction(holder):
        appointment = session.get_one(Appointment, link.appointment_id)
        if appointment.start_at != link.start_at:
            raise actions.AlreadyOver
        yield appointment


def come(link: AppointmentLink) -> None:
    """They say that they come at this time; said again, it is said. Raises AlreadyOver."""
    with acting(link) as appointment:
        appointment = booking.lock(appointment)
        if appointment.state != states.BOOKED or not appointment.start_at == link.start_at > db.now():
            raise actions.AlreadyOver
        if not appointment.is_confirmed:
            _confirm(appointment)


def _confirm(appointment: Appointment) -> None:
    appointment.confirmed_for = appointment.start_at
    session.flush()
    audit.record(
        "appointment.confirmed",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )
    kpi.count("appointment_confirmed", establishment_id=appointment.establishment_id)


def move(link: AppointmentLink, slot: Slot) -> None:
    """They take another time. Raises as `actions.move` does."""
    with acting(link) as appointment:
        actions.move(appointment, slot)


def cancel(link: AppointmentLink, why: str) -> None:
    """They give the time back. Raises TooLateToCancel, AlreadyOver."""
    with acting(link) as appointment:
        actions.cancel(appointment, why)
