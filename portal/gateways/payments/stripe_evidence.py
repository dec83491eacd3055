"""Exchanges with Stripe, kept as evidence for disputes: only what is listed here is kept, the rest is masked.

A list of what may stay, not of what must go: Stripe adds fields to its answers without asking us. Of a card, its
brand and last four digits; of the payer, nothing; of pages, no address, since whoever holds one may pay or read.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from portal.gateways.payments.payfip_evidence import MASK
from portal.gateways.payments.payfip_evidence import masked as without_addresses

_KEPT = {
    "account", "allowed_payment_method_types", "amount", "amount_captured", "amount_received", "amount_refunded",
    "amount_total", "api_version", "arrival_date", "automatic", "available_on", "balance_transaction",
    "balance_transactions", "brand", "card", "charge", "client_reference_id", "code", "country", "created", "currency",
    "data", "decline_code", "error", "evidence_details", "expires_at", "failure_balance_transaction", "failure_code",
    "failure_reason", "fee", "fee_details", "has_more", "id", "is_charge_refundable", "last4", "last_payment_error",
    "latest_charge", "livemode", "locale", "metadata", "mode", "net", "network_status", "object", "order", "outcome",
    "paid", "param", "payment_intent", "payment_method_details", "payment_method_types", "payment_status", "payout",
    "pending_webhooks", "price_data", "product_data", "quantity", "reason", "reconciliation_status", "reference",
    "refund", "refunded", "reporting_category", "request", "source", "status", "total_count", "trace_id", "type",
    "ui_mode", "unit_amount",
}  # fmt: skip
_URL = re.compile(r"https?://[^\s\"'<>]{1,2000}")
_KEY = re.compile(r"\b(?:sk|rk|pk|whsec)_[A-Za-z0-9_*]{3,300}")
_LAST_NAME = re.compile(r"\[?([a-z0-9_]{1,60})\]?$")
_LONGEST = 64 * 1024


def masked_answer(raw: bytes) -> str:
    """The text of an answer with everything unlisted masked; never fails, whatever the bytes.

    >>> masked_answer(b'{"id": "cs_1", "customer_email": "a@example.org", "url": "https://pay.example/x"}')
    '{"id": "cs_1", "customer_email": "***", "url": "***"}'
    """
    try:
        found = json.loads(raw.decode("utf-8"))
        return text_masked(json.dumps(_sieved(found), ensure_ascii=False))[:_LONGEST]
    except (ValueError, RecursionError):
        return text_masked(raw[:2000].decode("utf-8", errors="replace"))


def masked_request(method: str, url_path: str, form: str) -> str:
    """The call as one reads it: method and path, then one `name=value` a line. The key is in no part of it.

    >>> masked_request("post", "/v1/checkout/sessions", "mode=payment&customer_email=a%40example.org")
    'POST /v1/checkout/sessions\\nmode=payment\\ncustomer_email=***'
    """
    lines = [f"{name}={value if _may_stay(name) else MASK}" for name, value in parse_qsl(form, keep_blank_values=True)]
    return text_masked("\n".join([f"{method.upper()} {url_path}", *lines]))[:_LONGEST]


def text_masked(text: str) -> str:
    """A text without keys, mail addresses nor URLs, for people's eyes and PostgreSQL's."""
    return without_addresses(_KEY.sub(MASK, _URL.sub(MASK, text)).encode("utf-8", errors="replace"))


def _may_stay(field: str) -> bool:
    found = _LAST_NAME.search(field)
    if field.startswith(("metadata[", "payment_intent_data[metadata]", "expand[", "types[", "created[")):
        return True
    name = found.group(1) if found else ""
    return (
        name in _KEPT
        or name.isdecimal()
        or name in ("limit", "starting_after", "ending_before")
        or (field.endswith("[product_data][name]"))
    )


def _sieved(found: Any, *, all_of_it: bool = False) -> Any:
    if isinstance(found, list):
        return [_sieved(one, all_of_it=all_of_it) for one in found]
    if not isinstance(found, dict):
        return found
    return {
        name: _sieved(value, all_of_it=name == "metadata")
        if all_of_it or name in _KEPT
        else (None if value is None else MASK)
        for name, value in found.items()
    }
