"""Stripe tells the hospital that something happened: signed, several times, late, out of order, or never."""

import json
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import stripe

from portal.gateways.payments.stripe_twin.faults import Faults
from portal.gateways.payments.stripe_twin.objects import Object
from portal.gateways.payments.stripe_twin.orders import LOOPBACK


class Webhooks:
    """Sends events in the background, as the twin's `Faults` say. Without a URL, nothing is sent.

    secrets: one signature each, as during a rotation at Stripe.
    """

    def __init__(self, faults: Faults) -> None:
        self.url = ""
        self.secrets: tuple[str, ...] = ()
        self.answers: list[int] = []
        self._faults = faults
        self._held: list[Object] = []
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()

    def tell(self, event: Object) -> None:
        """Send one event, now, later, several times or never."""
        if not self.url:
            return
        if self._faults.webhook_held:
            self._held.append(event)
            return
        started = [
            threading.Thread(target=self._send, args=(event,), daemon=True) for _ in range(self._faults.webhook_copies)
        ]
        self._threads += started
        for thread in started:
            thread.start()

    def release(self, *, backwards: bool = False) -> None:
        """Send what was held, one after the other; backwards: the last that happened comes first."""
        held, self._held = self._held, []
        self._faults.webhook_held = False
        for event in reversed(held) if backwards else held:
            self.tell(event)
            self.wait()

    def signed(self, event: Object) -> tuple[str, str]:
        """The body and the `Stripe-Signature` header of one delivery."""
        body = json.dumps(event, indent=2)
        moment = int(time.time()) - self._faults.webhook_age_seconds
        secrets = [self._faults.webhook_secret] if self._faults.webhook_secret else self.secrets
        made = [
            stripe.WebhookSignature.generate_signature_header(body, secret, moment).partition(",")[2]
            for secret in secrets
        ]
        if self._faults.webhook_body_changed:
            body = body.replace('"livemode"', '"livemode" ')
        return body, ",".join([f"t={moment}", *made])

    def wait(self, timeout_seconds: float = 5.0) -> None:
        """Until every delivery under way has ended."""
        for thread in list(self._threads):
            thread.join(timeout_seconds)

    def stop(self) -> None:
        self._stopped.set()
        self.wait()

    def _send(self, event: Object) -> None:
        if self._faults.webhook_seconds and self._stopped.wait(self._faults.webhook_seconds):
            return
        if urlsplit(self.url).hostname not in LOOPBACK:
            return
        body, signature = self.signed(event)
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        with suppress(httpx.HTTPError):  # Stripe tries again for three days; here, `release` or the sweep
            answer = httpx.post(self.url, content=body, headers=headers, timeout=5.0, trust_env=False)
            self.answers.append(answer.status_code)
