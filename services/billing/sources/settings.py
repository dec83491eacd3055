"""The settings of a hospital that lead its payments: what may stand in them. Pure but for the names of the rules.

`payfip_numcli`, `payfip_saisie`: the counter of bills whose source nobody described. `stripe_enabled`: `yes` or "".
`stripe_api_key`, `stripe_webhook_secrets` (several while they are renewed, separated by commas): secrets, sealed.
`stripe_accountant`, `stripe_agreed_on`: which public accountant agreed to Stripe, and the day (ISO).
"""

import re
from collections.abc import Callable
from datetime import date

from portal.gateways.payments.contract import Mode
from services.billing.sources.queries import tests_count

ENABLED, KEY, SECRETS = "stripe_enabled", "stripe_api_key", "stripe_webhook_secrets"
ACCOUNTANT, AGREED_ON = "stripe_accountant", "stripe_agreed_on"

NUMCLI = re.compile(r"[0-9]{6}", re.ASCII)
_API_KEY = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]{8,250}", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,250}", re.ASCII)
_MOST_SECRETS = 5


class NonsenseSetting(ValueError):
    """The value would not be obeyed; says what to write instead, and never repeats it."""


def check_setting(key: str, value: str) -> bool:
    """Before a setting of a hospital is written: whether it is a secret of ours. Raises NonsenseSetting."""
    if value and key in _RULES:
        _RULES[key](value)
    return key in (KEY, SECRETS)


def is_test_key(key: str) -> bool:
    return key.startswith(("sk_test_", "rk_test_"))


def secrets_in(value: str) -> list[str]:
    """The webhook secrets of a comma list."""
    return [part for part in re.split(r"[\s,]+", value) if part]


def _check_enabled(value: str) -> None:
    _need(value in ("yes", "no"), "stripe_enabled: yes or no")


def _check_key(value: str) -> None:
    _need(bool(_API_KEY.fullmatch(value)), "stripe_api_key: a secret or restricted key, sk_… or rk_…")
    _need(tests_count() or not is_test_key(value), "stripe_api_key: a test key takes no payment in production")


def _check_secrets(value: str) -> None:
    parts = secrets_in(value)
    told = "stripe_webhook_secrets: one to five secrets, whsec_…, separated by commas"
    _need(0 < len(parts) <= _MOST_SECRETS and all(map(_WEBHOOK_SECRET.fullmatch, parts)), told)


def _check_numcli(value: str) -> None:
    _need(bool(NUMCLI.fullmatch(value)), "payfip_numcli: six digits")


def _check_saisie(value: str) -> None:
    _need(value in set(Mode), "payfip_saisie: T (tests), X (activation) or W (production)")


def _check_day(value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise NonsenseSetting("stripe_agreed_on: a day, as 2026-11-22") from None


_RULES: dict[str, Callable[[str], None]] = {
    ENABLED: _check_enabled,
    KEY: _check_key,
    SECRETS: _check_secrets,
    AGREED_ON: _check_day,
    "payfip_numcli": _check_numcli,
    "payfip_saisie": _check_saisie,
}


def _need(condition: bool, told: str) -> None:
    if not condition:
        raise NonsenseSetting(told)
