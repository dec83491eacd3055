"""The address at the end of a shared mail: whoever reads it may have it stop, without signing in."""

from uuid import UUID

from flask import Blueprint, abort, render_template, request

from auth import guards
from auth.digests import actions, mails
from auth.digests.models import DigestAddress
from portal import db
from portal.web.limits import limiter

pages = guards.public(
    Blueprint("digest_stops", __name__, url_prefix="/nouvelles/arreter-la-liste", template_folder="templates")
)


@pages.route("/<uuid:address_id>/<token>", methods=["GET", "POST"])
@limiter.limit("60 per hour")
def stop(address_id: UUID, token: str) -> str:
    """Looking at it stops nothing: mail programs look too."""
    if not mails.is_token(address_id, token):
        abort(404)
    with db.transaction(db.system("digests.stop")) as current:
        found = current.get(DigestAddress, address_id) or abort(404)
        if request.method == "POST":
            actions.stop_address(found)
        is_done = found.stopped_at is not None
    return render_template("digests/stop.html", is_done=is_done)
