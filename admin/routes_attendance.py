"""Those who run an emergency department say how it stands: one screen, usable with a thumb."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.forms_attendance import ReportForm
from auth import guards
from portal import db
from services.attendance import RIGHT, actions, queries
from services.attendance.actions import NothingToConfirm
from services.attendance.models import EmergencyDepartment

pages = guards.staff(
    Blueprint("admin_attendance", __name__, url_prefix="/admin/attente-aux-urgences", template_folder="templates"),
    right=RIGHT,
)
Answer = Response | str | tuple[str, int]


@pages.get("")
def overview() -> str:
    """The departments of my hospitals, as the public sees them now."""
    return render_template("admin/attendance/overview.html", departments=queries.at(_here(), db.now()))


@pages.get("/<uuid:department_id>")
def show(department_id: UUID) -> str:
    department = _one(department_id)
    form, last = ReportForm(MultiDict()), queries.last_reading(department)
    form.show(last.told if last else None)
    return _report_page(department, form)


@pages.post("/<uuid:department_id>")
def report(department_id: UUID) -> Answer:
    department, form, now = _one(department_id), ReportForm(), db.now()
    if not form.validate():
        return _report_page(department, form), 422
    actions.report(department, form.told(now), now)
    flash(_("Saved: the public page shows it within a minute."), "success")
    return redirect(url_for(".overview"), 303)


@pages.post("/<uuid:department_id>/toujours-vrai")
def confirm(department_id: UUID) -> Response:
    """What was said last is still true."""
    try:
        actions.confirm(_one(department_id), db.now())
    except NothingToConfirm:
        flash(_("Nothing recent to confirm: say how the department stands."), "warning")
        return redirect(url_for(".show", department_id=department_id), 303)
    flash(_("Confirmed: it is shown as of now."), "success")
    return redirect(url_for(".overview"), 303)


@pages.post("/<uuid:department_id>/retirer")
def withdraw(department_id: UUID) -> Response:
    """Nothing is shown until somebody says something again."""
    actions.withdraw(_one(department_id), db.now())
    flash(_("Withdrawn: the public page says that nothing is available."), "success")
    return redirect(url_for(".overview"), 303)


def _report_page(department: EmergencyDepartment, form: ReportForm) -> str:
    return render_template(
        "admin/attendance/report.html", department=department, form=form, readings=queries.readings(department, 12)
    )


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


def _one(department_id: UUID) -> EmergencyDepartment:
    return queries.department(department_id, _here()) or abort(404)
