"""The published files over HTTPS: HEAD tells the edition, GET brings it to disk, piece by piece."""

import hashlib
import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from portal.config import is_unsafe_address
from portal.gateways import Refused, Unavailable, UnsupportedUrl
from portal.gateways.directory.contract import Edition
from portal.gateways.door import Deadline, Door

_PIECE = 1 << 18
_LARGEST = 4 << 30
_SILENCE_S = 60.0
_STAMPED = re.compile(r"20\d{10}")
_SAFE = re.compile(r"[^A-Za-z0-9._-]")
_LATER = frozenset({408, 425, 429})


def checked(url: str, *, anywhere: bool = False) -> SplitResult:
    """The parts of an address that may be called: https, without a password, not this machine nor a private network.

    Raises `UnsupportedUrl`.
    """
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise UnsupportedUrl("directory: the address makes no sense") from None
    if parts.username or parts.password or not parts.hostname:
        raise UnsupportedUrl("directory: an address as https://name/path, without a password")
    if not anywhere and is_unsafe_address(url):
        raise UnsupportedUrl("directory: https, to a public name")
    if parts.scheme not in ("https", "http"):
        raise UnsupportedUrl("directory: https")
    return parts


class HttpsFiles:
    """`PublishedFiles` over HTTP/1.1, one connection a question. No redirection is followed: give the last address."""

    def __init__(self, *, anchors: Path | None, anywhere: bool, timeout_seconds: float) -> None:
        self.door = Door("directory", timeout_seconds=timeout_seconds)
        self._anywhere = anywhere
        try:
            self._tls = ssl.create_default_context(cafile=str(anchors) if anchors else None)
        except (OSError, ssl.SSLError):
            raise UnsupportedUrl("directory: the file of trusted roots cannot be read") from None

    def look(self, url: str) -> Edition:
        """See `PublishedFiles.look`."""
        with self.door.passage("look") as deadline, self._asked("HEAD", url, deadline) as answer:
            return _edition(url, answer.headers)

    def fetch(self, url: str, folder: Path) -> Path:
        """See `PublishedFiles.fetch`."""
        with self.door.passage("fetch") as deadline, self._asked("GET", url, deadline) as answer:
            path = folder / _edition(url, answer.headers).name
            part = path.with_name(path.name + ".part")
            try:
                _save(answer, part, deadline)
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)
            return path

    @contextmanager
    def _asked(self, verb: str, url: str, deadline: Deadline) -> Iterator[http.client.HTTPResponse]:
        try:
            parts = checked(url, anywhere=self._anywhere)
        except UnsupportedUrl as error:
            raise Refused("address", str(error)) from None
        line = self._line(parts, min(_SILENCE_S, deadline.remaining()))
        try:
            line.request(verb, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
            with line.getresponse() as answer:
                _judge(answer.status)
                yield answer
        except (OSError, http.client.HTTPException):
            raise Unavailable("the directory cannot be reached, or stopped in the middle") from None
        finally:
            line.close()

    def _line(self, parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port or 443, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, parts.port or 80, timeout=timeout)


def _judge(status: int) -> None:
    if 300 <= status < 400:
        raise Refused("redirection", "the file has moved: give its new address")
    if 400 <= status < 500 and status not in _LATER:
        raise Refused(str(status), "the directory does not give this file")
    if status != 200:
        raise Unavailable(f"the directory answered {status}")


def _save(answer: http.client.HTTPResponse, part: Path, deadline: Deadline) -> None:
    told, size = answer.length, 0
    with part.open("wb") as file:
        while piece := answer.read(_PIECE):
            deadline.remaining()
            size += len(piece)
            if size > _LARGEST:
                raise Refused("size", "the file is larger than the directory can be")
            file.write(piece)
    if told is not None and size != told:
        raise Unavailable("the file did not come whole")


def _edition(url: str, headers: Message) -> Edition:
    """The server's own name holds the moment of the edition; where it does not, its mark tells one from the next."""
    named = headers.get_filename() or unquote(urlsplit(url).path)
    name = _SAFE.sub("_", named.replace("\\", "/").rpartition("/")[2])[-120:].lstrip(".") or "directory"
    length = headers.get("Content-Length", "")
    if not _STAMPED.search(name):
        mark = headers.get("ETag") or headers.get("Last-Modified") or length
        name = f"{hashlib.sha256(mark.encode('utf-8', 'replace')).hexdigest()[:12]}_{name}"
    return Edition(name, int(length) if length.isascii() and length.isdecimal() else 0)
