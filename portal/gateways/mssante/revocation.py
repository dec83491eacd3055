"""The authorities' list of revoked certificates (CRL, RFC 5280): the last one that has not expired is kept.

An expired list says nothing of today: the door stays shut until another one comes, and mails wait where they are.
"""

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from portal.gateways import UnsupportedUrl
from portal.gateways.confined import confine
from portal.gateways.mssante.contract import Untrusted

_PEM_LIST = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
_MOST_BYTES = 20 * 2**20
_FETCH_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 3600.0
_ASK_AGAIN_SECONDS = 60.0


class RevocationList:
    """Safe to share between threads. One that is published is fetched every hour, a file is read every minute; the last
    good one is kept when that fails."""

    def __init__(
        self,
        source: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = source
        self._is_published = source.startswith(("http://", "https://"))
        self._clock, self._now = clock, now
        self._lock = threading.Lock()
        self._kept: list[x509.CertificateRevocationList] = []
        self._look_at: float | None = None
        if not self._is_published:
            self._kept = self._read()

    def current(self) -> str:
        """The lists as PEM. Raises `Untrusted` when one of them has expired, or none was ever had."""
        with self._lock:
            if self._look_at is None or self._clock() >= self._look_at:
                self._look()
            if not self._kept:
                raise Untrusted("the list of revoked certificates cannot be had")
            if any(_ends(each) <= self._now() for each in self._kept):
                raise Untrusted("the list of revoked certificates has expired")
            return "".join(each.public_bytes(Encoding.PEM).decode() for each in self._kept)

    def _look(self) -> None:
        try:
            found = self._read()
        except (UnsupportedUrl, requests.RequestException):
            found = []
        if found and all(_ends(each) > self._now() for each in found):
            self._kept = found
            self._look_at = self._clock() + (_LOOK_AGAIN_SECONDS if self._is_published else _ASK_AGAIN_SECONDS)
        else:
            self._look_at = self._clock() + (_ASK_AGAIN_SECONDS if self._is_published else 0)

    def _read(self) -> list[x509.CertificateRevocationList]:
        return _lists(_fetched(self._source) if self._is_published else _bytes(self._source))


# Kept from one job to the next: the authority is not asked for each mail, and its silence forgets nothing.
_published: dict[str, RevocationList] = {}
_published_lock = threading.Lock()


def revocation_list(source: str) -> RevocationList:
    """The list of a file, of a text, or published. Raises `UnsupportedUrl` when it cannot be read."""
    if not source.startswith(("http://", "https://")):
        return RevocationList(source)
    with _published_lock:
        return _published.setdefault(source, RevocationList(source))


def _bytes(source: str) -> bytes:
    if source.strip().startswith("-----BEGIN"):
        return source.encode()
    try:
        return Path(source).read_bytes()
    except (OSError, ValueError):
        raise UnsupportedUrl("mssante: the list of revoked certificates cannot be read") from None


def _fetched(url: str) -> bytes:
    """In clear is how authorities publish them: the list is signed. Raises requests' own errors."""
    with requests.Session() as caller:
        confine(caller)
        return _read_all(caller, url)


def _read_all(caller: requests.Session, url: str) -> bytes:
    with caller.get(url, timeout=_FETCH_SECONDS, stream=True, allow_redirects=False) as answer:
        answer.raise_for_status()
        found, ends = b"", time.monotonic() + _FETCH_SECONDS
        for piece in answer.iter_content(65536):
            found += piece
            if len(found) > _MOST_BYTES or time.monotonic() > ends:
                raise requests.RequestException("a list of revoked certificates without an end")
        return found


def _lists(raw: bytes) -> list[x509.CertificateRevocationList]:
    try:
        pems = _PEM_LIST.findall(raw)
        return [x509.load_pem_x509_crl(pem) for pem in pems] if pems else [x509.load_der_x509_crl(raw)]
    except ValueError:
        raise UnsupportedUrl("mssante: this is no list of revoked certificates") from None


def _ends(each: x509.CertificateRevocationList) -> datetime:
    """A list that does not say until when it is good is good for nothing (RFC 5280 § 5.1.2.5 makes it tell)."""
    return each.next_update_utc or datetime.min.replace(tzinfo=UTC)
