"""The receipt to keep, for whoever sent the file; and the page where anybody checks one."""

from uuid import UUID

from flask import Blueprint, Response, abort, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import Length

from auth import guards, tries
from portal import db
from portal.web.downloads import made_response
from portal.web.forms import Form, Required
from portal.web.limits import limiter
from services.pieces import queries as piece_queries
from services.preadmission import asked, queries, steps
from services.preadmission.delays import queries as delays
from services.preadmission.receipts import document
from services.preadmission.receipts import queries as receipts

pages = guards.patients(
    Blueprint("preadmission_receipt", __name__, url_prefix="/pre-admission", template_folder="templates"),
    "preadmission",
)
checks = guards.public(
    Blueprint("receipt_check", __name__, url_prefix=document.PATH, template_folder="templates"),
)  # fmt: skip
_PER_RANGE = 40


class CheckForm(Form):
    """What is printed on a receipt."""

    number = StringField(_l("File number"), [Required(), Length(max=20)], description=_l("Such as KT7P-3XBN"))
    code = StringField(_l("Code"), [Required(), Length(max=20)], description=_l("Ten signs, under the number"))


@pages.get("/<uuid:preadmission_id>/accuse-de-reception.pdf")
def download(preadmission_id: UUID) -> Response:
    """The receipt, with the documents as they are today and what was answered."""
    file = queries.one_of_patient(guards.patient_id(), preadmission_id) or abort(404)
    if file.submitted_at is None or file.state == "purged":
        abort(404)
    told = steps.told_of(asked.sent(queries.facts(file)))
    made = document.write(file, piece_queries.of_folder(file.id), delays.usual(file.establishment_id), told)
    return made_response(made, f"{_('receipt')}-{file.reference}.pdf")


@checks.route("", methods=["GET", "POST"])
@limiter.limit("30 per minute")
def check() -> tuple[str, int]:
    """Number and code → when and by whom it was received, and nothing of whom it is about."""
    form, found = CheckForm(), None
    if form.validate_on_submit():
        counter = tries.of_range(request.remote_addr or "", "receipt", limit=_PER_RANGE)
        try:
            tries.spend(counter)
        except tries.TooManyTries:
            form.code.errors = [*form.code.errors, _("Too many tries from here: wait ten minutes.")]
        else:
            with db.transaction(db.system("receipts.check")):
                found = receipts.issued(form.number.data or "", form.code.data or "")
            if found is None:
                form.code.errors = [*form.code.errors, _("No receipt of ours has this number and this code.")]
    return render_template("receipts/check.html", form=form, found=found), 422 if form.errors else 200
