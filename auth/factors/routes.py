"""My second factors: what I have, adding one, renaming, removing, the sheet of recovery codes, the desk's code."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, render_template, request, url_for
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


def prove_first() -> Response | None:
    """Whoever has found a session open must not change how its owner comes in: a proof of less than five minutes."""
    here = browser.current()
    if actions.was_proven_lately(here.account_id, here.session_id):
        return None
    return browser.go_to(url_for("verification.prove", next=request.path))
