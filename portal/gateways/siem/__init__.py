"""The door to the hospital's collector of security events (SIEM)."""

from urllib.parse import parse_qs, urlsplit

from portal.gateways import UnsupportedUrl
from portal.gateways.siem.contract import Collector, Entry
from portal.gateways.siem.file import FileCollector
from portal.gateways.siem.none import NoCollector
from portal.gateways.siem.syslog import SyslogCollector

__all__ = ["Collector", "Entry", "connect"]
_PORTS = {"syslog+tcp": 601, "syslog+tls": 6514}


def connect(url: str, *, timeout_seconds: float = 30.0) -> Collector:
    """`none:`, `file:PATH` (JSON lines), `syslog+tcp://HOST[:601]`, `syslog+tls://HOST[:6514][?ca=PATH]` (RFC 5424 over
    RFC 6587 and RFC 5425; ca: a PEM file to trust instead of the machine's). Raises `UnsupportedUrl`."""
    scheme, _colon, rest = url.partition(":")
    if scheme == "none":
        return NoCollector()
    if scheme == "file" and rest:
        return FileCollector(rest)
    parts = urlsplit(url)
    if scheme not in _PORTS or not parts.hostname:
        raise UnsupportedUrl(f"siem {scheme!r} is not supported: use none:, file:, syslog+tcp:// or syslog+tls://")
    try:
        address = parts.hostname, parts.port or _PORTS[scheme]
    except ValueError:
        raise UnsupportedUrl("siem: the port is not a number") from None
    anchors = parse_qs(parts.query).get("ca", [""])[0]
    return SyslogCollector(address, tls=scheme == "syslog+tls", anchors=anchors, timeout_seconds=timeout_seconds)
