"""Who is there and waits, as they arrive: a page that comes back by itself, for the screen of a unit's desk."""

from flask import abort, make_response, render_template
from werkzeug.wrappers import Response

from admin.routes_appointments import asked, pages
from portal import db
from services.appointments import actions
from services.appointments.desk import wording
from services.appointments.kiosk import queries

REFRESH_S = 20


@pages.get("/arrivees")
def arrivals() -> Response:
    """Those who arrived today in a unit and were not called in yet, the first to arrive first."""
    wanted = asked() or abort(404)
    actions.open_day(wanted.unit, wanted.today)
    page = render_template(
        "admin/appointments/arrivals.html",
        asked=wanted,
        waiting=queries.waiting(wanted.unit),
        counts=queries.arrivals(wanted.unit),
        said=wording.Said(wanted.unit.establishment.tz),
        now=db.now(),
    )
    response = make_response(page)
    response.headers["Refresh"] = str(REFRESH_S)
    return response
