"""Rights that wait for a second administrator."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_staff
from admin.forms_staff import RIGHT_TITLES
from admin.routes_staff import mine, staff_pages
from auth import guards
from auth.agents import actions
from auth.agents.actions import OwnRequest, RequestLapsed, UnknownRequest
from portal import db


@staff_pages.get("/demandes")
def requests() -> str:
    """What other administrators ask for and I may confirm, and what I asked for myself."""
    ids = guards.establishments("administration")
    hospitals = mine()
    counts = queries_staff.administrators(ids)
    return render_template(
        "admin/staff/requests.html",
        requests=queries_staff.requests(ids),
        hospitals={each.id: each for each in hospitals},
        alone=[each for each in hospitals if counts.get(each.id, 0) < 2],
        titles=RIGHT_TITLES,
        me=db.current_actor().account_id,
    )


@staff_pages.post("/demandes/<uuid:request_id>/confirmer")
def confirm_request(request_id: UUID) -> Response:
    """Give a right that another administrator asked for."""
    try:
        request = actions.confirm(request_id)
    except UnknownRequest:
        abort(404)
    except OwnRequest:
        abort(403)
    except RequestLapsed:
        flash(_("This request is no longer valid: ask for the right again if it is still needed."), "info")
    else:
        title = RIGHT_TITLES[request.right]
        flash(_("%(name)s now has this right: %(right)s.", name=request.account.name, right=title), "success")
    return redirect(url_for("admin_staff.requests"), 303)


@staff_pages.post("/demandes/<uuid:request_id>/refuser")
def refuse_request(request_id: UUID) -> Response:
    """Refuse a right that another asked for, or withdraw one's own request."""
    try:
        actions.refuse(request_id)
    except UnknownRequest:
        abort(404)
    flash(_("The request is closed: the right is not given."), "success")
    return redirect(url_for("admin_staff.requests"), 303)
