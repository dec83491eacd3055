"""Opening the whole of a received file with a real parser: what a clerk could not open is refused.

Runs in a process apart (`files_apart.sheets_of`): parsers are what hostile files attack.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pi_heif  # type: ignore[import-untyped]  # the library has no types
import pikepdf
from pikepdf import settings as pdf_settings
from PIL import Image, UnidentifiedImageError

from portal.apart import told
from portal.file_sniffing import (
    OFFICE,
    OPEN_DOCUMENT,
    FileDamaged,
    FileLocked,
    FileRefused,
    FileTypeLies,
    ImageTooLarge,
    Kind,
    MacrosRefused,
    TooManyPages,
)

pi_heif.register_heif_opener(thumbnails=False)

MAX_PDF_PAGES: Final = 500
MAX_PIXELS: Final = 100_000_000  # above the largest photographs of telephones, below what exhausts a worker
MAX_WHOLE_PIXELS: Final = 50_000_000
"""Of a format that can only be decoded whole (PNG, HEIC): 150 MB of memory. Telephones stop at 48 million."""
IMAGE_FORMATS: Final = ("JPEG", "PNG", "HEIF")
_UNPACKED: Final = 64 * 1024 * 1024
"""Bytes that one stream of a PDF may unpack to while its structure is read: a kilobyte of zeros is a megabyte."""

# For the whole process, before any thread opens a PDF. Images are not unpacked here: a large scan is no bomb.
pdf_settings.set_qpdf_limits(
    flate_max_memory=_UNPACKED,
    run_length_max_memory=_UNPACKED,
    png_max_memory=_UNPACKED,
    tiff_max_memory=_UNPACKED,
    max_stream_filters=4,
)
_MOST_PARTS: Final = 5_000
_MOST_UNPACKED: Final = 300 * 1024 * 1024
"""Bytes that all the parts of an office file may unpack to: a presentation full of photographs stays far below."""
_IMAGE_KINDS: Final = {"JPEG": Kind.JPEG, "PNG": Kind.PNG, "HEIF": Kind.HEIC}


def answer(data: bytes, kind: str) -> bytes:
    """The number of sheets, or the class and the facts of the refusal."""
    try:
        return told({"sheets": check_whole(Kind(kind), data)})
    except FileRefused as refused:
        return told({"refused": type(refused).__name__, "facts": list(vars(refused).values())})


@dataclass(frozen=True)
class PdfFacts:
    """What opening a PDF taught."""

    pages: int


@dataclass(frozen=True)
class ImageFacts:
    """What opening an image taught; sizes in pixels."""

    kind: Kind
    width: int
    height: int


def check_whole(kind: Kind, whole: bytes) -> int:
    """Open it with a real parser, and count the sheets of a PDF; anything else has one. Raises FileRefused."""
    if kind is Kind.PDF:
        return check_pdf(whole).pages
    if kind in OFFICE:
        check_office(whole, kind)
    else:
        check_image(whole)
    return 1


def check_pdf(source: Path | bytes | BinaryIO, max_pages: int = MAX_PDF_PAGES) -> PdfFacts:
    """Open a PDF with a real parser.

    A PDF that opens without a password is accepted even when it is encrypted against printing: insurers' certificates
    are, and every reader opens them. Raises `FileLocked`, `FileDamaged`, `TooManyPages`.
    """
    try:
        with _stream(source) as stream, pikepdf.open(stream) as pdf:
            if not _ends_as_a_pdf(stream):
                raise FileDamaged
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise FileLocked from None
    except (pikepdf.PdfError, OSError, RuntimeError, ValueError):
        raise FileDamaged from None
    if pages == 0:
        raise FileDamaged
    if pages > max_pages:
        raise TooManyPages(pages, max_pages)
    return PdfFacts(pages)


def check_office(data: bytes, kind: Kind) -> None:
    """Look at the parts of an office file without unpacking them.

    The main part must be what the name says (ECMA-376 part 2, OpenDocument 1.3 part 2). Raises `FileDamaged`,
    `FileLocked`, `FileTypeLies`, `MacrosRefused`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
                raise FileDamaged
            names = {part.filename.lower() for part in parts}
            said = _first_bytes(archive, "mimetype" if kind in OPEN_DOCUMENT else "[Content_Types].xml")
            manifest = _first_bytes(archive, "META-INF/manifest.xml") if kind in OPEN_DOCUMENT else b""
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, RuntimeError, ValueError, NotImplementedError, EOFError):
        raise FileDamaged from None
    if any(name.endswith("vbaproject.bin") or name.startswith(("basic/", "scripts/")) for name in names):
        raise MacrosRefused
    # Whatever the part is named: types of content are compared without case (ECMA-376 part 2, 7.2.3.1).
    if any(word in said.lower() for word in (b"macroenabled", b"vbaproject", b"macrosheet")):
        raise MacrosRefused
    if b"encryption-data" in manifest:
        raise FileLocked
    if kind.media_type.encode() not in said:
        raise FileTypeLies(kind, Kind.XDM)


def _first_bytes(archive: zipfile.ZipFile, name: str, most: int = 1024 * 1024) -> bytes:
    """The beginning of a part, however long it unpacks to. Raises KeyError when there is none."""
    with archive.open(name) as part:
        return part.read(most)


def check_image(source: Path | bytes | BinaryIO, max_pixels: int = MAX_PIXELS) -> ImageFacts:
    """Open a photograph to its end. Raises `FileDamaged`, `ImageTooLarge`."""
    try:
        with _stream(source) as stream, Image.open(stream, formats=IMAGE_FORMATS) as image:
            facts = ImageFacts(_IMAGE_KINDS[str(image.format)], image.width, image.height)
            refuse_too_many_pixels(image, max_pixels)
            _read_to_the_end(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageTooLarge from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, RuntimeError):
        raise FileDamaged from None
    return facts


def refuse_too_many_pixels(image: Image.Image, most: int = MAX_PIXELS) -> None:
    """Look at the size an image says it has, before it is decoded. Raises `ImageTooLarge`."""
    limit = most if image.format == "JPEG" else min(most, MAX_WHOLE_PIXELS)
    if image.width * image.height > limit:
        raise ImageTooLarge


def _stream(source: Path | bytes | BinaryIO) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return source.open("rb") if isinstance(source, Path) else nullcontext(source)  # a caller's stream stays open


def _ends_as_a_pdf(stream: BinaryIO) -> bool:
    """Look for the end mark in the last 1024 bytes (ISO 32000-1, annex H.3 note 18).

    The parser repairs small faults, and would also "repair" a file cut by a lost connection: two pages of five.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 1024))
    return b"%%EOF" in stream.read()


def _read_to_the_end(image: Image.Image) -> None:
    """Find a cut file: a JPEG is decoded at an eighth, a PNG is read by its checksums, a HEIC has to be decoded."""
    if image.format == "PNG":
        image.verify()
        return
    image.draft("RGB", (image.width // 8, image.height // 8))
    image.load()
