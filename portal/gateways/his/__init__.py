"""The hospital-system door: HL7 v2 over MLLP, or by a folder that both sides read."""

from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from portal.gateways import UnsupportedUrl, reach
from portal.gateways.his.contract import Dropped, HospitalSystem, NotAccepted, Parcel
from portal.gateways.his.folder import FolderSystem
from portal.gateways.his.hl7v2 import Acknowledgement, NotHl7
from portal.gateways.his.mllp import MllpSystem
from portal.gateways.his.none import NoSystem

__all__ = ["Acknowledgement", "Dropped", "HospitalSystem", "NotAccepted", "NotHl7", "Parcel", "check", "connect",
           "is_none"]  # fmt: skip

_KNOWN = "none:, mllp://host:port, mllps://host:port or folder:PATH"


def connect(url: str, *, label: str = "", timeout_seconds: float = 15.0) -> HospitalSystem:
    """`none:`, `mllp://host:port`, `mllps://host:port` (the same under TLS) or `folder:/absolute/path`.

    label: told apart by it on the connectors page (a FINESS number). Opens no connection yet. Raises `UnsupportedUrl`.
    """
    scheme = url.partition(":")[0]
    if is_none(url):
        return NoSystem(label)
    if scheme in ("mllp", "mllps"):
        return MllpSystem(_address(url), tls=scheme == "mllps", label=label, timeout_seconds=timeout_seconds)
    if scheme == "folder":
        return FolderSystem(_folder(url), label)
    if scheme in ("fhir+https", "fhir+http"):
        raise UnsupportedUrl(f"hospital system: appointments are not exchanged by FHIR through this door: use {_KNOWN}")
    raise UnsupportedUrl(f"hospital system {scheme[:20]!r} is not supported: use {_KNOWN}")


def check(url: str) -> None:
    """Look at an address before it is kept. Raises `UnsupportedUrl`; `reach.Inside` when nobody named it."""
    connect(url)
    if url.startswith("mllp"):
        reach.current().check(*_address(url))


def is_none(url: str) -> bool:
    """Whether the hospital has no system to exchange with."""
    return url.strip() in ("", "none:")


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsupportedUrl("hospital system: the port is not a number below 65536") from None
    if not parts.hostname or not port or _has_more(parts):
        raise UnsupportedUrl("hospital system: mllp needs a host and a port, and nothing else")
    return parts.hostname, port


def _has_more(parts: SplitResult) -> bool:
    return bool(parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment)


def _folder(url: str) -> Path:
    path = Path(url.removeprefix("folder:").removeprefix("//"))
    if not path.is_absolute():
        raise UnsupportedUrl("hospital system: folder needs an absolute path")
    return path
