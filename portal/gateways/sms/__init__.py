"""The SMS door. No operator yet: a demonstration prints its messages."""

from portal.gateways import UnsupportedUrl
from portal.gateways.sms.console import ConsoleSms
from portal.gateways.sms.contract import SmsSender

__all__ = ["SmsSender", "connect"]


def connect(url: str) -> SmsSender:
    """`console:` (printed). Raises `UnsupportedUrl`."""
    scheme = url.partition(":")[0]
    if scheme == "console":
        return ConsoleSms()
    raise UnsupportedUrl(f"sms {scheme!r} is not supported by this version: use console:")
