"""The twin's API: reads a call as Stripe does, keeps its promises about keys, and spoils what the faults spoil."""

import json
import threading
from contextlib import suppress
from copy import deepcopy
from socket import SHUT_RDWR
from typing import Any

from flask import Blueprint, Response, request

from portal.gateways.payments.stripe_twin.account import Account
from portal.gateways.payments.stripe_twin.bank import Bank
from portal.gateways.payments.stripe_twin.faults import Trouble
from portal.gateways.payments.stripe_twin.idempotency import Answered, MemoryOfKeys
from portal.gateways.payments.stripe_twin.objects import API_VERSION, Object
from portal.gateways.payments.stripe_twin.orders import Refusal, nested

KINDS = {
    "balance_transactions": "balance_transaction",
    "charges": "charge",
    "checkout/sessions": "checkout.session",
    "disputes": "dispute",
    "events": "event",
    "payment_intents": "payment_intent",
    "payouts": "payout",
    "refunds": "refund",
}
_NOT_DONE = {Trouble.CUT_BEFORE, Trouble.TOO_MANY, Trouble.BAD_GATEWAY, Trouble.HTML, Trouble.GARBAGE, Trouble.EMPTY,
             Trouble.HUGE}  # fmt: skip
_BROKEN: Answered = (500, json.dumps({"error": {"type": "api_error", "message": "An unknown error occurred"}}))


class Api:
    """Every call under /v1."""

    def __init__(self, bank: Bank, stopped: threading.Event) -> None:
        self.keys = MemoryOfKeys()
        self._bank = bank
        self._stopped = stopped

    def blueprint(self) -> Blueprint:
        made = Blueprint("api", __name__, url_prefix="/v1")
        made.add_url_rule("/<path:path>", "call", self.call, methods=["GET", "POST"])
        return made

    def call(self, path: str) -> Response:
        trouble = self._bank.faults.strikes(f"{request.method} /v1/{path}")
        if trouble in _NOT_DONE:
            return _noise(trouble)
        try:
            account = self._bank.account(request.headers.get("Authorization", "").removeprefix("Bearer "))
            if request.headers.get("Stripe-Version") != API_VERSION:
                raise Refusal("", f"The twin speaks version {API_VERSION} only")
            status, text = self._answered(account, path, trouble)
        except Refusal as refusal:
            status, text = refusal.status, json.dumps(refusal.body)
        if trouble is Trouble.CUT_AFTER:
            return _cut()
        if trouble is Trouble.SLOW:
            self._stopped.wait(self._bank.faults.slow_seconds)
        if trouble is Trouble.TRUNCATED:
            text = text[: len(text) // 2]
        return Response(text, status, mimetype="application/json", headers={"Request-Id": "req_twin"})

    def _answered(self, account: Account, path: str, trouble: Trouble | None) -> Answered:
        if request.method == "GET":
            return _BROKEN if trouble in (Trouble.ERROR_BEFORE, Trouble.ERROR_AFTER) else _ok(self._read(account, path))
        asked, key = request.get_data(as_text=True), request.headers.get("Idempotency-Key", "")
        known = self.keys.before(account.id, key, f"{path}?{asked}") if key else None
        if known is not None:
            return known
        answered: Answered | None = None
        try:
            if trouble is Trouble.ERROR_BEFORE:
                answered = _BROKEN
            else:
                done = _ok(self._write(account, path, nested(asked)))
                answered = _BROKEN if trouble is Trouble.ERROR_AFTER else done
            return answered
        finally:
            if key:
                self.keys.after(account.id, key, f"{path}?{asked}", answered)

    def _write(self, account: Account, path: str, asked: dict[str, Any]) -> Object:
        if path == "checkout/sessions":
            return self._bank.create(account, asked)
        if path == "refunds":
            return self._bank.refund(account, asked)
        kind, _, rest = path.removeprefix("checkout/").partition("/")
        name, _, verb = rest.partition("/")
        if kind == "sessions" and verb == "expire":
            account.known(name, "checkout.session")
            return self._bank.expire(name)
        raise Refusal("", f"Unrecognized request URL (POST /v1/{path})", status=404)

    def _read(self, account: Account, path: str) -> Object:
        if path == "account":
            return {"id": account.id, "object": "account", "business_profile": {"name": account.name}, "country": "FR"}
        if path in KINDS:
            return self._listed(account, KINDS[path])
        folder, _, name = path.rpartition("/")
        if folder not in KINDS:
            raise Refusal("", f"Unrecognized request URL (GET /v1/{path})", status=404)
        with account.lock:
            found = account.known(name, KINDS[folder])
            if folder == "checkout/sessions":
                found = {**self._bank.session(name), **self._bank.faults.tampered}
            return _expanded(account, found, _paths())

    def _listed(self, account: Account, kind: str) -> Object:
        with account.lock:
            found = [one for one in account.all(kind) if _is_asked_for(one)]
            after = request.args.get("starting_after")
            if after:
                names = [one["id"] for one in found]
                found = found[names.index(after) + 1 :] if after in names else []
            limit = int(request.args.get("limit", 10))
            paths = [path.removeprefix("data.") for path in _paths()]
            page = [_expanded(account, one, paths) for one in found[:limit]]
            return {"object": "list", "data": page, "has_more": len(found) > limit, "url": "/v1"}


def _paths() -> list[str]:
    return [value for name, value in request.args.items() if name.startswith("expand[")]


def _is_asked_for(one: Object) -> bool:
    """The filters that the portal uses: an event's types and age, a payment's refunds, a payout's movements."""
    kinds = [value for name, value in request.args.items() if name.startswith("types[")]
    since = int(request.args.get("created[gte]", 0))
    equal = ("payment_intent", "payout")
    return (
        (not kinds or one.get("type") in kinds)
        and one.get("created", 0) >= since
        and all(one.get(name) == request.args[name] for name in equal if name in request.args)
    )


def _expanded(account: Account, found: Object, paths: list[str]) -> Object:
    """The object with those names replaced by what they name."""
    whole = deepcopy(found)
    for path in paths:
        inner = whole
        for part in path.split("."):
            named = inner.get(part)
            if isinstance(named, str):
                inner[part] = deepcopy(account.objects.get(named))
            inner = inner.get(part) or {}
    return whole


def _ok(found: Object) -> Answered:
    return 200, json.dumps(found, indent=2)


def _noise(trouble: Trouble | None) -> Response:
    if trouble is Trouble.CUT_BEFORE:
        return _cut()
    if trouble is Trouble.TOO_MANY:
        body = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests"}}
        return Response(json.dumps(body), 429, mimetype="application/json")
    if trouble is Trouble.BAD_GATEWAY:
        return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, mimetype="text/html")
    if trouble is Trouble.HTML:
        return Response("<!DOCTYPE html><title>Maintenance</title><h1>Maintenance</h1>", mimetype="text/html")
    if trouble is Trouble.HUGE:
        return Response((b'["' + b"a" * 60_000 for _ in range(1000)), mimetype="application/json")
    return Response(b"" if trouble is Trouble.EMPTY else b"\x00\xff\xfe{[\x1b[31m", mimetype="application/json")


def _cut() -> Response:
    """Hang up in the middle of the conversation, as a failing network does."""
    line: Any = request.environ["werkzeug.socket"]
    with suppress(OSError):
        line.shutdown(SHUT_RDWR)
    return Response(status=500)
