"""The twin's HTTP face: the API, and the page on which people pay."""

import threading
from typing import cast

from flask import Flask, Response, redirect, render_template, request

from portal.gateways.payments.stripe_twin.api import Api
from portal.gateways.payments.stripe_twin.bank import Bank
from portal.gateways.payments.stripe_twin.objects import Object
from portal.gateways.payments.stripe_twin.orders import Refusal


def create_app(bank: Bank, stopped: threading.Event) -> tuple[Flask, Api]:
    """The WSGI application around one bank."""
    app, api = Flask(__name__), Api(bank, stopped)
    app.register_blueprint(api.blueprint())

    @app.get("/c/pay/<name>")
    def page(name: str) -> str | tuple[str, int]:
        found = bank.session(name)
        if found["status"] != "open":
            return render_template("closed.html", session=found), 410
        return _page(bank, found)

    @app.post("/c/pay/<name>")
    def choose(name: str) -> Response | tuple[str, int]:
        found, choice = bank.session(name), request.form.get("choice")
        if found["status"] != "open":
            return render_template("closed.html", session=found), 410
        if choice == "pay":
            bank.pay(name)
            return cast(Response, redirect(found["success_url"].replace("{CHECKOUT_SESSION_ID}", name), 303))
        if choice == "leave":
            return cast(Response, redirect(found["cancel_url"], 303))
        return _page(bank, found, declined=True), 402

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> tuple[str, int]:
        return render_template("closed.html", session=None), refusal.status

    return app, api


def _page(bank: Bank, found: Object, *, declined: bool = False) -> str:
    lines = bank.lines(found["id"])
    return render_template(
        "page.html",
        session=found,
        lines=[(label, _euros(cents)) for label, cents in lines],
        euros=_euros(found["amount_total"]),
        declined=declined,
    )


def _euros(cents: int) -> str:
    """1 234,56 € with the no-break spaces of French typography."""
    euros, rest = divmod(cents, 100)
    return f"{euros:,}".replace(",", "\u202f") + f",{rest:02d}\u00a0€"
