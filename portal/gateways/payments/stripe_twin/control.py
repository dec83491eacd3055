"""Orders from a test in another process: moods, payments, disputes, payouts. Only when the twin was started for it."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from portal.gateways.payments.stripe_twin.bank import Bank
from portal.gateways.payments.stripe_twin.faults import Faults, Trouble
from portal.gateways.payments.stripe_twin.orders import Refusal
from portal.gateways.payments.stripe_twin.webhooks import Webhooks


def add_control(app: Flask, bank: Bank, webhooks: Webhooks) -> None:
    """`POST /control/<verb>` with a JSON object of arguments.

    faults {field: value} · pay {name, delayed} · arrive {name} · bounce {name} · end_refund {name, failed} ·
    dispute {payment} · end_dispute {name, won} · pay_out {key} · return_payout {name} · webhooks {url, secrets} ·
    release {backwards} · objects {key, kind}
    """

    def faults(**settings: Any) -> None:
        for setting, value in settings.items():
            if not hasattr(Faults(), setting):
                raise Refusal("", f"no such fault: {setting}")
            setattr(bank.faults, setting, Trouble(value) if setting == "trouble" and value else value)

    def tell(url: str, secrets: list[str]) -> None:
        webhooks.url, webhooks.secrets = url, tuple(secrets)

    def objects(key: str, kind: str) -> list[Any]:
        return bank.account(key).all(kind)

    verbs: dict[str, Callable[..., Any]] = {
        "faults": faults, "webhooks": tell, "objects": objects, "release": webhooks.release, "pay": bank.pay,
        "arrive": bank.arrive, "bounce": bank.bounce, "end_refund": bank.end_refund, "dispute": bank.dispute,
        "end_dispute": bank.end_dispute, "pay_out": bank.pay_out, "return_payout": bank.return_payout,
    }  # fmt: skip

    @app.post("/control/<verb>")
    def control(verb: str) -> Response | tuple[Response, int]:
        if verb not in verbs:
            return jsonify(error="no such verb"), 404
        done = verbs[verb](**request.get_json(silent=True) or {})
        return jsonify(done)
