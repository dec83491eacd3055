"""The door to the published files of the national directory."""

from pathlib import Path

from portal.gateways.directory.contract import Edition, PublishedFiles
from portal.gateways.directory.https import HttpsFiles, checked

__all__ = ["Edition", "PublishedFiles", "checked", "connect"]


def connect(*, anchors: Path | None = None, anywhere: bool = False, timeout_seconds: float = 1800.0) -> PublishedFiles:
    """anchors: a file of root certificates in PEM to trust instead of the machine's: those of IGC-Santé, which no
    machine trusts by itself. anywhere: http and private addresses too; never in production.

    Raises `UnsupportedUrl` when the anchors cannot be read.
    """
    return HttpsFiles(anchors=anchors, anywhere=anywhere, timeout_seconds=timeout_seconds)
