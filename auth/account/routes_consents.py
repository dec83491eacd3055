"""What I agreed to, in which version; and the page that asks, between the sign-in and the first page."""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.account import actions, arrival, queries, texts
from auth.account.actions.consents import UnknownConsent
from auth.account.forms import agreement_form
from auth.account.texts import Text
from auth.addresses import inside

consent_pages = guards.signed_in(
    Blueprint("account_consents", __name__, url_prefix="/mon-compte/consentements", template_folder="templates")
)


@consent_pages.get("")
def consents() -> str:
    """Every agreement, with its version, withdrawn ones included; and what waits for one."""
    return render_template(
        "account/consents.html",
        consents=queries.consents(),
        due=queries.texts_due(queries.own_account()),
        find=texts.find,
    )


@consent_pages.get("/<any(terms, charter):kind>/<string:version>")
def text(kind: str, version: str) -> str:
    """One version of one text."""
    return render_template("account/text.html", text=texts.find(kind, version) or abort(404))


@consent_pages.route("/accepter", methods=["GET", "POST"])
def agree() -> Response | tuple[str, int]:
    """The texts that wait for this person's agreement; `next`: where they were going."""
    due = queries.texts_due(queries.own_account())
    wanted = inside(request.args.get("next", "")) or url_for("account.show")
    if not due:
        arrival.ask_again(False)
        return redirect(wanted, 303)
    form = agreement_form(due)
    if form.validate_on_submit():
        _accept(due)
        arrival.ask_again(False)
        return redirect(wanted, 303)
    page = render_template("account/agree.html", form=form, due=due)
    return page, 422 if form.is_submitted() else 200


def _accept(due: Sequence[Text]) -> None:
    current = sessions.signed_in() or abort(403)
    evidence = {"session": str(current.session_id), "provider": current.provider, "acr": current.acr}
    for each in due:
        actions.accept(each, str(get_locale() or "fr"), **evidence)


@consent_pages.post("/<uuid:consent_id>/retirer")
def withdraw(consent_id: UUID) -> Response:
    """Take an agreement back."""
    try:
        consent = actions.withdraw_consent(consent_id)
    except UnknownConsent:
        abort(404)
    found = texts.find(consent.kind, consent.version)
    if found and found in queries.texts_due(queries.own_account()):
        arrival.ask_again(True)
    flash(_("Your agreement is withdrawn, and its date is kept."), "success")
    return redirect(url_for("account_consents.consents"), 303)
