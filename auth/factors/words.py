"""Factors in words."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from auth import wording
from auth.factors.models import KINDS

_TITLES = {
    "passkey": _l("Passkey"),
    "totp": _l("Code of an application"),
    "sms": _l("Code by text message"),
    "mail": _l("Code by mail"),
}
KIND_TITLES = {kind: _TITLES[kind] for kind in KINDS}
ICONS = {"passkey": "key-round", "totp": "clock", "sms": "phone", "mail": "mail"}


def passkey_label(agent: str) -> str:
    """What a new passkey is called until its owner says otherwise."""
    return str(_("Passkey of %(device)s", device=wording.browser_words(agent)))
