"""Taking a mail apart (RFC 5322, RFC 2045), within limits.

Not with ``email.parser``: its time grows with depth times lines, its memory is many times the mail's, and its newer
readers of headers fail in ways of their own. Here every byte is looked at once per level of parts, in place.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.header import decode_header
from email.message import Message
from typing import Final

from services.documents.mss.facts import MailReason, MailUnreadable

MAX_DEPTH: Final = 12
MAX_PARTS: Final = 100
MAX_HEAD: Final = 128 * 1024
_MAX_HEADERS: Final = 500
_MAX_VALUE: Final = 20_000
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_NAME: Final = re.compile(r"[!-9;-~]{1,100}")
_UNSHOWN: Final = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# Those that mails use. An unknown one is read as UTF-8, else as Windows does; some codecs of Python cost much.
_CHARSETS: Final = {
    "us-ascii": "utf-8", "ascii": "utf-8", "utf-8": "utf-8", "utf8": "utf-8", "iso-8859-1": "windows-1252",
    "latin1": "windows-1252", "iso-8859-15": "iso-8859-15", "windows-1252": "windows-1252", "cp1252": "windows-1252",
    "utf-16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip


@dataclass(frozen=True)
class Head:
    """The headers of a mail or of a part: small names, values unfolded and not decoded, in order."""

    values: dict[str, tuple[str, ...]]

    def get(self, name: str) -> str:
        """Return the first value of a header, empty when there is none."""
        return self.values.get(name, ("",))[0]

    def words(self, name: str) -> str:
        """Return a header as a person reads it: decoded (RFC 2047), on one line, without signs that deceive."""
        return decoded(self.get(name))


@dataclass(frozen=True)
class Part:
    """A mail, or one of its parts. The bytes are those of the whole mail, between start and end."""

    head: Head
    raw: bytes = field(repr=False)
    start: int
    end: int
    media_type: str
    parts: tuple[Part, ...] = ()

    @property
    def body(self) -> bytes:
        """The bytes of its body as they are in the mail."""
        return self.raw[self.start : self.end]

    def walk(self) -> Iterator[Part]:
        """List this part and all those in it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def parameter(self, name: str, header: str = "content-type") -> str:
        """Return a parameter of a header (RFC 2231), empty when there is none."""
        return _parameter(self.head.get(header), name)

    @property
    def name(self) -> str:
        """The file name the sender gave, on one line."""
        return decoded(self.parameter("filename", "content-disposition") or self.parameter("name"))[:200]

    def content(self) -> bytes:
        """Return the body without its transfer encoding; damaged base64 gives what can be had of it."""
        encoding = self.head.get("content-transfer-encoding").strip().lower()
        if encoding == "base64":
            return _from_base64(self.body)
        return quopri.decodestring(self.body) if encoding == "quoted-printable" else self.body

    def text(self, most: int) -> str:
        """Return at most this many characters of a text part."""
        return in_charset(self.content()[: most * 4], self.parameter("charset"))[:most].replace("\r\n", "\n")


def parse(raw: bytes) -> Part:
    """Take a mail apart. Raises `MailUnreadable`; nothing else, whatever the bytes."""
    return _part(raw, 0, len(raw), 0, [0])


def _part(raw: bytes, start: int, end: int, depth: int, count: list[int]) -> Part:
    count[0] += 1
    if depth > MAX_DEPTH:
        raise MailUnreadable(MailReason.TOO_DEEP)
    if count[0] > MAX_PARTS:
        raise MailUnreadable(MailReason.TOO_MANY_PARTS)
    head, body = head_of(raw, start, end)
    media_type = _media_type(head.get("content-type"))
    below: tuple[Part, ...] = ()
    if media_type.startswith("multipart/"):
        boundary = _parameter(head.get("content-type"), "boundary")
        spans = _between(raw, body, end, boundary) if boundary else []
        below = tuple(_part(raw, *span, depth + 1, count) for span in spans)
    return Part(head, raw, body, end, media_type, below)


