"""The published files, opened and cut into lines: text or archive, UTF-8 or Latin-1, in bounded memory. Pure.

A file is read once, from any line on. An archive is never unpacked to disk, so the names in it lead nowhere.
"""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from services.directory import columns
from services.directory.columns import Layout, NotTheDirectory

LONGEST_LINE: Final = 8192
"""Bytes; the longest real ones have about 900."""
_BLOCK: Final = 1 << 20
_HEADER: Final = 1 << 16
_MOST_ENTRIES: Final = 20
_LARGEST: Final = 8 << 30
_MOST_INFLATED: Final = 200
"""Times an entry may be larger than what it takes in the archive; real ones are about five times."""
_SPACES: Final = re.compile(rb" *\| *")
_GENERATED: Final = re.compile(r"_(20\d{10})\b")


@dataclass(frozen=True)
class Source:
    """One file of the directory. name: as shown. path: where it is, or the archive that holds it under `entry`.
    digest, size: of what is read. starts_at: the first byte after the header."""

    name: str
    path: Path
    entry: str
    layout: Layout
    encoding: str
    starts_at: int
    digest: bytes
    size: int

    @property
    def generated_on(self) -> str:
        """The moment in its name, YYYYMMDDhhmm, "" when there is none."""
        found = _GENERATED.search(self.name)
        return found.group(1) if found else ""


@dataclass
class Lines:
    """Some lines in a row, in UTF-8, without tabs nor spaces around `|`: bytes, since most of what they hold is only
    passed on. first: the number of the first one (the header is 1). ends_at: the byte after the last. wrong: lines that
    nobody should read, number → why."""

    first: int
    ends_at: int
    text: list[bytes]
    wrong: dict[int, str] = field(default_factory=dict)


def sources(path: Path) -> list[Source]:
    """The files of the directory that this file is, or holds. Raises NotTheDirectory."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return [_source(path, "", file, path.stat().st_size)]
    try:
        with zipfile.ZipFile(path) as archive:
            return [_entry(path, archive, each) for each in _entries(archive)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise NotTheDirectory("the archive cannot be read") from error


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = [each for each in archive.infolist() if not each.is_dir()]
    if not 1 <= len(found) <= _MOST_ENTRIES:
        raise NotTheDirectory(f"the archive holds {len(found)} files, where 1 to {_MOST_ENTRIES} are expected")
    for each in found:
        if each.flag_bits & 1:
            raise NotTheDirectory("the archive is encrypted")
        if each.file_size > _LARGEST or each.file_size > _MOST_INFLATED * max(each.compress_size, 1 << 10):
            raise NotTheDirectory("the archive would unpack to far more than the directory holds")
    return found


def _entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Source:
    with archive.open(entry) as file:
        return _source(path, entry.filename, file, entry.file_size, entry.CRC.to_bytes(4, "big"))


def _source(path: Path, entry: str, file: IO[bytes], size: int, seal: bytes = b"") -> Source:
    head = file.read(_HEADER)
    line, end, _rest = head.partition(b"\n")
    if not end:
        raise NotTheDirectory("the first line is no header of columns separated by |")
    encoding = _encoding(line)
    layout = columns.layout(line.decode(encoding, "replace"))
    name = (entry or path.name).replace("\\", "/").rpartition("/")[2][-200:]
    starts_at = len(line) + 1
    return Source(name, path, entry, layout, encoding, starts_at, _digest(path, seal, head), size)


def _encoding(header: bytes) -> str:
    """That of the header, which has accents; a line that is not in it is refused alone."""
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _digest(path: Path, seal: bytes, head: bytes) -> bytes:
    """Tells a file from another, to go on where it was cut: its size, its first bytes, its last ones or its CRC."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - _BLOCK, 0))
        tail = b"" if seal else file.read()
    return hashlib.sha256(b"%d %s " % (size, seal) + head + tail).digest()


@contextmanager
def opened(source: Source) -> Iterator[IO[bytes]]:
    """The bytes of a source. Raises NotTheDirectory when an archive proves broken, at its end at the latest."""
    if not source.entry:
        with source.path.open("rb") as file:
            yield file
        return
    try:
        with zipfile.ZipFile(source.path) as archive, archive.open(source.entry) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise NotTheDirectory("the archive is broken") from error


def read(source: Source, file: IO[bytes], *, at: int = 0, number: int = 2) -> Iterator[Lines]:
    """Cut the file into lines, a megabyte at a time, from this byte on, which begins the line of this number."""
    position = at or source.starts_at
    file.seek(position)
    rest = b""
    while block := file.read(_BLOCK):
        whole, end, rest_of_block = (rest + block).rpartition(b"\n")
        if not end and len(rest_of_block) > LONGEST_LINE:
            position, rest = _skipped(file, position, rest_of_block)
            yield Lines(number, position, [], {number: "the line is too long"})
            number += 1
            continue
        rest = rest_of_block
        if end:
            position += len(whole) + 1
            lines = _cut(whole, number, position, source.encoding)
            number += len(lines.text)
            yield lines
    if rest:
        yield _cut(rest, number, position + len(rest), source.encoding)


def _skipped(file: IO[bytes], position: int, begun: bytes) -> tuple[int, bytes]:
    """Past a line that has no end for a megabyte: where the next one begins, and what was read of it."""
    position += len(begun)
    while block := file.read(_BLOCK):
        _long, end, rest = block.partition(b"\n")
        if end:
            return position + len(block) - len(rest), rest
        position += len(block)
    return position, b""


def _cut(block: bytes, number: int, ends_at: int, encoding: str) -> Lines:
    wrong: dict[int, str] = {}
    try:
        decoded = block.decode(encoding)
        if encoding != "utf-8":
            block = decoded.encode()
    except UnicodeDecodeError:
        block = b"\n".join(_recoded(block, number, encoding, wrong))
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").removesuffix(b"\r").replace(b"\r", b" ")
    if b"\t" in block:
        block = block.replace(b"\t", b" ")
    if b" |" in block or b"| " in block:
        block = _SPACES.sub(b"|", block)
    lines = block.split(b"\n")
    if b"\0" in block:
        wrong |= {number + n: "the line holds a zero byte" for n, line in enumerate(lines) if b"\0" in line}
    if len(max(lines, key=len)) > LONGEST_LINE:
        wrong |= {number + n: "the line is too long" for n, line in enumerate(lines) if len(line) > LONGEST_LINE}
    return Lines(number, ends_at, lines, wrong)


def _recoded(block: bytes, number: int, encoding: str, wrong: dict[int, str]) -> Iterator[bytes]:
    for n, line in enumerate(block.split(b"\n")):
        try:
            yield line.decode(encoding).encode()
        except UnicodeDecodeError:
            wrong[number + n] = f"the line is not in {'UTF-8' if encoding == 'utf-8' else 'Latin-1'}"
            yield b""
