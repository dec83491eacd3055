"""Objects in one bucket of an S3 store (path-style addresses), under a prefix of ours.

One request carries a small object; larger ones go in parts of five megabytes as they are written, so that one part of
an object is all that a process ever holds of it. The store checks each request's SHA-256 (which is signed) and MD5.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import RawIOBase
from types import TracebackType
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from lxml import etree

from portal.gateways import DoorError, Unavailable, UnsupportedUrl
from portal.gateways.door import Deadline, Door
from portal.gateways.storage.contract import ObjectLost, checked, probe
from portal.gateways.storage.s3_line import Answer, Line, NoSuchUpload, PastTheEnd, Place
from portal.gateways.storage.sigv4 import Signer

PART_BYTES = 5 * 1024 * 1024
"""The smallest part that stores accept (all but the last must have it)."""
_READ_BYTES = 4 * 1024 * 1024
_BESIDE_S = 5.0
"""For a part, or four megabytes to read, while others wait too."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"([A-Za-z0-9._-]{1,64}/)*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-f:]+\](:[0-9]{1,5})?", re.ASCII)
_ETAG = re.compile(r'"?[A-Za-z0-9+/=_-]{1,200}"?', re.ASCII)


@dataclass(frozen=True)
class S3Address:
    """`s3://host[:port]/bucket[/prefix][?region=…&ca=PATH]`, or `s3+http://` without TLS."""

    place: Place
    bucket: str
    prefix: str
    region: str

    @classmethod
    def of(cls, url: str) -> "S3Address":
        """Raises `UnsupportedUrl`."""
        parts = urlsplit(url)
        bucket, _slash, prefix = parts.path.removeprefix("/").partition("/")
        prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        is_ours = _HOST.fullmatch(parts.netloc) and _BUCKET.fullmatch(bucket) and _PREFIX.fullmatch(prefix)
        if not is_ours or ".." in prefix or given.keys() - {"region", "ca"} or parts.fragment:
            raise UnsupportedUrl("an S3 storage is s3://host[:port]/bucket[/prefix][?region=…&ca=PATH]")
        place = Place(parts.netloc, parts.scheme == "s3", given.get("ca", ""))
        return cls(place, bucket, prefix, given.get("region") or "us-east-1")


