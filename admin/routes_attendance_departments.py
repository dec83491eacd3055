"""Emergency departments, for those who administer a hospital: described, published, removed."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from admin.forms_attendance import DepartmentForm
from auth import guards
from portal import db
from portal.establishments import Unit
from portal.web.repeated_posts import once
from services.attendance import actions, queries
from services.attendance.actions import CodeTaken
from services.attendance.models import EmergencyDepartment

RIGHT = "administration"
pages = guards.staff(
    Blueprint(
        "admin_attendance_departments", __name__, url_prefix="/admin/services-d-urgences", template_folder="templates"
    ),
    right=RIGHT,
)
Answer = Response | str | tuple[str, int]


@pages.get("")
def departments() -> str:
    found = queries.at(_here(), db.now())
    hospitals = {each.department.establishment.finess: each.department.establishment.name for each in found}
    return render_template("admin/attendance/departments.html", departments=found, hospitals=hospitals)


@pages.get("/ajouter")
def new() -> str:
    form = DepartmentForm(MultiDict())
    _offer(form)
    return _form_page(form)


@pages.post("/ajouter")
@once
def add() -> Answer:
    form = DepartmentForm()
    units = _offer(form)
    if not form.validate():
        return _form_page(form), 422
    try:
        actions.add_department(units[form.unit.data], form.described)
    except CodeTaken:
        return _code_taken(form)
    flash(_("The department is described. Those who may enter its waiting time find it in their menu."), "success")
    return redirect(url_for(".departments"), 303)


@pages.get("/<uuid:department_id>")
def show(department_id: UUID) -> str:
    department, form = _one(department_id), DepartmentForm(MultiDict())
    _offer(form, department)
    form.show(department)
    return _form_page(form, department)


@pages.post("/<uuid:department_id>")
@once
def change(department_id: UUID) -> Answer:
    department, form = _one(department_id), DepartmentForm()
    units = _offer(form, department)
    if not form.validate():
        return _form_page(form, department), 422
    try:
        actions.change_department(department, units[form.unit.data], form.described)
    except CodeTaken:
        return _code_taken(form, department)
    flash(_("Saved."), "success")
    return redirect(url_for(".departments"), 303)


@pages.post("/<uuid:department_id>/supprimer")
def remove(department_id: UUID) -> Response:
    actions.remove_department(_one(department_id))
    flash(_("The department is removed."), "success")
    return redirect(url_for(".departments"), 303)


def _code_taken(form: DepartmentForm, department: EmergencyDepartment | None = None) -> tuple[str, int]:
    form.code.errors = [_("Another department of this hospital has this code")]
    return _form_page(form, department), 409


def _form_page(form: DepartmentForm, department: EmergencyDepartment | None = None) -> str:
    return render_template("admin/attendance/department.html", form=form, department=department)


def _offer(form: DepartmentForm, department: EmergencyDepartment | None = None) -> dict[str, Unit]:
    """Units that may be chosen: those of the department's hospital, or of all mine for a new one."""
    places = {department.establishment_id} if department else _here()
    units = queries.units(places)
    form.offer(units, several=len(places) > 1)
    return {str(each.id): each for each in units}


def _here() -> frozenset[UUID]:
    return guards.establishments(RIGHT)


def _one(department_id: UUID) -> EmergencyDepartment:
    return queries.department(department_id, _here()) or abort(404)
