"""The door without an identity provider: signing in, and setting up on a one-time link."""

import hashlib
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from auth import assurance, guards, sessions
from auth.account import arrival
from auth.factors import browser, passkeys, sealing, totp, words
from auth.factors.actions import Added, FactorKnown, WrongCode
from auth.factors.forms import PasskeyForm, say
from auth.factors.passkeys import PasskeyCopied, PasskeyRefused
from auth.factors.sealing import Unsealable
from auth.local import actions
from auth.local.actions import LinkRefused, SignInRefused
from auth.local.forms import PasswordSetUpForm, PasswordSignInForm
from auth.models import Account
from auth.records import as_system
from auth.tries import TooManyTries
from portal import db
from portal.web.forms import Form

local_pages = guards.public(Blueprint("local", __name__, template_folder="templates"))
View = Response | str | tuple[str, int]
HOMES = {"patient": "pages.home", "professional": "documents.professional_home", "staff": "admin.dashboard"}
_SECRET_LIFE_S = 1800


# -- signing in ---------------------------------------------------------------------------------------------------


@local_pages.route("/connexion/cle", methods=["GET", "POST"])
def sign_in() -> View:
    """Patients whom a hospital lets in without FranceConnect."""
    if not assurance.rules().local_accounts:
        abort(404)
    return _sign_in_by_passkey("patient")


@local_pages.route("/connexion/cle/mot-de-passe", methods=["GET", "POST"])
def sign_in_by_password() -> View:
    if not assurance.rules().local_accounts:
        abort(404)
    return _sign_in_by_password("patient")


@local_pages.route("/admin/connexion/cle", methods=["GET", "POST"])
def sign_in_staff() -> View:
    """Agents whom no provider knows."""
    return _sign_in_by_passkey("staff")


@local_pages.route("/admin/connexion/cle/mot-de-passe", methods=["GET", "POST"])
def sign_in_staff_by_password() -> View:
    return _sign_in_by_password("staff")


def _sign_in_by_passkey(audience: str) -> View:
    form, waiting = PasskeyForm(), None
    if not browser.site().has_passkeys:
        return browser.go_to(_password_page(audience))
    if form.validate_on_submit():
        answer = form.answer.data or ""
        try:
            with browser.counted(None, "passkey", hashlib.sha256(answer[:100].encode()).hexdigest()):
                challenge = passkeys.challenge_of(form.sealed.data or "", _binding())
                with db.transaction(db.system("auth.local")):
                    account, token = actions.sign_in_by_passkey(browser.site(), answer, challenge, audience)
            return _let_in(account, token)
        except (PasskeyRefused, PasskeyCopied, SignInRefused):
            say(form.answer, _("No account here opens with this passkey. Try again, or use your password"))
        except TooManyTries as refused:
            waiting = refused
    asked = passkeys.ask_to_sign(browser.site(), _binding(), [])
    form.sealed.data, form.answer.data = asked.sealed, ""
    page = {"audience": audience, "password_href": _password_page(audience)}
    return _answer("local/sign_in.html", form, waiting, asked=asked, **page)


def _sign_in_by_password(audience: str) -> View:
    form, waiting = PasswordSignInForm(), None
    if form.validate_on_submit():
        typed = form.login.data or "", form.password.data or "", form.code.data or ""
        try:
            name = actions.one_spelling(typed[0])
            with browser.counted(None, "password", name), db.transaction(db.system("auth.local")):
                account, token = actions.sign_in_by_password(*typed, audience)
            return _let_in(account, token)
        except SignInRefused:
            say(form.login, _("The identifier, the password and the code do not go together"))
        except TooManyTries as refused:
            waiting = refused
    passkey = "local.sign_in" if audience == "patient" else "local.sign_in_staff"
    href = url_for(passkey, next=browser.wanted() or None) if browser.site().has_passkeys else ""
    return _answer("local/sign_in_by_password.html", form, waiting, audience=audience, passkey_href=href)


def _password_page(audience: str) -> str:
    page = "local.sign_in_by_password" if audience == "patient" else "local.sign_in_staff_by_password"
    return url_for(page, next=browser.wanted() or None)


def _let_in(account: Account, token: str, response: Response | None = None) -> Response:
    if former := sessions.signed_in():
        sessions.end(former.session_id)
    answer = response or redirect(browser.wanted() or url_for(HOMES[account.audience]), 303)
    sessions.set_cookie(answer, token)
    arrival.greet(account, answer)
    return answer


# -- setting up ---------------------------------------------------------------------------------------------------