class S3Store:
    """`Store` over a bucket that exists already.

    Two doors: a store that is full, or forbids to write, can still be read. is_hurried: as for a `Door`.
    """

    def __init__(
        self,
        address: S3Address,
        access_key: str,
        secret_key: str,
        *,
        timeout_seconds: float = 15.0,
        is_hurried: Callable[[], bool] = lambda: True,
    ) -> None:
        limits: dict[str, Any] = {
            "timeout_seconds": timeout_seconds, "beside_seconds": _BESIDE_S, "is_hurried": is_hurried,
        }  # fmt: skip
        self.reading, self.writing = (Door(f"storage.s3.{each}", **limits) for each in ("reading", "writing"))
        self.line = Line(address.place, Signer(access_key, secret_key, address.region))
        self._bucket = f"/{address.bucket}"
        self._prefix = address.prefix

    def sink(self, key: str) -> "S3Sink":
        """See `Store.sink`. Nothing is asked of the store before there is a part, or all, to send."""
        return S3Sink(self, self.path(key))

    def open(self, key: str) -> BinaryIO:
        """See `Store.open`. The beginning is read at once; the rest when it is asked for."""
        return cast(BinaryIO, S3Reader(self, self.path(key)))

    def exists(self, key: str) -> bool:
        """See `Store.exists`."""
        return self.length(key) is not None

    def length(self, key: str) -> int | None:
        """How many bytes the object has; None when there is none. Raises `Unavailable`."""
        path = self.path(key)
        with self.reading.passage("exists") as deadline:
            return self.length_at(path, deadline)

    def length_at(self, path: str, deadline: Deadline) -> int | None:
        try:
            answer = self.line.ask(deadline, "HEAD", path)
        except ObjectLost:
            return None
        _tag(answer)
        return int(answer.headers.get("content-length", "0"))

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        path = self.path(key)
        with self.writing.passage("delete") as deadline, suppress(ObjectLost):
            self.line.ask(deadline, "DELETE", path)

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]:
        """See `Store.keys`. A thousand at a time, while they are asked for."""
        limit = datetime.now(UTC).timestamp() - older_than_seconds if older_than_seconds else None
        query = {"list-type": "2", "max-keys": "1000", "prefix": self._prefix}
        return (
            _text(found, "Key").removeprefix(self._prefix)
            for page in self._pages(self.reading, "keys", query, {"continuation-token": "NextContinuationToken"})
            for found in _all(page, "Contents")
            if limit is None or _moment(_text(found, "LastModified")) < limit
        )

    def sweep(self, older_than_seconds: float) -> int:
        """See `Store.sweep`: uploads in parts that were begun, and neither ended nor given up."""
        limit = datetime.now(UTC).timestamp() - older_than_seconds
        query = {"uploads": "", "max-uploads": "1000", "prefix": self._prefix}
        marks = {"key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker"}
        old = [
            (_text(upload, "Key"), _text(upload, "UploadId"))
            for page in self._pages(self.writing, "sweep", query, marks)
            for upload in _all(page, "Upload")
            if _moment(_text(upload, "Initiated")) < limit
        ]
        for key, upload_id in old:
            self.give_up(f"{self._bucket}/{key}", upload_id)
        return len(old)

    def check(self) -> None:
        """See `Store.check`."""
        probe(self, f"check/{uuid4()}")

    def path(self, key: str) -> str:
        return f"{self._bucket}/{self._prefix}{checked(key)}"

    def give_up(self, path: str, upload_id: str) -> None:
        """Forget the parts of an upload. Raises `Unavailable`."""
        with self.writing.passage("abort") as deadline, suppress(ObjectLost):
            try:
                self.line.ask(deadline, "DELETE", path, {"uploadId": upload_id})
            except NoSuchUpload:
                return

    def _pages(
        self, door: Door, operation: str, query: Mapping[str, str], marks: Mapping[str, str]
    ) -> Iterator[etree._Element]:
        """Every page of a list. marks: the parameter of the next page → the element of this one that gives it."""
        following: dict[str, str] = {}
        while True:
            with door.passage(operation) as deadline:
                page = _parsed(self._listed(deadline, {**query, **following}))
            yield page
            following = {name: found for name, tag in marks.items() if (found := _text(page, tag))}
            if _text(page, "IsTruncated") != "true" or not following:
                return

    def _listed(self, deadline: Deadline, query: Mapping[str, str]) -> Answer:
        try:
            return self.line.ask(deadline, "GET", self._bucket, query)
        except ObjectLost:
            raise Unavailable("the bucket does not exist") from None


