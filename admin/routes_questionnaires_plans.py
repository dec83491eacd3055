"""What is sent by itself: which questionnaire, around what, how many days before or after."""

from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin.forms_questionnaires import PlanForm, days_of, targets
from admin.routes_questionnaires import here, hospitals, pages
from auth import held_forms
from portal.web.repeated_posts import once
from services.questionnaires import occasions, queries
from services.questionnaires.actions import plans as actions
from services.questionnaires.actions.plans import Wish
from services.questionnaires.models import QuestionnairePlan

Answer = str | Response | tuple[str, int]


@pages.get("/envois")
def plans() -> str:
    """Those that send, then those that were stopped."""
    found = queries.plans(here())
    published = {(each.establishment_id, each.code): each.title for each in queries.to_send(here())}
    titles = {(each.establishment_id, each.code): each.title for each in reversed(queries.definitions(here()))}
    return render_template(
        "admin/questionnaires/plans.html",
        plans=found,
        published=published,
        titles=titles,
        abouts=_abouts(),
        several=len(hospitals()) > 1,
    )


def _abouts() -> dict[tuple[str, str], str]:
    """(occasion, about) → its words."""
    found = {}
    for occasion in occasions.every():
        for each in occasion.subjects(list(here())):
            found[occasion.code, each.about] = str(each.title)
    return found


@pages.route("/envois/nouveau", methods=["GET", "POST"])
@once
def new_plan() -> Answer:
    """A new one; it begins with what is due today."""
    held = held_forms.take()
    form = PlanForm(formdata=held) if held else PlanForm()
    form.offer(queries.to_send(here()), targets(hospitals(), queries.units_at(here())))
    if form.validate_on_submit():
        asked = form.codes[form.code.data]
        _establishment, occasion, unit_id, about = form.target.data.split("|", 3)
        actions.add(
            Wish(
                asked.establishment_id,
                asked.code,
                occasion,
                UUID(unit_id),
                about,
                form.offset,
                form.answer_days.data or 1,
                days_of(form.remind_after.data),
            )
        )
        flash(_("From now on it is sent by itself, at 8 in the morning of the day."), "success")
        return redirect(url_for(".plans"), 303)
    page = render_template("admin/questionnaires/new_plan.html", form=form, has_occasions=bool(occasions.every()))
    return page, 422 if form.errors else 200


@pages.post("/envois/<uuid:plan_id>/arreter")
def stop_plan(plan_id: UUID) -> Response:
    actions.stop(_one(plan_id))
    flash(_("Nothing more is sent; what was sent may still be answered."), "success")
    return redirect(url_for(".plans"), 303)


@pages.post("/envois/<uuid:plan_id>/reprendre")
def resume_plan(plan_id: UUID) -> Response:
    actions.resume(_one(plan_id))
    flash(_("It is sent again from now on."), "success")
    return redirect(url_for(".plans"), 303)


def _one(plan_id: UUID) -> QuestionnairePlan:
    return queries.plan_at(plan_id, here()) or abort(404)
