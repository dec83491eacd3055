"""PayFiP calls here when something happened to a payment. The call is unsigned, may come twelve times or never, and
holds nothing to trust: it only makes us ask."""

from flask import Blueprint, Response, request

from auth import guards
from portal import db
from portal.web.security import csrf
from services.billing import actions

callbacks = guards.machines(Blueprint("billing_callbacks", __name__, url_prefix="/callbacks"))
csrf.exempt(callbacks)

_LONGEST_IDOP = 64


@callbacks.route("/payfip", methods=["GET", "POST"])
def payfip() -> Response:
    """Answers 200 for an operation of ours, whatever follows; 404 for another, without a word to PayFiP."""
    idop = _idop()
    with db.transaction(db.system("billing.notification")):
        known = bool(idop) and actions.receive_notification("payfip", idop)
    return Response("ok" if known else "unknown", 200 if known else 404, mimetype="text/plain")


def _idop() -> str:
    """Integrations have seen `idop` and `idOp`, in the query and in the body."""
    for name, value in request.values.items():
        if name.lower() == "idop" and len(value) <= _LONGEST_IDOP and "\x00" not in value:
            return value
    return ""
