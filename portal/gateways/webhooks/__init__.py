"""The door of webhooks: events posted to the systems that subscribed to them."""

from portal.gateways.webhooks.addresses import checked
from portal.gateways.webhooks.contract import Webhooks
from portal.gateways.webhooks.https import HttpsWebhooks

__all__ = ["Webhooks", "checked", "connect"]


def connect(*, anywhere: bool = False, timeout_seconds: float = 10.0) -> Webhooks:
    """anywhere: http and private addresses too; never in production."""
    return HttpsWebhooks(anywhere=anywhere, timeout_seconds=timeout_seconds)
