"""Adding a second factor, and the code of the hospital's desk for whoever lost theirs."""

from typing import Any

from flask import abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import assurance
from auth.account.actions import close_other_sessions
from auth.factors import actions, browser, codes, desk, passkeys, queries, sealing, totp, words
from auth.factors.actions import Added, CodeExpired, FactorKnown, WrongCode
from auth.factors.forms import ApplicationForm, CodeForm, ConfirmForm, DeskForm, PasskeyForm, PhoneForm, mobile_of, say
from auth.factors.passkeys import PasskeyRefused
from auth.factors.routes import View, factor_pages, prove_first, sign_in_again_after
from auth.factors.sealing import Unsealable
from auth.tries import TooManyTries
from portal.web.forms import Form

_SECRET_LIFE_S = 1800


@factor_pages.get("/ajouter")
def choose() -> View:
    """Which second factor: said for somebody who never heard the word."""
    if stale := _prove_first():
        return stale
    return render_template(
        "factors/choose.html",
        is_first=not queries.factors(browser.current().account_id),
        has_passkeys=browser.site().has_passkeys,
        has_text_messages=browser.has_text_messages(),
        has_mail_codes=_has_mail_codes(),
        next=browser.wanted() or None,
    )


@factor_pages.route("/ajouter/cle", methods=["GET", "POST"])
def add_passkey() -> View:
    """A passkey of this telephone, this computer or a security key."""
    if not browser.site().has_passkeys:
        abort(404)
    if stale := _prove_first():
        return stale
    form, account, binding = PasskeyForm(), browser.me(), str(browser.current().session_id)
    if form.validate_on_submit():
        try:
            challenge = passkeys.challenge_of(form.sealed.data or "", binding)
            made = passkeys.registered(browser.site(), form.answer.data or "", challenge)
            label = words.passkey_label(request.user_agent.string)
            return _welcome(actions.add_passkey(account, label, made, challenge))
        except PasskeyRefused:
            say(form.answer, _("Your device did not make the passkey. Try again, or choose another way"))
        except FactorKnown:
            say(form.answer, _("This passkey is in your list already"))
    known = [each.credential_id for each in queries.factors(account.id) if each.credential_id]
    asked = passkeys.ask_to_register(browser.site(), binding, account.id, account.name, known)
    form.sealed.data, form.answer.data = asked.sealed, ""
    return _answer("factors/add_passkey.html", form, asked=asked)


@factor_pages.route("/ajouter/application", methods=["GET", "POST"])
def add_application() -> View:
    """An application that gives codes. Its secret waits in the page, sealed, until a first code proves it."""
    if stale := _prove_first():
        return stale
    form, account, waiting = ApplicationForm(), browser.me(), None
    secret = _secret_shown(form)
    if form.validate_on_submit():
        try:
            with browser.counted(account.id, "totp"):
                return _welcome(actions.add_totp(account, _("My application"), secret, form.code.data or ""))
        except WrongCode:
            say(form.code, _("This is not the code we expected. Is the clock of your telephone right?"))
        except TooManyTries as refused:
            waiting = refused
    address = totp.address(secret, account.name, browser.site().name)
    picture, spelled = totp.picture(address), totp.spelled(secret)
    return _answer("factors/add_application.html", form, picture=picture, spelled=spelled, waiting=waiting)


@factor_pages.route("/ajouter/telephone", methods=["GET", "POST"])
def add_phone() -> View:
    """A mobile that receives codes by text message."""
    if not browser.has_text_messages():
        abort(404)
    if stale := _prove_first():
        return stale
    form, waiting = PhoneForm(), None
    if form.validate_on_submit():
        try:
            return _send("sms", mobile_of(form.number.data or "") or abort(400))
        except TooManyTries as refused:
            waiting = refused
    return _answer("factors/add_phone.html", form, waiting=waiting)


@factor_pages.route("/ajouter/courriel", methods=["GET", "POST"])
def add_address() -> View:
    """The account's mail address, where the hospitals have allowed it."""
    account, form, waiting = browser.me(), ConfirmForm(), None
    if not _has_mail_codes() or not account.email:
        abort(404)
    if stale := _prove_first():
        return stale
    if form.validate_on_submit():
        try:
            return _send("mail", account.email)
        except TooManyTries as refused:
            waiting = refused
    return _answer("factors/add_address.html", form, address=account.email, waiting=waiting)


