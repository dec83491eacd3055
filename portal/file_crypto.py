"""The format of a stored file: encrypted as it streams, in pieces that cannot be moved or cut.

Layout of version 1 (all numbers big-endian)::

    offset  size  what
    0       3     the letters ``PRV``
    3       1     version of this format, 1
    4       20    id of the key-encryption key, ASCII, padded with NUL
    24      40    the file's own data key (32 random bytes), AES-256 key wrap (RFC 3394)
    64      …     chunks: ciphertext of 262144 bytes (the last one may be shorter), then its tag of 16 bytes

Each chunk is AES-256-GCM under the data key. Its nonce is its number (0, 1, 2 …) on 12 bytes: a data key serves one
file only, so no nonce is used twice (NIST SP 800-38D, 8.2.1). Its additional data are the version, one byte that
says whether it is the last chunk, and the caller's ``context`` (the file's id). Therefore a chunk that was changed,
moved, repeated, taken from another file or left out of the end does not open, and neither does a whole file put in
the place of another.

Rotation touches the 64 bytes of the header only (`rewrap`): they never change size, and chunks do not depend on them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

CHUNK_SIZE: Final = 256 * 1024
HEADER_SIZE: Final = 64
_TAG_SIZE: Final = 16
_KEY_SIZE: Final = 32
_KEY_ID_SIZE: Final = 20
_MAGIC: Final = b"PRV"
_VERSION: Final = b"\x01"
_KEY_ID: Final = re.compile(rf"[A-Za-z0-9_.-]{{1,{_KEY_ID_SIZE}}}")


class FileCryptoError(Exception):
    """What can go wrong with an encrypted file; the class says which."""


class NotAnEncryptedFile(FileCryptoError):
    """These bytes do not begin with a header of a known version."""


class FileTampered(FileCryptoError):
    """The file was changed, cut, reordered, or is not the one that was asked for."""


class FileKeyMissing(FileCryptoError):
    """The file was sealed with a key that is no longer in ``PORTAL_FILE_KEYS``."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


class FileKeysInvalid(FileCryptoError):
    """``PORTAL_FILE_KEYS`` cannot be used; the message never contains a key."""


class Readable(Protocol):
    """Anything to read bytes from: a file, a socket's body, a BytesIO."""

    def read(self, size: int, /) -> bytes: ...


class Sealed(NamedTuple):
    """What was written: size in bytes and SHA-256 (32 bytes) of the plaintext."""

    size: int
    sha256: bytes


@dataclass(frozen=True, repr=False)
class FileKeys:
    """The key-encryption keys: the current one seals, all of them open."""

    current_id: str
    by_id: Mapping[str, bytes]

    def __repr__(self) -> str:  # keys must not reach a log through a traceback
        return f"FileKeys({', '.join(self.by_id)})"

    @classmethod
    def of(cls, ring: Mapping[str, bytes]) -> FileKeys:
        """Take the keys as the configuration read them: id to 32 bytes, current one first. Raises `FileKeysInvalid`."""
        for key_id, key in ring.items():
            if not _KEY_ID.fullmatch(key_id):
                raise FileKeysInvalid(f"key id {key_id!r}: at most {_KEY_ID_SIZE} of A-Z a-z 0-9 _ . -")
            if len(key) != _KEY_SIZE:
                raise FileKeysInvalid(f"key {key_id!r} is not {_KEY_SIZE} bytes")
        if not ring:
            raise FileKeysInvalid("no key")
        return cls(current_id=next(iter(ring)), by_id=dict(ring))

    def key(self, key_id: str) -> bytes:
        """Return the key with this id. Raises `FileKeyMissing`."""
        try:
            return self.by_id[key_id]
        except KeyError:
            raise FileKeyMissing(key_id) from None


