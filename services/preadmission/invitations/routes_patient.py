"""The person's page: the code of the letter opens the file that waits for them."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms, tries
from auth.models import Patient
from portal import db
from portal.db import session
from services.preadmission.actions import StayInThePast, UnitNotOpen
from services.preadmission.invitations import actions
from services.preadmission.invitations.actions import CodeRefused
from services.preadmission.invitations.forms import CodeForm

pages = guards.patients(
    Blueprint("stay_invitation", __name__, url_prefix="/pre-admission/invitation", template_folder="templates"),
    "preadmission",
)


@pages.route("", methods=["GET", "POST"])
def show() -> Response | tuple[str, int]:
    """Type the code; whatever is wrong, the answer is the same."""
    held = held_forms.take()
    form = CodeForm(formdata=held) if held else CodeForm()
    if form.validate_on_submit():
        counters = _counters()
        try:
            tries.spend(*counters)
            made = actions.open_(form.code.data or "", session.get_one(Patient, guards.patient_id()))
        except tries.TooManyTries:
            _refuse(form, _("Too many tries: wait ten minutes, or call the admissions office."))
        except (CodeRefused, UnitNotOpen, StayInThePast):
            _refuse(
                form,
                _(
                    "This code does not open a file for you. Check it, and the person for whom you act; it may also"
                    " have expired. The admissions office can send you another one."
                ),
            )
        else:
            tries.succeed(*counters)
            return redirect(url_for("preadmission.show", preadmission_id=made.id), 303)
    return render_template("stay_invitations/code.html", form=form), 422 if form.errors else 200


def _counters() -> tuple[tries.Counter, ...]:
    account_id = db.current_actor().account_id
    assert account_id is not None, "a signed-in person"
    return (
        tries.of_account(account_id, "stay invitation"),
        tries.of_range(request.remote_addr or "", "stay invitation", limit=60),
    )


def _refuse(form: Any, words: str) -> None:
    form.code.errors = [*form.code.errors, words]
