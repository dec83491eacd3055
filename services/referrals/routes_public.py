"""Objecting without an account, with the sheet that the practitioner gave: a reference and a birth date.

The answer is the same whatever exists. Who knows both may stop a request: both sides are told, and the practitioner
can send it again.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField, ValidationError
from wtforms.validators import InputRequired, Length, Optional

from auth import guards, tries
from portal.web.fields import DateParts, choices
from portal.web.forms import Form, Required
from portal.web.limits import limiter
from services.referrals import objecting, patient_words

pages = guards.public(
    Blueprint("referral_objections", __name__, url_prefix="/orientations/opposition", template_folder="templates")
)
Answer = str | Response | tuple[str, int]


class SheetForm(Form):
    """What the sheet says."""

    reference = StringField(
        _l("Reference on the sheet"), [Required(_l("Write the reference.")), Length(max=20)],
        description=_l("Eight letters and digits, such as BCDF-2345"),
    )  # fmt: skip
    birth_on = DateParts(_l("Date of birth"), validators=[InputRequired(_l("Write the date of birth."))])
    reason = RadioField(
        _l("Why? You need not say"), [Optional()],
        choices=choices([*patient_words.WHY.items(), ("", _l("I would rather not say"))]), default="",
    )  # fmt: skip

    def validate_reference(self, field: StringField) -> None:
        if not objecting.plain(field.data or ""):
            raise ValidationError(_("A reference has eight letters and digits."))


@pages.route("", methods=["GET", "POST"])
@limiter.limit("30 per hour", methods=["POST"])
def ask() -> Answer:
    """The reference and the birth date."""
    form = SheetForm()
    if form.validate_on_submit() and _tried(form):
        return redirect(url_for(".done"), 303)
    page = render_template("referrals/patient/by_reference.html", form=form)
    return (page, 422) if form.errors else page


def _tried(form: SheetForm) -> bool:
    reference = objecting.plain(form.reference.data or "")
    counters = (
        tries.of_name(reference, "referral objection"),
        tries.of_range(request.remote_addr or "", "referral objection"),
    )
    try:
        tries.spend(*counters)
    except tries.TooManyTries:
        form.reference.errors = [_("Too many tries: wait ten minutes, or call the unit.")]
        return False
    assert form.birth_on.data is not None, "validated"
    objecting.object_by_reference(reference, form.birth_on.data, form.reason.data or "")
    return True


@pages.get("/envoyee")
def done() -> str:
    """What happens now, whatever was typed."""
    return render_template("referrals/patient/objected.html")
