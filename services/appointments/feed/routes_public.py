"""The calendar itself, read by telephones and computers that know its address. Whatever is not one is a plain 404."""

import hashlib
from collections.abc import Sequence

from flask import Blueprint, abort, make_response, request
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.limits import limiter
from portal.web.security import public_url
from services.appointments import ics
from services.appointments.feed import actions, queries
from services.appointments.feed.models import CalendarFeed
from services.appointments.feed.queries import Row
from services.appointments.ics import Entry

pages = guards.public(Blueprint("calendar", __name__, url_prefix="/rendez-vous/calendrier"))
_SUFFIX = ".ics"


@pages.get("/<string:name>")
@limiter.limit("60 per minute")
def read(name: str) -> Response:
    """The file, or 304 when the reader has it already."""
    if not name.endswith(_SUFFIX):
        abort(404)
    with db.transaction(db.system("appointments.feed")):
        feed = queries.of_token(name.removesuffix(_SUFFIX)) or abort(404)
        with force_locale(feed.account.locale or "fr"):
            content = ics.feed(_entries(feed, queries.rows(feed)), _("Appointments at the hospital"))
        actions.read(feed)
    return _answer(content)


def _answer(content: bytes) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.set_etag(hashlib.sha256(content).hexdigest())
    return response.make_conditional(request)


def _entries(feed: CalendarFeed, rows: Sequence[Row]) -> list[Entry]:
    return [_entry(row, with_details=feed.with_details) for row in rows]


def _entry(row: Row, *, with_details: bool) -> Entry:
    appointment = row.appointment
    url = public_url("my_appointments.show", appointment_id=appointment.id)
    title, details = str(_("Appointment")), ""
    if with_details:
        title = f"{title} – {appointment.unit.name}" + ("" if row.own else f" ({appointment.patient.first_name})")
        details = f"{appointment.reason.name}. {appointment.practitioner.full_name}."
    return Entry(appointment, row.sequence, row.changed_at, title, _place(row, with_details), url, details)


def _place(row: Row, with_details: bool) -> str:
    """The site's address; its name, which may be a unit's, only when details are wanted."""
    appointment = row.appointment
    return ics.location(appointment) if with_details else appointment.site.address or appointment.establishment.name
