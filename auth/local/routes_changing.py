"""My password, for those who have one."""

from flask import Blueprint, abort, flash, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import guards, sessions
from auth.factors import browser
from auth.factors.actions import WrongCode
from auth.factors.forms import say
from auth.factors.routes import prove_first
from auth.local import changing
from auth.local.forms import PasswordChangeForm
from auth.tries import TooManyTries

password_pages = guards.signed_in(
    Blueprint("password", __name__, url_prefix="/mon-compte/mot-de-passe", template_folder="templates")
)


@password_pages.route("", methods=["GET", "POST"])
def change() -> Response | tuple[str, int]:
    """Choose another one: with the former one, and a proof of less than five minutes."""
    account, waiting = browser.me(), None
    kept = changing.password_of(account.id) or abort(404)
    if stale := prove_first():
        return stale
    form = PasswordChangeForm(personal=(account.name, account.email, kept.login))
    if form.validate_on_submit():
        try:
            with browser.counted(account.id, "password"):
                session_id = browser.current().session_id
                changing.change_password(account, session_id, form.former.data or "", form.password.data or "")
            return _changed()
        except WrongCode:
            say(form.former, _("This is not the password that you have now"))
        except TooManyTries as refused:
            waiting = refused
    page = render_template("local/change_password.html", form=form, waiting=waiting, login=kept.login)
    return page, 429 if waiting else 422 if form.errors else 200


def _changed() -> Response:
    flash(_("Your password is changed, and your other sessions are closed. We told you by mail."), "success")
    answer = browser.go_to(url_for("factors.show"))
    sessions.set_cookie(answer, sessions.renew())
    return answer