class S3Sink:
    """`Sink` into one request, or into the parts of an upload that nobody sees before its end."""

    def __init__(self, store: S3Store, path: str) -> None:
        self._store = store
        self._path = path
        self._buffer: bytearray | None = bytearray()
        self._upload_id = ""
        self._parts: list[str] = []
        self._sent = 0

    def write(self, data: bytes) -> int:
        """See `Sink.write`."""
        buffer = self._unfinished()
        buffer += data
        while len(buffer) > PART_BYTES:  # the last part is never empty
            self._send(bytes(buffer[:PART_BYTES]))
            del buffer[:PART_BYTES]
        return len(data)

    def commit(self) -> None:
        """See `Sink.commit`."""
        rest = bytes(self._unfinished())
        try:
            if self._upload_id:
                self._send(rest)
                self._end()
            else:
                with self._store.writing.passage("commit") as deadline:
                    _tag(self._ask(deadline, "PUT", {}, rest))
        except BaseException:
            self.abort()
            raise
        self._buffer, self._upload_id = None, ""

    def abort(self) -> None:
        """See `Sink.abort`. What the store does not hear of is swept later."""
        self._buffer = None
        upload_id, self._upload_id = self._upload_id, ""
        if upload_id:
            with suppress(DoorError):
                self._store.give_up(self._path, upload_id)

    def _send(self, part: bytes) -> None:
        if not self._upload_id:
            with self._store.writing.passage("sink") as deadline:
                self._upload_id = _text(_parsed(self._ask(deadline, "POST", {"uploads": ""})), "UploadId")
                if not self._upload_id:
                    raise Unavailable("the storage names no upload")
        number = len(self._parts) + 1
        with self._store.writing.passage("part") as deadline:
            answer = self._ask(deadline, "PUT", {"partNumber": str(number), "uploadId": self._upload_id}, part)
            tag = _tag(answer)
        self._parts.append(tag)
        self._sent += len(part)

    def _end(self) -> None:
        """Put the parts together. An end said twice, or an answer that was lost: look whether the object is there."""
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in enumerate(self._parts, 1)
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        with self._store.writing.passage("commit") as deadline:
            with suppress(NoSuchUpload):
                self._ask(deadline, "POST", {"uploadId": self._upload_id}, body)
            if self._store.length_at(self._path, deadline) != self._sent:
                raise Unavailable("the storage did not keep the whole object")

    def _ask(self, deadline: Deadline, method: str, query: Mapping[str, str], body: bytes = b"") -> Answer:
        try:
            return self._store.line.ask(deadline, method, self._path, query, {}, body)
        except ObjectLost:  # 404 of something that is being written
            raise Unavailable("the bucket does not exist") from None

    def _unfinished(self) -> bytearray:
        if self._buffer is None:
            raise ValueError("this object was already committed or aborted")
        return self._buffer

    def __enter__(self) -> "S3Sink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class S3Reader(RawIOBase):
    """An object read four megabytes at a time, each of them whole or not at all.

    No line waits for a slow telephone; a cut answer is asked for again; an object replaced meanwhile is refused.
    """

    def __init__(self, store: S3Store, path: str) -> None:
        self._store = store
        self._path = path
        self._position = 0
        self._start = 0
        self._held = b""
        self._total = 0
        self._tag = ""
        self._lock = threading.Lock()
        self._fetch(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._position = max(0, (0, self._position, self._total)[whence] + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises `ObjectLost`, `Unavailable`: never fewer bytes than there are, unless fewer were asked for."""
        wanted = self._total - self._position if size is None or size < 0 else size
        pieces = []
        with self._lock:
            while wanted > 0 and self._position < self._total:
                if not self._start <= self._position < self._start + len(self._held):
                    self._fetch(self._position)
                at = self._position - self._start
                pieces.append(self._held[at : at + wanted])
                self._position += len(pieces[-1])
                wanted -= len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readall(self) -> bytes:
        return self.read()

    def _fetch(self, start: int) -> None:
        wanted = {"Range": f"bytes={start}-{start + _READ_BYTES - 1}"} | ({"If-Match": self._tag} if self._tag else {})
        with self._store.reading.passage("open") as deadline:
            try:
                answer = self._store.line.ask(deadline, "GET", self._path, {}, wanted)
            except PastTheEnd:
                if start:
                    raise
                return  # an empty object has no first byte
            tag, total = _tag(answer), _total(answer, start)
            if self._tag and total != self._total:
                raise Unavailable("the storage gives another object than the one it began with")
        self._start, self._held, self._total = start, answer.body, total
        self._tag = tag


def _tag(answer: Answer) -> str:
    """What every store says of every object. Raises `Unavailable`: somebody else answers in its place, and says yes."""
    tag = answer.headers.get("etag", "")
    if not _ETAG.fullmatch(tag):
        raise Unavailable("what answers at the storage's address is no storage")
    return tag


def _total(answer: Answer, start: int) -> int:
    """How long the whole object is; raises `Unavailable` unless the answer is the range that was asked for."""
    if answer.status == 200 and start == 0:  # a store that knows no ranges, or an object that is empty
        if answer.headers.get("content-length") != str(len(answer.body)):  # a cut would look like the end
            raise Unavailable("the storage does not say how long the object is")
        return len(answer.body)
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("content-range", ""))
    if answer.status != 206 or found is None:
        raise Unavailable("the storage does not give the part that was asked for")
    first, last, total = map(int, found.groups())
    if first != start or last != min(start + _READ_BYTES, total) - 1 or len(answer.body) != last - first + 1:
        raise Unavailable("the storage does not give the part that was asked for")
    return total


def _parsed(answer: Answer) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        found = etree.fromstring(answer.body, parser)
    except etree.XMLSyntaxError:
        raise Unavailable("the storage's answer cannot be understood") from None
    if not etree.QName(found).localname.endswith("Result"):
        raise Unavailable("what answers at the storage's address is no storage")
    return found


def _all(element: etree._Element, path: str) -> list[etree._Element]:
    """Elements by their path, whatever the namespace: stores differ."""
    return element.findall("/".join(f"{{*}}{name}" for name in path.split("/")))


def _texts(element: etree._Element, path: str) -> list[str]:
    return [found.text or "" for found in _all(element, path)]


def _text(element: etree._Element, path: str) -> str:
    return next(iter(_texts(element, path)), "")


def _moment(written: str) -> float:
    """A moment of ISO 8601, in seconds since 1970; one that cannot be read is of now: nothing of it is swept."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return datetime.now(UTC).timestamp()
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
