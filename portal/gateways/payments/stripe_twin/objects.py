"""Stripe's objects as it writes them, in the version that the portal is pinned to."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

Object = dict[str, Any]
API_VERSION = "2026-10-28.endive"


def name(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex[:24]}"


def session(asked: Mapping[str, Any], *, amount: int, now: int, live: bool, base_url: str) -> Object:
    """A Checkout Session that nobody has opened yet."""
    named = name("cs_live" if live else "cs_test")
    return {
        "id": named,
        "object": "checkout.session",
        "allowed_payment_method_types": asked.get("allowed_payment_method_types"),
        "amount_subtotal": amount,
        "amount_total": amount,
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "created": now,
        "currency": "eur",
        "customer_details": None,
        "customer_email": asked.get("customer_email"),
        "expires_at": int(asked.get("expires_at", now + 24 * 3600)),
        "livemode": live,
        "locale": asked.get("locale"),
        "metadata": dict(asked.get("metadata", {})),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "success_url": asked.get("success_url"),
        "ui_mode": "hosted_page",
        "url": f"{base_url}/c/pay/{named}",
    }


def intent(session: Object, metadata: Mapping[str, str], *, now: int) -> Object:
    return {
        "id": name("pi"),
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_received": 0,
        "created": now,
        "currency": "eur",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": session["livemode"],
        "metadata": dict(metadata),
        "receipt_email": session["customer_email"],
        "status": "requires_payment_method",
    }


def charge(intent: Object, *, now: int, email: str | None) -> Object:
    """A card that was charged; the name and the fingerprint are there to be kept out of everything."""
    return {
        "id": name("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"email": email, "name": "Camille Fictive", "address": {"city": "Arceau", "country": "FR"}},
        "created": now,
        "currency": "eur",
        "disputed": False,
        "livemode": intent["livemode"],
        "metadata": dict(intent["metadata"]),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method_details": {
            "type": "card",
            "card": {"brand": "visa", "last4": "4242", "country": "FR", "exp_month": 12, "exp_year": 2031,
                     "fingerprint": "FictiveFingerprint", "funding": "debit"},
        },
        "receipt_url": f"https://pay.stripe.example/receipts/{uuid4().hex}",
        "refunded": False,
        "status": "succeeded",
    }  # fmt: skip


def movement(kind: str, category: str, amount: int, source: str, *, fee: int, now: int) -> Object:
    """A balance transaction: what truly moved. net = amount - fee."""
    return {
        "id": name("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + 7 * 86400,
        "created": now,
        "currency": "eur",
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": "eur", "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "pending",
        "type": kind,
    }


def refund(charge: Object, amount: int, metadata: Mapping[str, str], reason: str | None, *, now: int) -> Object:
    return {
        "id": name("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": "eur",
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": dict(metadata),
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "pending",
    }


def dispute(charge: Object, amount: int, *, now: int) -> Object:
    return {
        "id": name("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": "eur",
        "evidence": {"customer_name": "Camille Fictive"},
        "evidence_details": {"due_by": now + 14 * 86400, "has_evidence": False, "submission_count": 0},
        "is_charge_refundable": False,
        "livemode": charge["livemode"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }


def payout(amount: int, *, live: bool, now: int) -> Object:
    return {
        "id": name("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": now + 2 * 86400,
        "automatic": True,
        "balance_transaction": None,
        "created": now,
        "currency": "eur",
        "failure_balance_transaction": None,
        "failure_code": None,
        "livemode": live,
        "metadata": {},
        "reconciliation_status": "completed",
        "status": "in_transit",
        "type": "bank_account",
    }


def event(kind: str, about: Object, *, live: bool, now: int) -> Object:
    """What happened, with the object as it was at that moment."""
    return {
        "id": name("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": {"object": about},
        "livemode": live,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
