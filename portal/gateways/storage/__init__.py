"""Where the bytes of files are kept (always encrypted before they come here)."""

from collections.abc import Callable
from pathlib import Path

from portal.gateways import UnsupportedUrl
from portal.gateways.storage.contract import ObjectLost, Sink, StorageFull, Store
from portal.gateways.storage.file import FileStore
from portal.gateways.storage.s3 import S3Address, S3Store
from portal.gateways.storage.twin import StorageTwin

__all__ = ["ObjectLost", "Sink", "StorageFull", "Store", "connect", "where"]


def connect(
    url: str, access_key: str = "", secret_key: str = "", *, is_hurried: Callable[[], bool] = lambda: False
) -> Store:
    """`file:PATH` (absolute, or relative to the current folder), `s3://host[:port]/bucket[/prefix][?region=…&ca=PATH]`
    (`s3+http://` without TLS), which takes the two keys, or `twin:` (memory of this process). is_hurried: whether
    somebody waits for a page now.

    A file's path is taken as written: nothing is percent-decoded, so that a space or a % in it is itself.
    Raises `UnsupportedUrl`.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "file" and rest.removeprefix("//"):
        return FileStore(Path(rest.removeprefix("//")))
    if scheme in ("s3", "s3+http"):
        return S3Store(S3Address.of(url), access_key, secret_key, is_hurried=is_hurried)
    if scheme == "twin":
        return StorageTwin()
    raise UnsupportedUrl(
        f"storage {scheme!r} is not supported by this version; use file:PATH or s3://host/bucket (or twin: in tests)"
    )


def where(url: str) -> object:
    """What is the same for two addresses of one place, however they are written. Raises `UnsupportedUrl`."""
    scheme, _, rest = url.partition(":")
    if scheme == "file":
        return Path(rest.removeprefix("//")).resolve()
    if scheme in ("s3", "s3+http"):
        address = S3Address.of(url)
        return address.place.host.lower(), address.bucket, address.prefix
    return url
