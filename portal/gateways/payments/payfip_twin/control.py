"""The twin told what to do by a test in another process, and its truth read. Only when it was started for that.

Every call takes and gives JSON, so that no page of a browser can make one: another origin would have to ask first.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify, request

from portal.gateways.payments.payfip_twin.faults import WrongSetting
from portal.gateways.payments.payfip_twin.notifier import Notifier
from portal.gateways.payments.payfip_twin.orders import LOOPBACK
from portal.gateways.payments.payfip_twin.till import Operation, Till

CONTROL_PATH = "/control"

Orders = Mapping[str, Any]


def add_control(app: Flask, till: Till, notifier: Notifier) -> None:
    """POST /control/<order> with its words in JSON; GET /control/truth."""
    control = Blueprint("control", __name__, url_prefix=CONTROL_PATH)
    orders = _orders(till, notifier)

    @control.post("/<name>")
    def order(name: str) -> Response:
        if name not in orders:
            abort(404)
        words = request.get_json()  # 415 when it is not JSON
        return jsonify(orders[name](words if isinstance(words, dict) else abort(400)))

    @control.get("/truth")
    def truth() -> Response:
        return jsonify(operations=till.truth(), asked_about=till.asked_about)

    @control.before_request
    def from_here() -> None:
        if request.remote_addr not in LOOPBACK:
            abort(403)

    app.register_error_handler(WrongSetting, lambda error: (jsonify(error=str(error)), 422))
    app.register_error_handler(KeyError, lambda error: (jsonify(error=f"missing: {error}"), 422))
    app.register_blueprint(control)


def _orders(till: Till, notifier: Notifier) -> dict[str, Callable[[Orders], Any]]:
    """What may be ordered. An operation is named by its `idop`."""

    def decide(words: Orders) -> dict[str, str]:
        decided = till.decide(words["idop"], words["code"])
        if words.get("told", True):
            notifier.tell(decided)
        return _shown(decided)

    return {
        "faults": _done(till.faults.set),
        "clear": _done(lambda _words: till.faults.clear()),
        "decide": decide,
        "bounce": _on_one(till.bounce),
        "expire": _on_one(till.expire),
        "forge": _done(lambda words: notifier.forge(words["url"], words["idop"])),
        "release": _done(lambda _words: notifier.release()),
        "quiet": _done(lambda _words: notifier.wait()),
        "purge": _done(lambda _words: till.purge()),
    }


def _done(order: Callable[[Orders], Any]) -> Callable[[Orders], dict[str, bool]]:
    def obey(words: Orders) -> dict[str, bool]:
        order(words)
        return {"done": True}

    return obey


def _on_one(change: Callable[[str], Operation]) -> Callable[[Orders], dict[str, str]]:
    return lambda words: _shown(change(words["idop"]))


def _shown(operation: Operation) -> dict[str, str]:
    return {"idop": operation.idop, "code": operation.code}
