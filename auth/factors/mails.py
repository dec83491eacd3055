"""Mails that tell a person that their way in has changed: whoever did not do it must be able to act."""

from typing import Any

from flask_babel import lazy_gettext as _l

from auth.models import Account
from portal.notifications import Mail, message, tell

_NOT_ME = _l("If it was not you, call the hospital, and close your open sessions in “My account”.")
_PAGE = "/mon-compte/securite"


def added(account: Account, kind: str) -> None:
    _send(account, _added(kind))


def removed(account: Account, kind: str) -> None:
    _send(account, _removed(kind))


def sheet_made(account: Account) -> None:
    _send(account, _sheet_made())


def sheet_used(account: Account, left: int) -> None:
    _send(account, _sheet_used(left))


def reset_given(account: Account, hospital: str) -> None:
    _send(account, _reset_given(hospital))


def reset_done(account: Account) -> None:
    _send(account, _reset_done())


def copied(account: Account) -> None:
    _send(account, _copied())


def _send(account: Account, mail: Mail) -> None:
    tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


# -- what they say -------------------------------------------------------------------------------------------------

_PHRASES_ADDED = {
    "passkey": _l("A passkey was added to your account."),
    "totp": _l("An application that gives codes was added to your account."),
    "sms": _l("A telephone number that receives codes was added to your account."),
    "mail": _l("A mail address that receives codes was added to your account."),
}
_PHRASES_REMOVED = {
    "passkey": _l("A passkey was removed from your account."),
    "totp": _l("The application that gives codes was removed from your account."),
    "sms": _l("A telephone number that receives codes was removed from your account."),
    "mail": _l("A mail address that receives codes was removed from your account."),
}
_EACH = {kind: {"kind": kind} for kind in _PHRASES_ADDED}


@message("account.factor_added", "anybody", each=_EACH, which=lambda given: given["kind"])
def _added(kind: str) -> Mail:
    return _mail(_l("A new way to confirm who you are"), _PHRASES_ADDED[kind])


@message("account.factor_removed", "anybody", each=_EACH, which=lambda given: given["kind"])
def _removed(kind: str) -> Mail:
    return _mail(_l("A way to confirm who you are was removed"), _PHRASES_REMOVED[kind])


@message("account.codes_made", "anybody")
def _sheet_made() -> Mail:
    return _mail(
        _l("New recovery codes"),
        _l("New recovery codes were made for your account. The former ones no longer work."),
    )


@message("account.code_used", "anybody")
def _sheet_used(left: int) -> Mail:
    return _mail(
        _l("A recovery code was used"),
        _l("Somebody signed in to your account with one of your recovery codes. Codes left: %(left)s.", left=left),
    )


@message("account.reset_given", "anybody")
def _reset_given(hospital: str) -> Mail:
    return _mail(
        _l("A code was given at the hospital’s desk"),
        _l(
            "At %(hospital)s, an agent checked an identity document and gave a code that lets you choose again how you"
            " confirm who you are. It is valid for 15 minutes.",
            hospital=hospital,
        ),
    )


@message("account.reset_done", "anybody")
def _reset_done() -> Mail:
    return _mail(
        _l("Your ways to confirm who you are were removed"),
        _l("With the code of the hospital’s desk, they were all removed from your account, to be chosen again."),
    )


@message("account.passkey_refused", "anybody")
def _copied() -> Mail:
    return _mail(
        _l("A passkey was refused"),
        _l("A passkey of your account seems to exist twice; we refused it. Remove it, then add it again."),
    )


def _mail(subject: Any, text: Any) -> Mail:
    return Mail(subject, (_l("Hello,"), text, _NOT_ME), path=_PAGE)
