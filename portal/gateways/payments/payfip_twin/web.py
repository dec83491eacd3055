"""The twin's HTTP face: the SOAP endpoint and the page on which people pay."""

import threading
from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any, cast

from flask import Flask, Response, redirect, render_template, request

from portal.gateways.payments.payfip_twin import soap
from portal.gateways.payments.payfip_twin.faults import Trouble
from portal.gateways.payments.payfip_twin.notifier import Notifier, with_query
from portal.gateways.payments.payfip_twin.orders import Fault
from portal.gateways.payments.payfip_twin.till import CREDITOR, Operation, Till

SOAP_PATH = "/tpa/services/securite"
PAGE_PATH = "/tpa/paiementws.web"
CHOICES = ("P", "V", "R", "Z", "A")


def create_app(till: Till, notifier: Notifier, stopped: threading.Event) -> Flask:
    """The WSGI application around one till."""
    app = Flask(__name__)
    endpoint = SoapEndpoint(till, stopped)
    app.add_url_rule(SOAP_PATH, "soap", endpoint.call, methods=["POST"])

    @app.get(PAGE_PATH)
    def page() -> str:
        operation = till.open_page(request.args.get("idop", ""))
        return render_template("page.html", operation=operation, creditor=CREDITOR, euros=_euros(operation))

    @app.post(PAGE_PATH)
    def choose() -> Response:
        code = request.form.get("choice", "")
        if code not in CHOICES:
            raise Fault("P3", "Choix inconnu")
        operation = till.choose(request.form.get("idop", ""), code)
        notifier.tell(operation)
        return cast(Response, redirect(with_query(operation.asked["urlredirect"], {"idop": operation.idop}), 303))

    @app.errorhandler(Fault)
    def refused(fault: Fault) -> tuple[str, int]:
        return render_template("refused.html", fault=fault), 400

    return app


class SoapEndpoint:
    """The web service, and what the faults make of it."""

    def __init__(self, till: Till, stopped: threading.Event) -> None:
        self._till = till
        self._stopped = stopped

    def call(self) -> Response:
        try:
            operation, fields = soap.read_call(request.get_data(cache=False))
        except soap.NotACall:
            return _xml(soap.technical_fault(Trouble.PROTOCOL), 500)
        mishap = self._till.mishap(operation, fields)
        if not mishap:
            return self._work(operation, fields)
        if mishap not in set(Trouble):
            return _xml(soap.functional_fault(Fault(mishap, "Refus demandé au simulateur")), 500)
        return self._trouble(Trouble(mishap), operation, fields)

    def _work(self, operation: str, fields: dict[str, str]) -> Response:
        try:
            return _xml(soap.answer(operation, self._answer(operation, fields)), 200)
        except Fault as fault:
            return _xml(soap.functional_fault(fault), 500)

    def _answer(self, operation: str, fields: dict[str, str]) -> dict[str, str]:
        if operation == "creerPaiementSecurise":
            return {"idOp": self._till.create(fields).idop}
        if operation == "recupererDetailPaiementSecurise":
            return self._till.detail(fields.get("idOp", ""))
        return self._till.client(fields.get("numCli", ""))

    def _trouble(self, trouble: Trouble, operation: str, fields: dict[str, str]) -> Response:
        if trouble in (Trouble.BREAKDOWN, Trouble.OUT_OF_SERVICE, Trouble.PROTOCOL):
            return _xml(soap.technical_fault(trouble), 500)
        if trouble is Trouble.CUT_BEFORE:
            return _cut()
        if trouble in (Trouble.SLOW, Trouble.CUT_AFTER, Trouble.TRUNCATED, Trouble.DOCTYPE):
            return self._spoilt(trouble, self._work(operation, fields))
        return _noise(trouble)

    def _spoilt(self, trouble: Trouble, done: Response) -> Response:
        """A true answer that arrives late, cut, shortened or with an entity in it."""
        if trouble is Trouble.CUT_AFTER:
            return _cut()
        if trouble is Trouble.SLOW:
            self._stopped.wait(self._till.faults.slow_seconds)
            return done
        text = done.get_data(as_text=True)
        if trouble is Trouble.TRUNCATED:
            return _xml(text[: len(text) // 2], 200)
        head, tail = text.split("?>", 1)
        return _xml(f'{head}?><!DOCTYPE S [<!ENTITY e SYSTEM "file:///etc/hostname">]>{tail}', 200)


def _noise(trouble: Trouble) -> Response:
    if trouble is Trouble.BAD_GATEWAY:
        return Response("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, mimetype="text/html")
    if trouble is Trouble.HTML:
        return Response(
            "<!DOCTYPE html><title>Maintenance</title><h1>Service en maintenance</h1>", mimetype="text/html"
        )
    if trouble is Trouble.HUGE:
        return Response((b"<a>" * 20_000 for _ in range(1000)), mimetype="text/xml")
    return Response(b"" if trouble is Trouble.EMPTY else b"\x00\xff\xfe&<<<\x1b[31m", mimetype="text/xml")


def _cut() -> Response:
    """Hang up in the middle of the conversation, as a failing network does."""
    line: Any = request.environ["werkzeug.socket"]
    with suppress(OSError):
        line.shutdown(SHUT_RDWR)
    return Response(status=500)


def _xml(text: str, status: int) -> Response:
    return Response(text, status, content_type="text/xml; charset=utf-8")


def _euros(operation: Operation) -> str:
    """1 234,56 € with the no-break spaces of French typography."""
    euros, cents = divmod(int(operation.asked["montant"]), 100)
    return f"{euros:,}".replace(",", "\u202f") + f",{cents:02d}\u00a0€"