def head_of(raw: bytes, start: int, end: int) -> tuple[Head, int]:
    """Read the headers from `start`; returns them and where the body begins. Raises `MailUnreadable`."""
    empty = re.compile(rb"\r?\n").match(raw, start, end)
    if empty:
        return Head({}), empty.end()
    found = _HEAD_END.search(raw, start, min(end, start + MAX_HEAD))
    if found is None and end - start > MAX_HEAD:
        raise MailUnreadable(MailReason.HEADERS)
    stop, body = (found.start(), found.end()) if found else (end, end)
    return _headers(raw[start:stop]), body


def _headers(block: bytes) -> Head:
    lines = _FOLD.sub(b" ", block).split(b"\n")
    if len(lines) > _MAX_HEADERS:
        raise MailUnreadable(MailReason.HEADERS)
    values: dict[str, tuple[str, ...]] = {}
    for line in lines:
        name, colon, value = _as_text(line).partition(":")
        if colon and _NAME.fullmatch(name.rstrip()):
            key = name.rstrip().lower()
            values[key] = (*values.get(key, ()), value.strip()[:_MAX_VALUE])
    return Head(values)


def _between(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
    """Find where the parts of a multipart are; a last one without its closing line goes to the end."""
    line = re.compile(rb"(?m)^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*\r?$")
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    for found in line.finditer(raw, start, end):
        if opened is not None:
            spans.append((opened, _before_break(raw, opened, found.start())))
        opened = None if found[1] else min(found.end() + 1, end)
        if found[1]:
            break
        if len(spans) > MAX_PARTS:
            raise MailUnreadable(MailReason.TOO_MANY_PARTS)
    return [*spans, (opened, end)] if opened is not None else spans


def _before_break(raw: bytes, start: int, end: int) -> int:
    """Leave out the line break that belongs to the boundary after it."""
    for ending in (b"\r\n", b"\n"):
        if raw.endswith(ending, start, end):
            return end - len(ending)
    return end


def fields(block: bytes) -> Head:
    """Read a block of fields as headers (RFC 3464, RFC 8098). Raises `MailUnreadable`."""
    return _headers(block[:MAX_HEAD])


def _media_type(value: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,100})", value)
    return found[1].lower() if found else "text/plain"


def _parameter(value: str, name: str) -> str:
    holder = Message()
    holder["x"] = value[:4000]
    try:
        found = holder.get_param(name, "", "x")
    except (ValueError, LookupError, TypeError):
        return ""
    if isinstance(found, tuple):  # RFC 2231: charset, language, bytes
        return in_charset(found[2].encode("latin-1", "replace"), found[0] or "utf-8")
    return found or ""


def decoded(value: str) -> str:
    """Read words encoded by RFC 2047, as they are when they cannot be; always one line of signs that can be shown."""
    try:
        parts = [
            in_charset(part, charset or "") if isinstance(part, bytes) else part
            for part, charset in decode_header(value)
        ]
        value = "".join(parts) if len(parts) > 1 or isinstance(parts[0], str) else value
    except (ValueError, LookupError, binascii.Error):
        pass
    except Exception as error:  # HeaderParseError is of email's own family
        if type(error).__module__ != "email.errors":
            raise
    return " ".join(_UNSHOWN.sub(" ", value).split())


def in_charset(data: bytes, charset: str) -> str:
    """Decode text of a mail; nothing stops it: what cannot be decoded is marked."""
    name = _CHARSETS.get(charset.strip().lower(), "")
    for candidate in filter(None, (name, "utf-8")):
        try:
            return data.decode(candidate)
        except UnicodeDecodeError:
            continue
    return data.decode("utf-8" if name == "utf-8" and data.isascii() else "windows-1252", "replace")


def _as_text(line: bytes) -> str:
    return in_charset(line.strip(b"\r"), "utf-8")


def _from_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        return binascii.a2b_base64(kept[: len(kept) - (len(kept) % 4 == 1)] + b"==")
