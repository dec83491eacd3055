"""Saved views of figures: the agent's own, and those shared at the hospitals they administer."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import figure_view_pages, queries_figures
from admin.figures_chooser import chooser
from admin.forms_figure_views import ShareForm, ViewForm
from auth import guards
from auth.figure_views import actions, queries
from auth.figure_views.actions import NameTaken, TooManyViews
from auth.figure_views.models import FigureView
from portal.web.repeated_posts import once

pages = guards.staff(
    Blueprint("admin_figure_views", __name__, url_prefix="/admin/chiffres/vues", template_folder="templates"),
    right="administration",
)


@pages.get("")
def views() -> str:
    """Every view that the agent may open."""
    start = queries.start()
    return render_template(
        "admin/figures/views.html",
        views=queries.views(guards.establishments("administration")),
        start_id=start.id if start else None,
        pages=figure_view_pages,
    )


@pages.route("/nouvelle", methods=["GET", "POST"])
def new() -> Response | tuple[str, int]:
    """Keep the page that the address names (`page`, `subject`, and its choice) under a name."""
    page, subject = request.args.get("page", "home"), request.args.get("subject", "")
    if not figure_view_pages.is_known(page, subject):
        abort(404)
    form, chosen = ViewForm(), chooser()
    choice = figure_view_pages.choice(page, chosen, request.args)
    form.offer(_hospitals(choice))
    if form.validate_on_submit() and (done := _save(form=form, page=page, subject=subject, choice=choice)):
        answer: Response = done
        return answer
    shown = render_template(
        "admin/figures/view.html", form=form, chooser=chosen,
        back=figure_view_pages.address(FigureView(page=page, subject=subject, choice=choice)),
    )  # fmt: skip
    return shown, 422 if form.errors else 200


@once
def _save(form: ViewForm, page: str, subject: str, choice: Mapping[str, str]) -> Response | None:
    try:
        view = actions.save(form.name.data or "", page, subject, choice, establishment_id=form.place)
    except NameTaken:
        form.name.errors = [_("You have a view of this name: choose another one")]
        return None
    except TooManyViews:
        form.name.errors = [_("You have as many views as anybody may keep: remove one first")]
        return None
    if form.starts.data:
        actions.start_with(view)
    flash(_("The view is saved."), "success")
    return redirect(url_for(".views"), 303)


@pages.route("/<uuid:view_id>/partager", methods=["GET", "POST"])
def share(view_id: UUID) -> Response | tuple[str, int]:
    """Say who may open one of one's own views."""
    view = _own(view_id)
    form = ShareForm(shared_with=str(view.establishment_id or ""))
    form.offer(_hospitals(view.choice))
    if form.validate_on_submit():
        actions.share(view, form.place)
        flash(_("It is said who may open the view."), "success")
        return redirect(url_for(".views"), 303)
    return render_template("admin/figures/share_view.html", form=form, view=view), 422 if form.errors else 200


@pages.post("/<uuid:view_id>/commencer")
def start(view_id: UUID) -> Response:
    """Open one's dashboard with this view, one's own or a shared one."""
    view = queries.view(view_id, guards.establishments("administration")) or abort(404)
    actions.start_with(view)
    flash(_("Your dashboard opens with this view."), "success")
    return redirect(url_for(".views"), 303)


@pages.post("/ne-plus-commencer")
def stop_starting() -> Response:
    """Open one's dashboard with the usual figures again."""
    actions.start_with(None)
    flash(_("Your dashboard opens with the usual figures."), "success")
    return redirect(url_for(".views"), 303)


@pages.post("/<uuid:view_id>/retirer")
def remove(view_id: UUID) -> Response:
    """Forget one of one's own views."""
    actions.remove(_own(view_id))
    flash(_("The view is removed."), "success")
    return redirect(url_for(".views"), 303)


def _own(view_id: UUID) -> FigureView:
    return queries.own_view(view_id) or abort(404)


def _hospitals(choice: Mapping[str, str]) -> dict[UUID, str]:
    """With which hospitals a view may be shared: the one that it shows; any of the agent's when it names none."""
    named = choice.get("establishment", "")
    mine = queries_figures.hospitals(guards.establishments("administration"))
    return {each.id: each.name for each in mine if named in ("", each.finess)}