@factor_pages.route("/ajouter/code", methods=["GET", "POST"])
def confirm_sent() -> View:
    """The code that the new telephone or address has received."""
    here, form, waiting = browser.current(), CodeForm(), None
    challenge = queries.open_code(here.session_id)
    if challenge is None or challenge.factor_id is not None:
        flash(_("This code is too old: ask for a new one."), "info")
        return browser.go_to(url_for("factors.choose", next=browser.wanted() or None))
    kind, to = challenge.kind, codes.readable_number(queries.what_was_sent(challenge)["to"])
    if form.validate_on_submit():
        try:
            with browser.counted(here.account_id, kind):
                return _welcome(actions.add_sent(browser.me(), here.session_id, form.code.data or ""))
        except (WrongCode, CodeExpired):
            say(form.code, _("This is not the code we sent. Check it, or ask for a new one"))
        except FactorKnown:
            say(form.code, _("This number or address is in your list already"))
        except TooManyTries as refused:
            waiting = refused
    shown = browser.shown_in_demonstration(kind)
    return _answer("factors/confirm_sent.html", form, kind=kind, to=to, waiting=waiting, in_demonstration=shown)


@factor_pages.route("/code-du-guichet", methods=["GET", "POST"])
def use_desk_code() -> View:
    """Lost everything: the code printed at the hospital's desk removes the factors, to choose others."""
    form, account, waiting = DeskForm(), browser.me(), None
    if form.validate_on_submit():
        try:
            with browser.counted(account.id, "desk"):
                desk.use(account, form.code.data or "")
                close_other_sessions(browser.current().session_id)  # whoever has the lost telephone may be inside
            flash(_("Your former ways are removed. Choose a new one now."), "success")
            return browser.elevated("desk", browser.go_to(url_for("factors.choose", next=browser.wanted() or None)))
        except WrongCode:
            say(form.code, _("This code is not valid, or no longer: ask the agent for another one"))
        except TooManyTries as refused:
            waiting = refused
    return _answer("factors/desk_code.html", form, waiting=waiting)


def _welcome(added: Added) -> Response:
    """A first factor comes with the recovery codes, shown now and never again; the session is elevated."""
    kind, wanted = added.kind, browser.wanted()
    if added.sheet:
        page = render_template("factors/sheet.html", sheet=added.sheet, next=wanted, kind=kind)
        return browser.elevated(kind, Response(page, mimetype="text/html"))
    flash(_("It is added. We told you by mail."), "success")
    return browser.elevated(kind, browser.go_to(wanted or url_for("factors.show")))


def _send(kind: str, to: str) -> Response:
    here = browser.current()
    browser.count_sending(here.account_id)
    actions.send_code(here.session_id, here.account_id, kind, to)
    return browser.go_to(url_for("factors.confirm_sent", next=browser.wanted() or None))


def _secret_shown(form: ApplicationForm) -> str:
    """The secret that the page has shown; a new one when there is none, or it is another's or too old."""
    purpose = f"new application {browser.current().account_id}"
    try:
        return str(sealing.unseal(purpose, form.sealed.data or "", _SECRET_LIFE_S)["secret"])
    except Unsealable:
        secret = totp.new_secret()
        form.sealed.data = sealing.seal(purpose, {"secret": secret}).decode()
        return secret


def _answer(template: str, form: Form, *, waiting: TooManyTries | None = None, **more: Any) -> tuple[str, int]:
    page = render_template(template, form=form, waiting=waiting, next=browser.wanted() or None, **more)
    return page, 429 if waiting else 422 if form.errors else 200


def _prove_first() -> Response | None:
    """The first factor takes a sign-in of less than a quarter of an hour; another one, a proof with those one has."""
    has_one = queries.factors(browser.current().account_id)
    return prove_first() if has_one else sign_in_again_after(actions.FIRST)


def _has_mail_codes() -> bool:
    return assurance.rules().mail_codes