class Encrypter:
    """Encrypts what is written to it, and hands ciphertext to ``write`` as soon as a chunk is full.

    ``context`` (the file's id) must be given again to open the file. Nothing is valid before `finish`: a file whose
    writer stopped half-way is refused by `decrypt`.
    """

    def __init__(self, write: Callable[[bytes], object], keys: FileKeys, context: bytes = b"") -> None:
        data_key = os.urandom(_KEY_SIZE)
        self._write = write
        self._context = context
        self._cipher = AESGCM(data_key)
        self._digest = hashlib.sha256()
        self._buffer = memoryview(bytearray(CHUNK_SIZE))  # one for the whole file: growing one costs three times more
        self._filled = 0
        self._chunks = 0
        self._size = 0
        self._finished = False
        write(_header(keys.current_id, data_key, keys))

    def write(self, data: bytes) -> int:
        """Take any number of bytes; returns how many, like a file."""
        if self._finished:
            raise ValueError("write after finish")
        self._size += len(data)
        self._digest.update(data)
        rest = memoryview(data)
        while rest:
            if self._filled == CHUNK_SIZE:  # a full chunk waits for more: only finish() knows the last one
                self._seal(last=False)
            taken = rest[: CHUNK_SIZE - self._filled]
            self._buffer[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            rest = rest[len(taken) :]
        return len(data)

    def finish(self) -> Sealed:
        """Seal the last chunk. Call exactly once."""
        if self._finished:
            raise ValueError("finish called twice")
        self._finished = True
        self._seal(last=True)
        return Sealed(self._size, self._digest.digest())

    def _seal(self, *, last: bool) -> None:
        additional = _additional_data(last, self._context)
        self._write(self._cipher.encrypt(_nonce(self._chunks), self._buffer[: self._filled], additional))
        self._chunks += 1
        self._filled = 0


def decrypt(reader: Readable, keys: FileKeys, context: bytes = b"") -> Iterator[bytes]:
    """Open a file: the header at once, the chunks as they are asked for.

    Each piece that comes out is genuine, but only the end of the iteration says that the file is whole: until then
    a cut file looks like the beginning of a good one.
    Raises `NotAnEncryptedFile`, `FileKeyMissing` at once, `FileTampered` at once or at the chunk that is wrong.
    """
    data_key = _data_key(_read_exactly(reader, HEADER_SIZE), keys)
    return _open_chunks(reader, AESGCM(data_key), context)


def rewrap(header: bytes, keys: FileKeys) -> bytes:
    """Wrap a file's data key with the current key-encryption key; returns the new header, of the same size."""
    return _header(keys.current_id, _data_key(header, keys), keys)


def key_id_of(header: bytes) -> str:
    """Say which key-encryption key sealed a file, from its first 64 bytes. Raises `NotAnEncryptedFile`."""
    if len(header) != HEADER_SIZE or not header.startswith(_MAGIC + _VERSION):
        raise NotAnEncryptedFile
    key_id = header[4 : 4 + _KEY_ID_SIZE].rstrip(b"\0").decode("ascii", "replace")
    if not _KEY_ID.fullmatch(key_id):
        raise NotAnEncryptedFile
    return key_id


def _open_chunks(reader: Readable, cipher: AESGCM, context: bytes) -> Iterator[bytes]:
    sealed = _read_exactly(reader, CHUNK_SIZE + _TAG_SIZE)
    number = 0
    while True:
        following = _read_exactly(reader, CHUNK_SIZE + _TAG_SIZE)
        last = not following
        try:
            yield cipher.decrypt(_nonce(number), sealed, _additional_data(last, context))
        except (InvalidTag, ValueError):
            raise FileTampered(f"chunk {number}") from None
        if last:
            return
        sealed, number = following, number + 1


def _read_exactly(reader: Readable, size: int) -> bytes:
    """Read until ``size`` bytes or the end: sockets and object stores may give less than asked."""
    parts: list[bytes] = []
    while size and (part := reader.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _header(key_id: str, data_key: bytes, keys: FileKeys) -> bytes:
    wrapped = aes_key_wrap(keys.key(key_id), data_key)
    return _MAGIC + _VERSION + key_id.encode("ascii").ljust(_KEY_ID_SIZE, b"\0") + wrapped


def _data_key(header: bytes, keys: FileKeys) -> bytes:
    wrapping_key = keys.key(key_id_of(header))
    try:
        return aes_key_unwrap(wrapping_key, header[4 + _KEY_ID_SIZE :])
    except InvalidUnwrap:
        raise FileTampered("header") from None


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _additional_data(last: bool, context: bytes) -> bytes:
    return _VERSION + (b"\x01" if last else b"\x00") + context