@local_pages.get("/connexion/premiere-fois/<token>")
def set_up(token: str) -> View:
    """The page of the one-time link: two ways to choose from."""
    if (account := _invited(token)) is None:
        return _useless()
    has_passkeys = browser.site().has_passkeys
    return render_template("local/set_up.html", account=account, token=token, has_passkeys=has_passkeys)


@local_pages.route("/connexion/premiere-fois/<token>/cle", methods=["GET", "POST"])
def set_up_passkey(token: str) -> View:
    account = _invited(token)
    if account is None or not browser.site().has_passkeys:
        return _useless()
    form = PasskeyForm()
    if form.validate_on_submit():
        try:
            challenge = passkeys.challenge_of(form.sealed.data or "", _binding())
            made = passkeys.registered(browser.site(), form.answer.data or "", challenge)
            with db.transaction(db.system("auth.local")):
                label = words.passkey_label(request.user_agent.string)
                added = actions.set_up_passkey(token, label, made, challenge)
                session_token = actions.open_first_session(account.id, actions.PASSKEY)
            return _welcome(account, added, session_token)
        except (PasskeyRefused, FactorKnown):
            say(form.answer, _("Your device did not make the passkey. Try again, or choose another way"))
        except LinkRefused:
            return _useless()
    asked = passkeys.ask_to_register(browser.site(), _binding(), account.id, account.name, [])
    form.sealed.data, form.answer.data = asked.sealed, ""
    return _answer("local/set_up_passkey.html", form, asked=asked, token=token)


@local_pages.route("/connexion/premiere-fois/<token>/mot-de-passe", methods=["GET", "POST"])
def set_up_password(token: str) -> View:
    account = _invited(token)
    if account is None:
        return _useless()
    with db.transaction(db.system("auth.local")):
        login = actions.login_of(account)
    form, waiting = PasswordSetUpForm(personal=(account.name, account.email, login)), None
    secret = _secret_shown(form, account)
    if form.validate_on_submit():
        try:
            with browser.counted(account.id, "totp"):
                added, session_token = _set_up_password(account, token, form, secret)
            return _welcome(account, added, session_token)
        except WrongCode:
            say(form.code, _("This is not the code we expected. Is the clock of your telephone right?"))
        except LinkRefused:
            return _useless()
        except TooManyTries as refused:
            waiting = refused
    picture = totp.picture(totp.address(secret, account.name, browser.site().name))
    shown = {"picture": picture, "spelled": totp.spelled(secret), "login": login}
    return _answer("local/set_up_password.html", form, waiting, token=token, **shown)


def _set_up_password(account: Account, token: str, form: PasswordSetUpForm, secret: str) -> tuple[Added, str]:
    with db.transaction(db.system("auth.local")):
        password, code = form.password.data or "", form.code.data or ""
        added = actions.set_up_password(token, password, _("My application"), secret, code)
        return added, actions.open_first_session(account.id, actions.PASSWORD_AND_CODE)


def _welcome(account: Account, added: Added, session_token: str) -> Response:
    """Signed in at once, with the recovery codes, which are shown now and never again."""
    # In the request's own transaction: reading a session of this browser may just have written to its row.
    with as_system("auth.local"):
        actions.end_former_sessions(account.id, session_token)
    home = url_for(HOMES[account.audience])
    page = render_template("factors/sheet.html", sheet=added.sheet, next=home, kind=added.kind)
    return _let_in(account, session_token, make_response(page))


def _invited(token: str) -> Account | None:
    """Whose link this is; None once it is useless."""
    try:
        with db.transaction(db.system("auth.local")):
            return actions.invited(token[:200])
    except LinkRefused:
        return None


def _useless() -> tuple[str, int]:
    """The same page for a link that is unknown, used or too old."""
    return render_template("local/useless.html"), 404


def _secret_shown(form: PasswordSetUpForm, account: Account) -> str:
    """The secret that the page has shown; a new one when there is none, or it is another's or too old."""
    purpose = f"first application {account.id}"
    try:
        return str(sealing.unseal(purpose, form.sealed.data or "", _SECRET_LIFE_S)["secret"])
    except Unsealable:
        secret = totp.new_secret()
        form.sealed.data = sealing.seal(purpose, {"secret": secret}).decode()
        return secret


def _binding() -> str:
    """This browser, by the secret of its form cookie: nobody is signed in yet."""
    generate_csrf()
    return str(cookie["csrf_token"])


def _answer(template: str, form: Form, waiting: TooManyTries | None = None, **more: Any) -> tuple[str, int]:
    page = render_template(template, form=form, waiting=waiting, next=browser.wanted(), **more)
    return page, 429 if waiting else 422 if form.errors else 200
