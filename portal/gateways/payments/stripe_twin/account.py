"""One Stripe account: its objects, its movements, its events, oldest first."""

import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from portal.gateways.payments.stripe_twin import objects
from portal.gateways.payments.stripe_twin.objects import Object
from portal.gateways.payments.stripe_twin.orders import Refusal


@dataclass
class Account:
    """tell: called with each event as it happens. Whoever changes something holds `lock`."""

    id: str
    name: str
    live: bool
    clock: Callable[[], int]
    tell: Callable[[Object], None]
    objects: dict[str, Object] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def keep(self, made: Object) -> Object:
        self.objects[made["id"]] = made
        return made

    def known(self, name: str, kind: str) -> Object:
        """Raises `Refusal` resource_missing."""
        found = self.objects.get(name)
        if found is None or found["object"] != kind:
            raise Refusal("resource_missing", f"No such {kind}: '{name}'", status=404, param="id")
        return found

    def all(self, kind: str) -> list[Object]:
        """Newest first, as Stripe lists them."""
        return [one for one in reversed(list(self.objects.values())) if one["object"] == kind]

    def happen(self, kind: str, about: Object) -> None:
        self.tell(self.keep(objects.event(kind, deepcopy(about), live=self.live, now=self.clock())))

    def move(self, kind: str, category: str, amount: int, source: str, fee: int = 0) -> Object:
        return self.keep(objects.movement(kind, category, amount, source, fee=fee, now=self.clock()))

    def charge_of(self, payment: str) -> Object:
        """The charge of a payment intent. Raises `Refusal`."""
        latest = self.known(payment, "payment_intent")["latest_charge"]
        if latest is None:
            raise Refusal("charge_invalid", "This PaymentIntent does not have a successful charge to refund.")
        return self.known(latest, "charge")
