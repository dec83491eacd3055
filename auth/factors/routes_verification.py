"""One more proof: a second factor asked for before a page that shows health data, or a change of one's factors."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import assurance, guards, providers, tries
from auth.factors import actions, browser, mails, passkeys, queries
from auth.factors.actions import CodeExpired, WrongCode
from auth.factors.forms import CodeForm, ConfirmForm, PasskeyForm, SheetForm, say
from auth.factors.models import Factor
from auth.factors.passkeys import PasskeyCopied, PasskeyRefused
from auth.models import Account
from auth.tries import TooManyTries
from portal import db
from portal.web.forms import Form

verification = guards.signed_in(
    Blueprint("verification", __name__, url_prefix="/mon-compte/verification", template_folder="templates")
)
SHEET = "codes"
"""In `?with=`: the recovery codes; otherwise a factor's id."""


@verification.route("", methods=["GET", "POST"])
def prove() -> Response | str | tuple[str, int]:
    """Ask for the factor used last, or the one chosen; without any, choose one first."""
    mine = queries.factors(browser.current().account_id)
    if _needs_better_provider():
        return _better_provider()
    if not mine:
        return redirect(url_for("factors.choose", next=browser.wanted() or None), 303)
    if request.args.get("with") == SHEET:
        return _prove_by_sheet(mine)
    factor = _chosen(mine)
    return _prove_by_passkey(factor, mine) if factor.kind == "passkey" else _prove_by_code(factor, mine)


@verification.post("/envoyer/<uuid:factor_id>")
def send(factor_id: UUID) -> Response | tuple[str, int]:
    """Send a code to this telephone or address, then wait for it."""
    mine = queries.factors(browser.current().account_id)
    factor = next((each for each in mine if each.id == factor_id and each.kind in actions.SENT), None) or abort(404)
    try:
        browser.count_sending(factor.account_id)
    except TooManyTries as waiting:
        form = ConfirmForm()
        return _page("factors/prove_by_code.html", form, mine, factor, waiting=waiting, is_sent=False), 429
    actions.send_to(browser.current().session_id, factor)
    return redirect(_here(factor), 303)


def _prove_by_code(factor: Factor, mine: Sequence[Factor]) -> Response | str | tuple[str, int]:
    """A code of an application, or one that was sent once the person asked for it."""
    form = CodeForm()
    account_id, waiting = factor.account_id, None
    if form.validate_on_submit():
        try:
            with browser.counted(account_id, factor.kind):
                actions.prove_by_code(factor, browser.current().session_id, form.code.data or "")
            return _proven(factor.kind)
        except WrongCode:
            say(form.code, _("This is not the code we expected. Check it, or wait for the next one"))
        except CodeExpired:
            say(form.code, _("This code is too old: ask for a new one"))
        except TooManyTries as refused:
            waiting = refused
    challenge = queries.open_code(browser.current().session_id)
    is_sent = factor.kind == "totp" or (challenge is not None and challenge.factor_id == factor.id)
    page = _page("factors/prove_by_code.html", form, mine, factor, waiting=waiting, is_sent=is_sent)
    return page, _status(form, waiting)


def _prove_by_passkey(factor: Factor, mine: Sequence[Factor]) -> Response | str | tuple[str, int]:
    form, waiting, account_id = PasskeyForm(), None, factor.account_id
    if form.validate_on_submit():
        try:
            with browser.counted(account_id, "passkey"):
                challenge = passkeys.challenge_of(form.sealed.data or "", _binding())
                actions.prove_by_passkey(browser.site(), account_id, form.answer.data or "", challenge)
            return _proven("passkey")
        except PasskeyCopied:
            _tell_copied(account_id)
            say(form.answer, _("This passkey seems to exist twice. For your safety we refused it: try another way"))
        except PasskeyRefused:
            say(form.answer, _("Your device did not confirm. Try again, or try another way"))
        except TooManyTries as refused:
            waiting = refused
    known = [each.credential_id for each in mine if each.credential_id]
    asked = passkeys.ask_to_sign(browser.site(), _binding(), known)
    form.sealed.data, form.answer.data = asked.sealed, ""
    page = _page("factors/prove_by_passkey.html", form, mine, factor, waiting=waiting, asked=asked)
    return page, _status(form, waiting)


def _prove_by_sheet(mine: Sequence[Factor]) -> Response | str | tuple[str, int]:
    form, waiting, account = SheetForm(), None, browser.me()
    if form.validate_on_submit():
        try:
            with browser.counted(account.id, "recovery"):
                actions.prove_by_sheet(account, form.code.data or "")
            flash(_("This recovery code will not serve again."), "success")
            return _proven("recovery")
        except WrongCode:
            say(form.code, _("This code is not one of your sheet, or it has served already"))
        except TooManyTries as refused:
            waiting = refused
    return _page("factors/prove_by_sheet.html", form, mine, None, waiting=waiting), _status(form, waiting)


def _proven(kind: str) -> Response:
    home = url_for("factors.show")
    return browser.elevated(kind, browser.go_to(browser.wanted() or home))


def _chosen(mine: Sequence[Factor]) -> Factor:
    """The factor named in the address, else the one used last that this portal can ask for."""
    usable = [each for each in mine if each.kind != "passkey" or browser.site().has_passkeys] or list(mine)
    return next((each for each in usable if str(each.id) == request.args.get("with")), usable[0])


def _page(template: str, form: Form, mine: Sequence[Factor], factor: Factor | None, **more: Any) -> str:
    others = [(each, _here(each)) for each in mine if not _is_asked(each, factor)]
    return render_template(
        template,
        form=form,
        factor=factor,
        others=others,
        sheet_href=_here(None) if actions.codes_left(browser.current().account_id) else "",
        in_demonstration=browser.shown_in_demonstration(factor.kind) if factor else "",
        is_lasting=request.args.get("service", "") in assurance.SERVICES,
        next=browser.wanted(),
        **more,
    )


def _is_asked(each: Factor, factor: Factor | None) -> bool:
    """A page that asks for a passkey takes any of them."""
    return factor is not None and (each.id == factor.id or (each.kind == factor.kind == "passkey"))


def _here(factor: Factor | None) -> str:
    chosen: dict[str, Any] = {"with": str(factor.id) if factor else SHEET}
    service = request.args.get("service") or None
    return url_for("verification.prove", next=browser.wanted() or None, service=service, **chosen)


def _binding() -> str:
    return str(browser.current().session_id)


def _status(form: Form, waiting: tries.TooManyTries | None) -> int:
    return 429 if waiting else 422 if form.errors else 200


def _tell_copied(account_id: UUID) -> None:
    with db.transaction(db.system("auth.factors")) as own:
        mails.copied(own.get_one(Account, account_id))


def _needs_better_provider() -> bool:
    service = request.args.get("service", "")
    return service in assurance.SERVICES and assurance.minimum(service) == "substantial"


def _better_provider() -> Response | str | tuple[str, int]:
    """No code of ours makes an identity substantial: only FranceConnect+ does."""
    if assurance.level(browser.current()) == "substantial":
        return browser.go_to(browser.wanted() or url_for("factors.show"))
    return render_template(
        "factors/better_provider.html", door=providers.door("franceconnect-plus"), next=browser.wanted()
    )
