"""The scanner that sees every received file before anyone may open it."""

from urllib.parse import urlsplit

from portal.gateways import UnsupportedUrl
from portal.gateways.antivirus.clamd import ClamdScanner
from portal.gateways.antivirus.contract import Scanner, Verdict
from portal.gateways.antivirus.none import NoScanner
from portal.gateways.antivirus.twin import ScannerTwin

__all__ = ["Scanner", "Verdict", "connect"]


def connect(url: str) -> Scanner:
    """`none:`, `clamd://host:port`, `clamd:///path/of/socket` or `twin:` (knows the EICAR test file only).

    Opens no connection yet. Raises `UnsupportedUrl`.
    """
    scheme = url.partition(":")[0]
    if scheme == "none":
        return NoScanner()
    if scheme == "twin":
        return ScannerTwin()
    if scheme == "clamd":
        return ClamdScanner(_clamd_address(url))
    known = "none:, clamd://host:port, clamd:///socket or twin:"
    raise UnsupportedUrl(f"antivirus {scheme!r} is not supported: use {known}")


def _clamd_address(url: str) -> tuple[str, int] | str:
    try:
        parts = urlsplit(url)
        if parts.hostname:
            return parts.hostname, parts.port or 3310
    except ValueError:
        raise UnsupportedUrl("antivirus: the port is not a number") from None
    if parts.path.startswith("/"):
        return parts.path
    raise UnsupportedUrl("antivirus: clamd needs a host or the path of a socket")
