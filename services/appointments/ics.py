"""An appointment as a calendar file (RFC 5545).

People share and synchronise their calendars: the file names the hospital and the place, never the unit, the reason
or the practitioner.
"""

from collections.abc import Sequence
from datetime import UTC, timedelta

from flask_babel import gettext as _
from icalendar import Calendar, Event

from services.appointments import states
from services.appointments.models import Appointment, AppointmentChange


def calendar_file(appointment: Appointment, changes: Sequence[AppointmentChange], url: str) -> bytes:
    """changes: latest first, at least one. url: the appointment's page. Times are the hospital's wall clock, with the
    rules of its zone in the file."""
    calendar = Calendar()
    calendar.add("prodid", "-//Parvis//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(appointment, changes, url))
    day = appointment.start_at.astimezone(appointment.tz).date()
    calendar.add_missing_timezones(day - timedelta(days=366), day + timedelta(days=366))
    return bytes(calendar.to_ical())


def _event(appointment: Appointment, changes: Sequence[AppointmentChange], url: str) -> Event:
    site, hospital = appointment.site, appointment.establishment
    event = Event()
    # Same identifier and higher sequence: importing the file again after a cancellation updates the entry.
    event.add("uid", f"{appointment.id}@parvis")
    event.add("sequence", len(changes) - 1)
    event.add("dtstamp", changes[0].at.astimezone(UTC))
    event.add("dtstart", appointment.start_at.astimezone(appointment.tz))
    event.add("dtend", appointment.end_at.astimezone(appointment.tz))
    event.add("summary", _("Appointment – %(hospital)s", hospital=hospital.short_name or hospital.name))
    event.add("location", ", ".join(filter(None, (hospital.name, site.name, site.address))))
    event.add("description", _("Reference %(reference)s. Details: %(url)s", reference=appointment.reference, url=url))
    event.add("url", url)
    event.add("class", "PRIVATE")
    event.add("status", "CANCELLED" if appointment.state == states.CANCELLED else "CONFIRMED")
    return event
