"""The settings of a hospital: what each does, what it holds, who changed it, and how to go back; pages of the
hospitals' blueprint."""

from itertools import groupby
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import actions_hospitals as actions
from admin import hospital_words as words
from admin import queries_hospitals as queries
from admin import settings_catalogue as catalogue
from admin.actions_hospitals import SecretForgotten
from admin.forms_settings import form_of
from admin.routes_hospitals import Answer, hospital_of, pages
from admin.settings_catalogue import Setting
from auth import held_forms
from portal import db, establishments
from portal.establishments import Establishment, EstablishmentSetting

_LATEST = 20


@pages.get("/<finess>/reglages")
def settings(finess: str) -> Answer:
    """Every setting, by group, with what the hospital chose, and the latest changes."""
    hospital = hospital_of(finess)
    own = queries.own_settings(hospital.id)
    known = {**catalogue.every(), **{key: found for key in own if (found := catalogue.find(key, is_set=True))}}
    listed = [(each, own.get(each.key)) for each in sorted(known.values(), key=_rank)]
    return render_template(
        "admin/hospitals/settings.html",
        hospital=hospital,
        groups=[(group, list(rows)) for group, rows in groupby(listed, lambda row: row[0].group)],
        titles=catalogue.GROUPS,
        history=establishments.history(hospital.id, limit=_LATEST),
        known=known,
    )


def _rank(setting: Setting) -> int:
    return list(catalogue.GROUPS).index(setting.group)


@pages.route("/<finess>/reglages/<key>", methods=["GET", "POST"])
def setting(finess: str, key: str) -> Answer:
    """One setting: its value, its help, its history."""
    hospital = hospital_of(finess)
    row = queries.own_settings(hospital.id).get(key)
    declared = catalogue.find(key, is_set=row is not None) or abort(404)
    held = held_forms.take()
    kind = form_of(declared)
    form: Any = kind(formdata=held) if held else kind(data={"value": row.opened if row and not row.secret else ""})
    if form.validate_on_submit():
        if not _may_choose(hospital, declared):
            abort(404)
        if _chosen(hospital, declared, form, row):
            flash(_("Saved. It applies at once."), "success")
            return redirect(url_for(".settings", finess=finess, _anchor=declared.group), 303)
    page = render_template(
        "admin/hospitals/setting.html",
        hospital=hospital, setting=declared, row=row, form=form,
        page_href=words.page_of(declared.page) if declared.page else "",
        history=establishments.history(hospital.id, key),
        may_choose=_may_choose(hospital, declared),
        may_undo=_may_undo(hospital, declared),
    )  # fmt: skip
    return (page, 422) if form.errors else page


def _chosen(hospital: Establishment, declared: Setting, form: Any, row: EstablishmentSetting | None) -> bool:
    """Whether it could be kept; otherwise the form says why."""
    value = form.value.data or None
    if value == (row.opened if row else None):
        return True
    try:
        actions.choose(hospital, declared.key, value, secret=declared.secret)
    except ValueError as error:
        form.value.errors = [_("This value would not be obeyed: %(why)s", why=str(error))]
        return False
    return True


@pages.post("/<finess>/reglages/<key>/revenir/<uuid:change_id>")
def undo(finess: str, key: str, change_id: UUID) -> Response:
    """Let a setting be what it was before a change."""
    hospital = hospital_of(finess)
    change = queries.setting_change(change_id, hospital.id, key) or abort(404)
    declared = catalogue.find(key, is_set=True) or abort(404)
    if not _may_undo(hospital, declared):
        abort(404)
    try:
        actions.undo(hospital, change)
    except SecretForgotten:
        flash(_("A secret is in no history: write it again."), "danger")
    except ValueError as error:
        flash(_("This value would not be obeyed: %(why)s", why=str(error)), "danger")
    else:
        flash(_("The former value is back."), "success")
    return redirect(url_for(".setting", finess=finess, key=key), 303)


def _may_choose(hospital: Establishment, declared: Setting) -> bool:
    """Here, and not on a page of its own; where money goes is not chosen by an administrator alone."""
    if declared.page or declared.group == "other":
        return False
    return declared.group != "bills" or db.current_actor().may("billing", hospital.id)


def _may_undo(hospital: Establishment, declared: Setting) -> bool:
    """What leads payments is chosen with its agreement alone; what another page chooses, by those who may open it."""
    if declared.group == "bills" and not db.current_actor().may("billing", hospital.id):
        return False
    if declared.secret or declared.page == "admin_stripe.hospitals":
        return False
    return not declared.page or bool(words.page_of(declared.page))
