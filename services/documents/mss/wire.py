"""Mails as bytes (RFC 5322, RFC 2045 to 2047): written by hand, so that the same mail is always the same bytes, and a
mail that is returned inside another is returned as it came.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from typing import Final

from services.documents.mss.facts import BadHeader

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_EOL: Final = b"\r\n"
_NOT_TOKENS: Final = re.compile(r'["\\]')
_ANY_BREAK: Final = re.compile(r"\r\n|\r|\n")

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """A part of a mail: its headers, ready to be written, and its body, encoded."""

    headers: Headers
    body: bytes


def line(name: str, value: str) -> bytes:
    """Write one header, folded; words that are not ASCII as RFC 2047 says. Raises `BadHeader`."""
    if _CONTROL.search(value):
        raise BadHeader(name)
    charset = "us-ascii" if value.isascii() else "utf-8"
    folded = Header(value, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")
    return f"{name}: {folded}".encode("ascii") + _EOL


def mailbox(label: str, address: str) -> str:
    """Write a label and an address as one value. Raises `BadHeader` for a label of several lines."""
    if _CONTROL.search(label):
        raise BadHeader("From")
    if not label:
        return address
    if label.isascii():
        return f'"{_NOT_TOKENS.sub("", label)}" <{address}>'
    words = Header(label, "utf-8", maxlinelen=70).encode(linesep="\n").split()
    return f"{' '.join(words)} <{address}>"


def moment(at: datetime) -> str:
    return format_datetime(at)


def text(words: str) -> Part:
    """A part for people: UTF-8 (ECO.2.2.3), in base64, so that no relay changes it."""
    said = _ANY_BREAK.sub("\r\n", words).encode("utf-8", "replace")
    headers = (("Content-Type", 'text/plain; charset="utf-8"'), ("Content-Transfer-Encoding", "base64"))
    return Part(headers, _base64(said))


def attached(name: str, media_type: str, data: bytes) -> Part:
    """A joined file; its name is plain ASCII."""
    if not name.isascii() or _NOT_TOKENS.search(name) or _CONTROL.search(name):
        raise BadHeader("Content-Disposition")
    headers = (
        ("Content-Type", f'{media_type}; name="{name}"'),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
    )
    return Part(headers, _base64(data))


def plain(media_type: str, body: bytes) -> Part:
    """A part whose bytes stand as they are; eight-bit ones are said to be."""
    encoding = () if body.isascii() else (("Content-Transfer-Encoding", "8bit"),)
    return Part((("Content-Type", media_type), *encoding), body)


def _base64(data: bytes) -> bytes:
    encoded = base64.b64encode(data)
    return _EOL.join(encoded[at : at + 76] for at in range(0, len(encoded), 76))


def mail(headers: Headers, body: Part) -> bytes:
    """Write a mail of one part."""
    return _head((*headers, ("MIME-Version", "1.0"), *body.headers)) + _EOL + body.body + _EOL


def mail_of(headers: Headers, kind: str, parts: Sequence[Part]) -> bytes:
    """Write a mail of several parts; kind: ``mixed``, or ``report; report-type=…``."""
    boundary = _boundary(headers, parts)
    subtype, _, parameters = kind.partition(";")
    type_ = f'multipart/{subtype};{parameters + ";" if parameters else ""} boundary="{boundary}"'
    written = [_head((*headers, ("MIME-Version", "1.0"), ("Content-Type", type_)))]
    for part in parts:
        written += [b"\r\n--", boundary.encode(), _EOL, _head(part.headers), _EOL, part.body]
    return b"".join((*written, b"\r\n--", boundary.encode(), b"--\r\n"))


def _boundary(headers: Headers, parts: Sequence[Part]) -> str:
    """Find a line that no part holds, the same each time for the same mail."""
    seed = hashlib.sha256(repr(headers).encode("utf-8", "replace")).hexdigest()
    while any(f"=_{seed[:32]}".encode() in part.body for part in parts):
        seed = hashlib.sha256(seed.encode()).hexdigest()
    return f"=_{seed[:32]}"


def _head(headers: Headers) -> bytes:
    return b"".join(line(name, value) for name, value in headers if value)
