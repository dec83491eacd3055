"""Signed requests to an S3 store over HTTP/1.1: lines kept open, tried again where it is safe, errors told apart."""

import base64
import hashlib
import http.client
import random
import re
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from portal.gateways import Unavailable
from portal.gateways.door import Deadline
from portal.gateways.storage.contract import ObjectLost, StorageFull
from portal.gateways.storage.sigv4 import Signer, encoded_path, encoded_query

ATTEMPTS = 3
_LARGEST_ANSWER = 16 * 1024 * 1024
_KEPT_LINES = 16
_BACK_OFF_S = 0.2
_AGAIN = frozenset({429, 500, 502, 503, 504})
_AGAIN_CODES = frozenset({"RequestTimeout", "BadDigest", "InternalError", "SlowDown", "OperationAborted"})
_FULL = frozenset(
    {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge", "InsufficientCapacity"}
)
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,60})</Code>")
_MEANINGS = {
    "NoSuchBucket": "the bucket does not exist",
    "AccessDenied": "our key may not do that in this bucket",
    "InvalidAccessKeyId": "our access key is not known there",
    "SignatureDoesNotMatch": "our secret key is not the right one",
    "AuthorizationHeaderMalformed": "the region is not the right one",
    "RequestTimeTooSkewed": "this machine's clock is not right",
    "BadDigest": "what arrived is not what was sent",
    "XAmzContentSHA256Mismatch": "what arrived is not what was sent",
}


class NoSuchUpload(Unavailable):
    """The store does not know this multipart upload, or not any more."""


class PastTheEnd(Unavailable):
    """No byte is where the reading was to begin."""


@dataclass(frozen=True)
class Answer:
    """A status from 200 to 299. headers: in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Raw:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        found = _CODE.search(self.body[:4096])
        return found[1].decode() if found else ""

    @property
    def is_passing(self) -> bool:
        """Whether the same request may go through a moment later."""
        return self.status in _AGAIN or self.code in _AGAIN_CODES


@dataclass(frozen=True)
class Place:
    """Where a store is. host: with its port when it is not the usual one. ca: a file of certificates, or nothing."""

    host: str
    is_tls: bool
    ca: str = ""


@dataclass
class Line:
    """The way to one store, shared by the threads of this process. Nothing is opened before the first request."""

    place: Place
    signer: Signer
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep
    _idle: list[http.client.HTTPConnection] = field(default_factory=list)
    _tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        weakref.finalize(self, _close_all, self._idle)

    def ask(
        self,
        deadline: Deadline,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """One request, tried up to three times within the deadline: all of ours can be done twice.

        Raises `ObjectLost` (404 of an object), `StorageFull`, `NoSuchUpload`, `PastTheEnd`, `Unavailable`.
        """
        for attempt in range(ATTEMPTS):
            try:
                raw = self._exchanged(deadline, method, path, query or {}, headers or {}, body)
            except (OSError, http.client.HTTPException) as error:
                if attempt + 1 == ATTEMPTS or isinstance(error, TimeoutError | ssl.SSLCertVerificationError):
                    raise Unavailable(_told(error)) from None
            else:
                if 200 <= raw.status < 300 and not raw.code:
                    return Answer(raw.status, raw.headers, raw.body)
                if attempt + 1 == ATTEMPTS or not raw.is_passing:
                    raise _fact(raw)
            self._wait(deadline, attempt)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, deadline: Deadline, attempt: int) -> None:
        """Longer each time, and not at the same moment as our other processes."""
        seconds = _BACK_OFF_S * 4**attempt * random.uniform(0.5, 1.0)  # noqa: S311  # spreads calls, hides nothing
        try:
            left = deadline.remaining()
        except TimeoutError as error:
            raise Unavailable(_told(error)) from None
        if seconds >= left:
            raise Unavailable("the storage does not answer within its time limit")
        self.pause(seconds)

    def _exchanged(
        self,
        deadline: Deadline,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> _Raw:
        given = {**headers, "Host": self.place.host, "Content-Length": str(len(body))}
        if body:
            given["Content-MD5"] = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        signed = self.signer.signed(method, path, query, given, hashlib.sha256(body).hexdigest(), self.now())
        target = encoded_path(path) + (f"?{encoded_query(query)}" if query else "")
        while True:
            line, was_idle = self._line(deadline)
            try:
                raw, is_reusable = _through(line, deadline, method, target, signed, body)
            except BaseException as error:
                line.close()
                # A line that was kept may have been closed by the other end since: that is no failure.
                if was_idle and isinstance(error, http.client.BadStatusLine | ConnectionError):
                    continue
                raise
            if is_reusable and len(self._idle) < _KEPT_LINES:
                self._idle.append(line)
            else:
                line.close()
            return raw

    def _line(self, deadline: Deadline) -> tuple[http.client.HTTPConnection, bool]:
        """A line that was kept open, the last used first, or a new one; and which of both."""
        with suppress(IndexError):
            return self._idle.pop(), True
        line = self._new(deadline.remaining())
        line.connect()
        return line, False

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        if not self.place.is_tls:
            return http.client.HTTPConnection(self.place.host, timeout=timeout)
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self.place.ca or None)
        return http.client.HTTPSConnection(self.place.host, timeout=timeout, context=self._tls)


def _close_all(lines: list[http.client.HTTPConnection]) -> None:
    while lines:
        lines.pop().close()


def _through(
    line: http.client.HTTPConnection,
    deadline: Deadline,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
) -> tuple[_Raw, bool]:
    """The answer whole, and whether the line can serve again. Raises OSError, HTTPException: also for a cut answer."""
    assert isinstance(line.sock, socket.socket)
    line.sock.settimeout(deadline.remaining())
    with deadline.cutting(line.sock):
        with suppress(BrokenPipeError, ConnectionResetError):  # it refuses before it has read all: it says why
            line.request(method, target, body or None, dict(headers))
        answer = line.getresponse()
        if (answer.length or 0) > _LARGEST_ANSWER:
            raise http.client.HTTPException("an answer larger than anything we ask for")
        content = answer.read(_LARGEST_ANSWER)
        if answer.length:  # read(n) does not say so by itself
            raise http.client.IncompleteRead(b"", answer.length)
    deadline.remaining()  # an answer cut at the end of the time looks like a short one
    found = {name.lower(): value for name, value in answer.getheaders()}
    return _Raw(answer.status, found, content), answer.isclosed() and not answer.will_close


def _fact(raw: _Raw) -> Exception:
    """What the store says, as what a door says. Only codes that we know, or that look like one, reach a log."""
    code = raw.code
    if code == "NoSuchUpload":
        return NoSuchUpload("the storage forgot an upload")
    if code in _FULL or raw.status == 507:
        return StorageFull("the storage is full")
    if code in _MEANINGS:
        return Unavailable(f"{_MEANINGS[code]} ({code})")
    if raw.status == 404 and (code or not raw.body):  # a HEAD has no words; a page without a code is somebody else's
        return ObjectLost()
    if raw.status == 403:  # a HEAD says no more
        return Unavailable("our key may not do that in this bucket, or is not the right one (403)")
    if raw.status == 416:
        return PastTheEnd("the object is shorter")
    if 300 <= raw.status < 400:
        return Unavailable("the storage is elsewhere: its address or its region is not the right one")
    return Unavailable(f"the storage answered {raw.status}" + (f" ({code})" if code else ""))


def _told(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the storage's certificate cannot be trusted"
    if isinstance(error, TimeoutError):
        return "the storage does not answer within its time limit"
    return f"the line to the storage fails ({type(error).__name__})"
