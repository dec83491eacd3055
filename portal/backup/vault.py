"""What is kept is sealed with keys of its own (`PORTAL_BACKUP_KEYS`), each piece under its own name.

A piece that was changed, cut, put in another's place or sealed with a lost key is refused (`portal.file_crypto`).
"""

import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from portal.backup import BackupError
from portal.backup.place import FilePlace, connect
from portal.config import Settings
from portal.file_crypto import (
    HEADER_SIZE,
    Encrypter,
    FileKeyMissing,
    FileKeys,
    FileTampered,
    NotAnEncryptedFile,
    Sealed,
    decrypt,
    key_id_of,
)

_PIECE: Final = 1024 * 1024


@dataclass(frozen=True)
class Vault:
    """A place and its keys."""

    place: FilePlace
    keys: FileKeys

    def put(self, name: str, chunks: Iterable[bytes], *, into: str = "") -> Sealed:
        """Seal and keep, durably. into: where it waits until it is renamed to `name`. Raises BackupError."""
        with self.place.writing(into or name) as written:
            encrypter = Encrypter(written.write, self.keys, context=_context(name))
            for chunk in chunks:
                encrypter.write(chunk)
            return encrypter.finish()

    def get(self, name: str) -> Iterator[bytes]:
        """What was put. Raises BackupError: it is whole only when the iteration ends well."""
        with self.place.reading(name) as reader:
            try:
                yield from decrypt(reader, self.keys, context=_context(name))
            except FileKeyMissing as missing:
                raise BackupError(
                    f"{name}: sealed with the key {missing.key_id!r}, which PORTAL_BACKUP_KEYS lacks"
                ) from None
            except (FileTampered, NotAnEncryptedFile):
                raise BackupError(f"{name}: altered, cut, or not what its name says; use another backup") from None

    def is_sealed_anew(self, name: str) -> bool:
        """Whether the current key seals it, and not a former one. Raises BackupError when it is not there."""
        with self.place.reading(name) as reader:
            try:
                return key_id_of(reader.read(HEADER_SIZE)) == self.keys.current_id
            except NotAnEncryptedFile:
                return False


def of(settings: Settings) -> Vault:
    """Raises BackupError when backups are not set up here, and ConfigurationError."""
    if not settings.backup_url or not settings.backup_key_ring():
        raise BackupError("PORTAL_BACKUP_URL and PORTAL_BACKUP_KEYS are needed (docs/backup.md)")
    return Vault(connect(settings.backup_url), FileKeys.of(settings.backup_key_ring()))


def _context(name: str) -> bytes:
    return b"backup:" + name.encode()


class Reader(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # any writable buffer
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def pieces(reader: BinaryIO) -> Iterator[bytes]:
    """All that a file holds."""
    while piece := reader.read(_PIECE):
        yield piece


def smaller(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Compressed (zlib): what a log of changes does not fill is zeros."""
    packer = zlib.compressobj(1)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What was made smaller."""
    unpacker = zlib.decompressobj()
    for chunk in chunks:
        yield unpacker.decompress(chunk)
    yield unpacker.flush()
