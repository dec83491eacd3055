"""My reminders: whether, and how discreetly."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from auth.contact import queries as contact
from portal import db
from services.appointments.reminders import actions, queries
from services.appointments.reminders.forms import DISCREET, NONE, USUAL, ChoiceForm
from services.appointments.reminders.models import ReminderChoice

pages = guards.patients(
    Blueprint("reminder_choice", __name__, url_prefix="/rendez-vous/rappels", template_folder="templates"), "account"
)


@pages.route("", methods=["GET", "POST"])
def show() -> Response | tuple[str, int]:
    """What I want, and where messages go."""
    held, former = held_forms.take(), queries.choice(db.current_actor().account_id)
    form = ChoiceForm(formdata=held) if held else ChoiceForm(how=_as_choice(former))
    if form.validate_on_submit():
        actions.choose(wanted=form.how.data != NONE, discreet=form.how.data == DISCREET)
        flash(_("Your choice is kept."), "success")
        return redirect(url_for(".show"), 303)
    page = render_template("reminders/choice.html", form=form, contact=contact.mine())
    return page, 422 if form.errors else 200


def _as_choice(former: ReminderChoice) -> str:
    if not former.wanted:
        return NONE
    return DISCREET if former.discreet else USUAL
