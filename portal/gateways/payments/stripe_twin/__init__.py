"""A Stripe to pay fictional bills with: its API, its Checkout page, its webhooks, its moods.

`start_in_thread()` in tests; `python -m portal.gateways.payments.stripe_twin --port N` in the demonstration.
State lives in memory. It listens on the loopback and calls or sends browsers to nothing but the loopback.
"""

from portal.gateways.payments.stripe_twin.bank import Bank
from portal.gateways.payments.stripe_twin.faults import Faults, Trouble
from portal.gateways.payments.stripe_twin.server import RunningTwin, start_in_thread

__all__ = ["Bank", "Faults", "RunningTwin", "Trouble", "start_in_thread"]
