"""Reminders of bills at my hospitals: when they leave, what they say, and what became of them."""

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, held_forms
from portal import calendar, db, establishments
from portal.establishments import Establishment
from services.billing.reminders import actions, mails, queries
from services.billing.reminders.forms import SettingForm
from services.billing.sources import queries as sources

pages = guards.staff(
    Blueprint("admin_bill_reminders", __name__, url_prefix="/admin/factures/rappels", template_folder="templates"),
    right="billing",
)
_COUNTED = timedelta(days=30)


@pages.get("")
def overview() -> str:
    """Each hospital: on or off, when, and what left lately."""
    hospitals = _mine()
    since = {each.id: calendar.civil_day(db.now() - _COUNTED, each.tz) for each in hospitals}
    return render_template(
        "admin/bill_reminders/overview.html",
        hospitals=hospitals,
        settings={each.id: queries.setting(each.id) for each in hospitals},
        counts={each.id: queries.counts(each.id, since[each.id]) for each in hospitals},
    )


@pages.route("/<finess>", methods=["GET", "POST"])
def change(finess: str) -> Response | tuple[str, int]:
    """One hospital's rules, the sources they hold for, and the message as it leaves."""
    hospital = next((each for each in _mine() if each.finess == finess), None) or abort(404)
    held = held_forms.take()
    form = SettingForm(formdata=held) if held else SettingForm(data=SettingForm.as_data(queries.setting(hospital.id)))
    if form.validate_on_submit():
        actions.change_setting(hospital.id, form.values())
        flash(_("Saved. It applies to the next reminders."), "success")
        return redirect(url_for(".change", finess=finess), 303)
    page = render_template(
        "admin/bill_reminders/change.html",
        form=form,
        hospital=hospital,
        sources=sources.sources_at([hospital.id]),
        sample=mails.mail("fr", 1, has_account=True),
    )
    return page, 422 if form.errors else 200


def _mine() -> list[Establishment]:
    held = guards.establishments("billing")
    return [place for place in establishments.establishments() if place.id in held]
