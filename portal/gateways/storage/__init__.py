"""Where the bytes of files are kept (always encrypted before they come here)."""

from pathlib import Path

from portal.gateways import UnsupportedUrl
from portal.gateways.storage.contract import ObjectLost, Sink, StorageFull, Store
from portal.gateways.storage.file import FileStore
from portal.gateways.storage.twin import StorageTwin

__all__ = ["ObjectLost", "Sink", "StorageFull", "Store", "connect"]


def connect(url: str) -> Store:
    """`file:PATH` (absolute, or relative to the current folder) or `twin:` (memory of this process).

    The path is taken as written: nothing is percent-decoded, so that a space or a % in it is itself.
    Raises `UnsupportedUrl`.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "file" and rest.removeprefix("//"):
        return FileStore(Path(rest.removeprefix("//")))
    if scheme == "twin":
        return StorageTwin()
    raise UnsupportedUrl(f"storage {scheme!r} is not supported by this version; use file:PATH (or twin: in tests)")
