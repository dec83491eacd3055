"""How long my hospitals keep things: what would go now, since when, what is protected, and the proof of what went."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import IntegerField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange

from auth import guards
from portal import db, retention
from portal.db import session
from portal.establishments import Establishment, establishments
from portal.retention import AlreadyHeld, LegalHold, NotALife, NotHeld, Outcome, Rule
from portal.web.forms import Form, Required
from services.preadmission import queries as preadmissions
from services.preadmission.models import Preadmission

RIGHT = "administration"
pages = guards.staff(
    Blueprint("admin_retention", __name__, url_prefix="/admin/conservation", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]


class LifeForm(Form):
    """How many days."""

    days = IntegerField(_l("Days"), [Required(), NumberRange(1, 3650)])


class HoldForm(Form):
    """Which file, and why."""

    number = StringField(_l("File number"), [Required(), Length(max=20)], description=_l("Such as KT7P-3XBN"))
    reason = TextAreaField(
        _l("Why"), [Required(), Length(max=500)],
        description=_l("A claim, a complaint, a judge’s request: its date and its reference. No health data."),
    )  # fmt: skip


class LiftForm(Form):
    """Why it ends."""

    reason = TextAreaField(_l("Why it may be erased again"), [Required(), Length(max=500)])


@pages.get("")
def overview() -> str:
    """Each rule at each of my hospitals, the files that are protected, and the last proofs."""
    mine = _mine()
    with db.transaction(db.system("retention.look")):
        outcomes = retention.look(db.now(), [each.id for each in mine])
        still_there = retention.not_erased_yet()
    return render_template(
        "admin/retention/overview.html",
        outcomes=_by_hospital(outcomes),
        hospitals=mine,
        holds=retention.holds_at(guards.establishments(RIGHT)),
        proofs=retention.proofs(guards.establishments(RIGHT)),
        titles={each.code: each.title for each in retention.rules()},
        still_there=still_there,
        lives={(each.rule.code, each.establishment_id): _days(each) for each in outcomes},
    )


@pages.route("/<finess>/<code>", methods=["GET", "POST"])
def change(finess: str, code: str) -> Answer:
    """How long one thing is kept at one hospital."""
    hospital = next((each for each in _mine() if each.finess == finess), None) or abort(404)
    rule = _rule(code)
    former = retention.life(rule, hospital.id).days
    form = LifeForm(days=former)
    if form.validate_on_submit():
        try:
            retention.change_life(rule, hospital.id, form.days.data or 0)
        except NotALife:
            words = _("From %(least)s to %(most)s days.", least=rule.least, most=rule.most)
            form.days.errors = [*form.days.errors, words]
        else:
            flash(_("Saved. It applies from the next night on."), "success")
            return redirect(url_for(".overview"), 303)
    page = render_template("admin/retention/change.html", form=form, rule=rule, hospital=hospital, former=former)
    return page, 422 if form.errors else 200


@pages.route("/proteger", methods=["GET", "POST"])
def hold() -> Answer:
    """Protect one file from every erasure."""
    form = HoldForm(number=request.args.get("dossier", ""))
    if form.validate_on_submit():
        try:
            done = _hold(form)
        except AlreadyHeld:
            form.number.errors = [*form.number.errors, _("This file is protected already.")]
        else:
            if done:
                flash(_("The file is protected: nothing of it will be erased."), "success")
                return redirect(url_for(".overview"), 303)
            form.number.errors = [*form.number.errors, _("No file of your hospitals has this number.")]
    return render_template("admin/retention/hold.html", form=form), 422 if form.errors else 200


@pages.route("/protections/<uuid:hold_id>/lever", methods=["GET", "POST"])
def lift(hold_id: UUID) -> Answer:
    """Let a file be erased again."""
    held = retention.hold_at(guards.establishments(RIGHT), hold_id) or abort(404)
    form = LiftForm()
    if form.validate_on_submit():
        try:
            retention.lift(held, (form.reason.data or "").strip())
        except NotHeld:
            flash(_("This protection had ended already."), "info")
        else:
            flash(_("The file follows the usual rules again."), "success")
        return redirect(url_for(".overview"), 303)
    return render_template("admin/retention/lift.html", form=form, held=held), 422 if form.errors else 200


def _hold(form: Any) -> LegalHold | None:
    """An administrator does not read files: the number is looked for as the system, among their hospitals'."""
    mine = guards.establishments(RIGHT)
    with db.transaction(db.system("retention.find")):
        found_id = preadmissions.by_reference(mine, form.number.data or "")
        found = session.get(Preadmission, found_id) if found_id else None
        facts = (found.id, found.establishment_id, found.patient_id, found.reference) if found else None
    if facts is None:
        return None
    subject_id, establishment_id, patient_id, label = facts
    return retention.hold(
        subject_id, establishment_id=establishment_id, object_kind="preadmission", patient_id=patient_id, label=label,
        reason=(form.reason.data or "").strip(),
    )  # fmt: skip


def _mine() -> list[Establishment]:
    return [each for each in establishments() if each.id in guards.establishments(RIGHT)]


def _rule(code: str) -> Rule:
    found = next((each for each in retention.rules() if each.code == code and not each.of_portal), None)
    return found or abort(404)


def _by_hospital(outcomes: Any) -> dict[UUID | None, list[Outcome]]:
    found: dict[UUID | None, list[Outcome]] = {}
    for each in outcomes:
        found.setdefault(each.establishment_id, []).append(each)
    return found


def _days(outcome: Outcome) -> int:
    return (db.now() - outcome.older_than).days
