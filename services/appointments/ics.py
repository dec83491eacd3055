"""Appointments as calendar files (RFC 5545).

People share and synchronise their calendars: a file names the hospital and the place, never the unit, the reason or
the practitioner, unless its owner chose it for their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from icalendar import Calendar, Event

from services.appointments import states
from services.appointments.models import Appointment, AppointmentChange

REFRESHED_EVERY = timedelta(hours=4)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """One appointment of a calendar. sequence: how often it changed; changed_at: the last time. summary: its title.
    details: more of its description, "" for none."""

    appointment: Appointment
    sequence: int
    changed_at: datetime
    summary: str
    location: str
    url: str
    details: str = ""


def calendar_file(appointment: Appointment, changes: Sequence[AppointmentChange], url: str) -> bytes:
    """changes: latest first, at least one. url: the appointment's page. Times are the hospital's wall clock, with the
    rules of its zone in the file."""
    hospital = appointment.establishment
    entry = Entry(
        appointment,
        len(changes) - 1,
        changes[0].at,
        _("Appointment – %(hospital)s", hospital=hospital.short_name or hospital.name),
        location(appointment),
        url,
        _("Reference %(reference)s.", reference=appointment.reference),
    )
    return _written(_calendar(), [entry])


def feed(entries: Iterable[Entry], name: str) -> bytes:
    """A calendar to subscribe to (RFC 7986): the same entries give the same bytes."""
    calendar = _calendar()
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)  # before RFC 7986, and still read by most
    calendar.add("refresh-interval", REFRESHED_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT4H")
    return _written(calendar, list(entries))


def location(appointment: Appointment) -> str:
    site, hospital = appointment.site, appointment.establishment
    return ", ".join(filter(None, (hospital.name, site.name, site.address)))


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Parvis//Appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    return calendar


def _written(calendar: Calendar, entries: Sequence[Entry]) -> bytes:
    for entry in entries:
        calendar.add_component(_event(entry))
    if entries:
        days = [each.appointment.start_at.astimezone(each.appointment.tz).date() for each in entries]
        calendar.add_missing_timezones(min(days) - 366 * _DAY, max(days) + 366 * _DAY)
    return bytes(calendar.to_ical())


def _event(entry: Entry) -> Event:
    appointment = entry.appointment
    event = Event()
    # Same identifier and higher sequence: a calendar that has the entry already updates it, after a cancellation too.
    event.add("uid", f"{appointment.id}@parvis")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("dtstart", _wall_clock(appointment.start_at, appointment.tz))
    event.add("dtend", _wall_clock(appointment.end_at, appointment.tz))
    event.add("summary", entry.summary)
    event.add("location", entry.location)
    described = _("Details: %(url)s", url=entry.url)
    event.add("description", f"{entry.details} {described}".strip())
    event.add("url", entry.url)
    event.add("class", "PRIVATE")
    event.add("status", "CANCELLED" if appointment.state == states.CANCELLED else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if appointment.state == states.CANCELLED else "OPAQUE")
    return event


def _wall_clock(moment: datetime, tz: ZoneInfo) -> datetime:
    """The hospital's; UTC in the hour that an autumn night has twice, which a wall clock cannot tell (3.3.5)."""
    local = moment.astimezone(tz)
    return moment.astimezone(UTC) if local.fold else local
