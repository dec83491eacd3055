"""An agent keeps something from those who act for the patient, from its own page."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.mandates import masking

pages = guards.staff(Blueprint("admin_masking", __name__, url_prefix="/admin/masquage"))


@pages.post("/<code>/<uuid:object_id>")
def change(code: str, object_id: UUID) -> Response:
    """Mask one thing, or show it again; back to its page. The right is that of the room it belongs to."""
    row = masking.one(code, object_id) or abort(404)
    masked = request.form.get("masked") == "1"
    masking.mask(code, row, masked)
    flash(
        _("Kept from those who act for the patient.") if masked else _("Shown again to those who act for the patient."),
        "success",
    )
    endpoint, name = masking.kinds()[code].desk
    where: dict[str, Any] = {name: object_id}
    return redirect(url_for(endpoint, **where), 303)
