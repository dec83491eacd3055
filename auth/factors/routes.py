"""My second factors: what I have, adding one, renaming, removing, the sheet of recovery codes, the desk's code."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards
from auth.factors import actions, browser, queries
from auth.factors.forms import ConfirmForm, LabelForm
from auth.factors.models import Factor
from auth.factors.words import KIND_TITLES
from portal.web.forms import Form

factor_pages = guards.signed_in(
    Blueprint("factors", __name__, url_prefix="/mon-compte/securite", template_folder="templates")
)
View = Response | str | tuple[str, int]


@factor_pages.get("")
def show() -> str:
    """What one has, and what one may do with it."""
    account_id = browser.current().account_id
    return render_template(
        "factors/list.html",
        factors=queries.factors(account_id),
        codes_left=actions.codes_left(account_id),
        kinds=KIND_TITLES,
    )


@factor_pages.route("/<uuid:factor_id>/nom", methods=["GET", "POST"])
def rename(factor_id: UUID) -> View:
    """Call a factor otherwise."""
    factor = _mine(factor_id)
    if stale := prove_first():
        return stale
    form = LabelForm(label=factor.label)
    if form.validate_on_submit():
        actions.rename(factor, (form.label.data or "").strip())
        flash(_("The name is changed."), "success")
        return browser.go_to(url_for("factors.show"))
    return _answer("factors/rename.html", form, factor=factor, kinds=KIND_TITLES)


@factor_pages.route("/<uuid:factor_id>/retirer", methods=["GET", "POST"])
def remove(factor_id: UUID) -> View:
    """Remove a factor, after saying what that entails."""
    factor = _mine(factor_id)
    if stale := prove_first():
        return stale
    form = ConfirmForm()
    if form.validate_on_submit():
        actions.remove(browser.me(), factor)
        flash(_("It is removed. We told you by mail."), "success")
        return browser.go_to(url_for("factors.show"))
    is_last = len(queries.factors(factor.account_id)) == 1
    return _answer("factors/remove.html", form, factor=factor, is_last=is_last, kinds=KIND_TITLES)


@factor_pages.route("/codes", methods=["GET", "POST"])
def renew_sheet() -> View:
    """Make ten new recovery codes and show them, once."""
    if not queries.factors(browser.current().account_id):
        return browser.go_to(url_for("factors.choose"))
    if stale := prove_first():
        return stale
    form = ConfirmForm()
    if form.validate_on_submit():
        return render_template("factors/sheet.html", sheet=actions.renew_sheet(browser.me()), next=None, kind="")
    left = actions.codes_left(browser.current().account_id)
    return _answer("factors/renew_sheet.html", form, codes_left=left)


def _answer(template: str, form: Form, **more: Any) -> tuple[str, int]:
    return render_template(template, form=form, **more), 422 if form.errors else 200


def _mine(factor_id: UUID) -> Factor:
    return queries.factor(browser.current().account_id, factor_id) or abort(404)


def prove_first(life: timedelta = actions.FRESH, page: str = "") -> Response | None:
    """Whoever has found a session open must not change how its owner comes in, or is reached: a proof of less than
    `life`, or a new sign-in for those who have no factor of ours. page: where one comes back to, if not here."""
    here, page = browser.current(), page or request.path
    if actions.was_proven_lately(here.account_id, here.session_id, life):
        return None
    if queries.factors(here.account_id):
        return browser.go_to(url_for("verification.prove", next=page))
    return sign_in_again_after(life, page)


def prove_before_a_grave_act(page: str = "") -> Response | None:
    """The same, before what is grave for others: ten minutes when its form is asked for, twenty when it is sent."""
    return prove_first(actions.GRAVE if request.method == "GET" else 2 * actions.GRAVE, page)


def sign_in_again_after(life: timedelta, page: str = "") -> Response | None:
    """The page that leads back to where the person signs in, unless they did so less than `life` ago."""
    if actions.came_in_lately(browser.current().session_id, life):
        return None
    here = request.full_path.rstrip("?") if request.method == "GET" else request.path
    if again := browser.way_back_in(page or here):
        return make_response(render_template("factors/sign_in_again.html", again=again))
    return browser.go_to(url_for("factors.choose", next=page or request.path)) if _is_elsewhere() else None


def _is_elsewhere() -> bool:
    """Whether this is another page than those where a first factor is chosen."""
    return not (request.endpoint or "").startswith("factors.")
