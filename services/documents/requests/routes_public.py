"""The page where anybody checks a certificate of a hospital."""

from flask import Blueprint, make_response, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import guards
from portal import db
from portal.web.limits import limiter
from services.documents.requests import certificate, queries, wording
from services.documents.requests.forms import VerifyForm

pages = guards.public(
    Blueprint("certificates", __name__, url_prefix="/documents/attestations", template_folder="templates")
)


@pages.get("/verifier")
@limiter.limit("20 per minute")
def verify() -> Response:
    """Is it ours? Shows the days and hours printed on it, never whose they are; the same answer whether the number or
    the code is wrong."""
    asked = request.args if "number" in request.args or "code" in request.args else None
    form = VerifyForm(formdata=asked) if asked else VerifyForm(formdata=MultiDict())
    valid = asked is not None and form.validate()
    found = None
    if valid:
        with db.transaction(db.system("documents.verify_certificate")):
            found = queries.certificate_by_code(form.plain_number, form.plain_code)
    page = render_template(
        "record_requests/verify.html", form=form, found=found, asked=valid, words=wording, printed=certificate.printed
    )
    return make_response(page, 422 if asked is not None and not valid else 200)
