"""What Stripe refuses of a request, with the code it gives.

Written apart from the portal's own checks on purpose: a mistake in one is seen by the other.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}

# docs.stripe.com/api/checkout/sessions/create in version 2026-10-28.endive, as far as a hosted page goes.
_OF_A_SESSION = {
    "adaptive_pricing", "allow_promotion_codes", "allowed_payment_method_types", "cancel_url", "client_reference_id",
    "currency", "customer_email", "expand", "expires_at", "line_items", "locale", "metadata", "mode",
    "payment_intent_data", "submit_type", "success_url", "ui_mode",
}  # fmt: skip
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PART = re.compile(r"[^\[\]]+")


class Refusal(Exception):
    """A request that Stripe understood and refuses."""

    def __init__(self, code: str, message: str, *, status: int = 400, param: str = "", kind: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {
            "code": code, "message": message, "param": param or None, "type": kind or "invalid_request_error",
        }}  # fmt: skip


def nested(text: str) -> dict[str, Any]:
    """`a[b][0]=1` as {"a": {"b": {"0": "1"}}}, then numbered ones as lists. Raises `Refusal`."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        path, inner = _PART.findall(name), found
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise Refusal("parameter_invalid", f"Invalid {name}")
        inner[path[-1]] = value
    return {name: _listed(value) for name, value in found.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    return list(inner.values()) if inner and all(name.isdecimal() for name in inner) else inner


def check_session(asked: Mapping[str, Any], now: int) -> int:
    """The whole amount of a session in cents. Raises `Refusal`."""
    for name in sorted(set(asked) - _OF_A_SESSION):
        raise Refusal("parameter_unknown", f"Received unknown parameter: {name}", param=name)
    if asked.get("mode") != "payment":
        raise Refusal("parameter_invalid", "The twin takes payments only", param="mode")
    if asked.get("ui_mode", "hosted_page") != "hosted_page":
        raise Refusal("parameter_invalid", "Invalid ui_mode: must be hosted_page", param="ui_mode")
    email = asked.get("customer_email")
    if email is not None and not _ADDRESS.fullmatch(email):
        raise Refusal("email_invalid", f"Invalid email address: {email}", param="customer_email")
    if not 1800 <= int(asked.get("expires_at", now + 86400)) - now <= 86400:
        raise Refusal("parameter_invalid", "expires_at must be 30 minutes to 24 hours away", param="expires_at")
    _check_metadata(asked.get("metadata", {}))
    for name in ("success_url", "cancel_url"):
        if urlsplit(str(asked.get(name, ""))).hostname not in LOOPBACK:
            raise Refusal("url_invalid", "Not a valid URL (the twin takes 127.0.0.1 only)", param=name)
    return _amount(asked.get("line_items"))


def _amount(items: Any) -> int:
    if not isinstance(items, list) or not items or len(items) > 100:
        raise Refusal("parameter_missing", "1 to 100 line items", param="line_items")
    total = 0
    for item in items:
        price = item.get("price_data", {})
        text = str(price.get("unit_amount", ""))
        if price.get("currency") != "eur" or not re.fullmatch(r"[0-9]{1,8}", text) or not price.get("product_data"):
            raise Refusal("parameter_invalid_integer", f"Invalid integer: {text}", param="line_items")
        total += int(text) * int(item.get("quantity", 1))
    if total < 50:
        raise Refusal("amount_too_small", "The total amount must convert to at least 50 cents.", param="line_items")
    if total > 99_999_999:
        raise Refusal("amount_too_large", "Amount must be no more than €999,999.99", param="line_items")
    return total


def _check_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > 50 or any(len(key) > 40 or len(value) > 500 for key, value in metadata.items()):
        raise Refusal("metadata_too_long", "50 keys of 40 characters, values of 500", param="metadata")
