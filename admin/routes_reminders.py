"""Reminders of my hospitals: what is sent, when, in which words, and what it changes."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import format_percent
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import queries_figures
from admin.forms_reminders import HospitalForm, ReasonForm
from auth import guards, held_forms
from portal import calendar, db
from portal.establishments import Establishment
from portal.message_texts import telephone
from services.appointments.reminders import actions, mails, queries
from services.appointments.reminders.mails import Line, Words

pages = guards.staff(
    Blueprint("admin_reminders", __name__, url_prefix="/admin/rappels", template_folder="templates"),
    right="appointments",
)
_COUNTED = timedelta(days=30)
_COMPARED = timedelta(days=90)


@pages.get("")
def overview() -> str:
    """Each hospital: on or off, what left lately, and no-shows with and without a reminder."""
    hospitals = _mine()
    return render_template(
        "admin/reminders/overview.html",
        hospitals=hospitals,
        settings={each.id: queries.setting(each.id) for each in hospitals},
        counts={each.id: queries.counts(each.id, _first_day(each, _COUNTED)) for each in hospitals},
        rate=_rate,
        no_shows={each.id: queries.no_shows(each.id, db.now() - _COMPARED) for each in hospitals},
    )


@pages.route("/<finess>", methods=["GET", "POST"])
def change(finess: str) -> Response | tuple[str, int]:
    """The rules of one hospital, its texts, and its reasons."""
    hospital = next((each for each in _mine() if each.finess == finess), None) or abort(404)
    held, former = held_forms.take(), queries.setting(hospital.id)
    hours = {name: str(getattr(former, name)) for name in ("send_at", "quiet_from", "quiet_until")}
    shown = HospitalForm.as_data(former) | hours | {"says": former.says}
    form = HospitalForm(formdata=held) if held else HospitalForm(data=shown)
    if form.validate_on_submit():
        actions.change_setting(hospital.id, form.values())
        flash(_("Saved. It applies to the next reminders."), "success")
        return redirect(url_for(".change", finess=finess), 303)
    page = render_template(
        "admin/reminders/change.html",
        form=form,
        hospital=hospital,
        samples=_samples(hospital, former.says),
        reasons=queries.reasons_at(hospital.id),
    )
    return page, 422 if form.errors else 200


@pages.route("/motif/<uuid:reason_id>", methods=["GET", "POST"])
def change_reason(reason_id: UUID) -> Response | tuple[str, int]:
    """The rules of one reason."""
    reason = queries.reason_at(reason_id, guards.establishments("appointments")) or abort(404)
    own = next((own for each, own in queries.reasons_at(reason.establishment_id) if each.id == reason.id), None)
    held = held_forms.take()
    kind = "hospital" if own is None else "own" if own.is_on else "off"
    shown = ReasonForm.as_data(own or queries.setting(reason.establishment_id)) | {"kind": kind}
    form = ReasonForm(formdata=held) if held else ReasonForm(data=shown)
    if form.validate_on_submit():
        actions.change_policy(reason, form.values())
        flash(_("Saved. It applies to the next reminders."), "success")
        return redirect(url_for(".change", finess=reason.establishment.finess), 303)
    page = render_template("admin/reminders/reason.html", form=form, reason=reason)
    return page, 422 if form.errors else 200


def _rate(part: int, whole: int) -> str:
    """`4,2 %`; a dash when there is nothing to count."""
    return str(format_percent(part / whole, "0.0 %")) if whole else "–"


def _samples(hospital: Establishment, says: str) -> list[tuple[str, Words, int]]:
    """(language, words, parts) of messages about a fictional visit, as they would leave."""
    day = calendar.civil_day(db.now(), hospital.tz) + timedelta(days=1)
    at = datetime.combine(day, time(9, 30), hospital.tz)
    link = "/rendez-vous/lien/" + "x" * 22
    line = Line(at, hospital.tz, hospital.name, hospital.short_name or hospital.name, says, link)
    found = []
    for locale in ("fr", "en"):
        mail = mails.mail([line], has_account=True, locale=locale)
        text = mails.text([line], has_account=True, locale=locale)
        found += [(locale, mail, 0), (locale, text, telephone.parts(text.text))]
    return found


def _first_day(hospital: Establishment, ago: timedelta) -> date:
    return calendar.civil_day(db.now() - ago, hospital.tz)


def _mine() -> list[Establishment]:
    return list(queries_figures.hospitals(guards.establishments("appointments")))
