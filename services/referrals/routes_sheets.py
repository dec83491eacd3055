"""The sheet for the patient, printed by the practitioner."""

from uuid import UUID

from flask import Blueprint, abort
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from portal import audit
from portal.web.downloads import made_response
from services.referrals import queries, sheets
from services.referrals.models import Referral

pages = guards.professionals(Blueprint("referral_sheets", __name__, url_prefix="/pro/orientations"))


@pages.get("/<uuid:referral_id>/information.pdf")
def information(referral_id: UUID) -> Response:
    """What the patient is told, to be handed over. Writes down that it was printed."""
    referral = queries.one_sent_by(guards.professional_id(), referral_id) or abort(404)
    made = sheets.inform(referral)
    _record(referral)
    return made_response(made, _("information-%(reference)s.pdf", reference=referral.reference))


def _record(referral: Referral) -> None:
    target = referral.current
    audit.record(
        "referral.sheet_made",
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
    )
