"""The person keeps something of theirs from those who act for them, from its own page."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.mandates import masking

pages = guards.patients(Blueprint("masking", __name__, url_prefix="/mon-compte/masquage"), "account")


@pages.post("/<code>/<uuid:object_id>")
def change(code: str, object_id: UUID) -> Response:
    """Mask one thing, or show it again; back to its page."""
    row = masking.one(code, object_id) or abort(404)
    masked = request.form.get("masked") == "1"
    masking.mask(code, row, masked)
    flash(
        _("Done: those who act for you do not see it.") if masked else _("Done: those who act for you see it again."),
        "success",
    )
    endpoint, name = masking.kinds()[code].page
    where: dict[str, Any] = {name: object_id}
    return redirect(url_for(endpoint, **where), 303)
