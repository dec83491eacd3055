"""What a received file really is, before anything opens it: an allow-list, by its first bytes and by its name.

Two looks: `sniff` reads the head while the file arrives and refuses early; `check_pdf` and `check_image` open the whole
file with a real parser and refuse what a clerk could not open. Neither replaces the antivirus.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
import zipfile
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

import pi_heif  # type: ignore[import-untyped]  # the library has no types
import pikepdf
import puremagic
from pikepdf import settings as pdf_settings
from PIL import Image, UnidentifiedImageError

pi_heif.register_heif_opener(thumbnails=False)

HEAD_SIZE: Final = 4096  # enough for `sniff`
MAX_PDF_PAGES: Final = 500
MAX_PIXELS: Final = 100_000_000  # above the largest photographs of telephones, below what exhausts a worker
MAX_WHOLE_PIXELS: Final = 50_000_000
"""Of a format that can only be decoded whole (PNG, HEIC): 150 MB of memory. Telephones stop at 48 million."""
IMAGE_FORMATS: Final = ("JPEG", "PNG", "HEIF")
MAX_NAME_LENGTH: Final = 150
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


class Kind(StrEnum):
    """What the portal takes. The value is the word used in facts, tables and messages."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    HEIC = "heic"  # HEIF holding HEVC, as telephones make them
    CDA = "cda"  # XML that says so; `services.documents.cda` decides whether it is a letter
    XDM = "xdm"  # zip; `services.documents.xdm` decides whether it is IHE_XDM
    DOCX = "docx"  # zips too: `check_office` says whether they are
    XLSX = "xlsx"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"
    ODP = "odp"
    TEXT = "txt"

    @property
    def media_type(self) -> str:
        """The Content-Type to serve it with."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    Kind.PDF: "application/pdf",
    Kind.JPEG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.HEIC: "image/heic",
    Kind.CDA: "text/xml",
    Kind.XDM: "application/zip",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    Kind.ODT: "application/vnd.oasis.opendocument.text",
    Kind.ODS: "application/vnd.oasis.opendocument.spreadsheet",
    Kind.ODP: "application/vnd.oasis.opendocument.presentation",
    Kind.TEXT: "text/plain",
}
OPEN_XML: Final = frozenset({Kind.DOCX, Kind.XLSX, Kind.PPTX})
OPEN_DOCUMENT: Final = frozenset({Kind.ODT, Kind.ODS, Kind.ODP})
OFFICE: Final = OPEN_XML | OPEN_DOCUMENT
_MOST_PARTS: Final = 5_000
_MOST_UNPACKED: Final = 300 * 1024 * 1024
"""Bytes that all the parts of an office file may unpack to: a presentation full of photographs stays far below."""
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB: old Word, and what a password makes of a new one
_CLAIMED: Final = {
    "pdf": Kind.PDF,
    "jpg": Kind.JPEG,
    "jpeg": Kind.JPEG,
    "jpe": Kind.JPEG,
    "jfif": Kind.JPEG,
    "png": Kind.PNG,
    "heic": Kind.HEIC,
    "heif": Kind.HEIC,
    "hif": Kind.HEIC,
    "xml": Kind.CDA,
    "zip": Kind.XDM,
    **{kind.value: kind for kind in (*OFFICE, Kind.TEXT)},
}
# Exactly at offset 0: readers that tolerate a prefix are what polyglot files live on.
_MAGIC: Final = {
    Kind.PDF: (b"%PDF-",),
    Kind.JPEG: (b"\xff\xd8\xff",),
    Kind.PNG: (b"\x89PNG\r\n\x1a\n",),
    Kind.CDA: (
        b"<?xml",
        b"<ClinicalDocument",
        *("\ufeff<?xml".encode(way) for way in ("utf-8", "utf-16-le", "utf-16-be")),
    ),
    Kind.XDM: (b"PK\x03\x04",),
}
_IMAGE_KINDS: Final = {"JPEG": Kind.JPEG, "PNG": Kind.PNG, "HEIF": Kind.HEIC}
_HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"heif")


class FileRefused(Exception):
    """A file the portal does not take; the class says why."""


class FileEmpty(FileRefused):
    """There is nothing in it."""


class FileTypeRefused(FileRefused):
    """The portal does not take files of this type. ``actual`` is a short word such as ``exe``, or ``unknown``."""

    def __init__(self, actual: str) -> None:
        super().__init__(actual)
        self.actual = actual


class PhotoFormatRefused(FileTypeRefused):
    """A HEIC or HEIF photograph, as telephones make them, where no copy is made that everybody can open."""


class FileTypeLies(FileRefused):
    """The name says one type, the content is another."""

    def __init__(self, claimed: str, actual: str) -> None:
        super().__init__(f"{claimed} is {actual}")
        self.claimed = claimed
        self.actual = actual


class MacrosRefused(FileRefused):
    """An office file that carries a program: whoever opens it would run it."""


class FileLocked(FileRefused):
    """A password is needed to open it."""


class FileDamaged(FileRefused):
    """It cannot be opened: cut, or broken."""


class TooManyPages(FileRefused):
    """More pages than the portal takes."""

    def __init__(self, pages: int, limit: int) -> None:
        super().__init__(f"{pages} pages, limit {limit}")
        self.pages = pages
        self.limit = limit


class ImageTooLarge(FileRefused):
    """More pixels than the portal opens (a decompression bomb, or a poster)."""


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


def sniff(head: bytes, name: str) -> Kind:
    """Say what a file is from its first bytes (`HEAD_SIZE` is enough) and its name; both must agree.

    Raises `FileEmpty`, `FileTypeRefused`, `FileTypeLies`. Telephones that send a HEIC photograph under a name in .jpg,
    or the reverse, do not lie to anybody: the content decides between photographs.
    """
    if not head:
        raise FileEmpty
    extension = _extension(name)
    claimed = _CLAIMED.get(extension)
    actual = _kind_of(head)
    if actual is not None and actual is claimed:
        return actual
    if claimed is None:
        raise FileTypeRefused(extension or "unknown")
    if claimed in OFFICE and actual is Kind.XDM:
        return claimed
    if claimed in OPEN_XML and head.startswith(_COMPOUND):
        raise FileLocked
    if claimed is Kind.TEXT and actual is None and _is_text(head):
        return claimed
    if (actual is Kind.HEIC and claimed is Kind.JPEG) or (actual is Kind.JPEG and claimed is Kind.HEIC):
        return actual
    raise FileTypeLies(claimed, actual or _best_guess(head))


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


def clean_name(name: str, default: str = "document") -> str:
    """Make a received file's name safe to show, to store and to download under; its extension is kept.

    Folders, control characters, direction marks (``exe.fdp`` displayed as ``pdf.exe``) and what Windows forbids go.
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode("utf-8"))
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(sign for sign in name if sign.isspace() or not unicodedata.category(sign).startswith("C"))
    name = re.sub(r"\s+", " ", re.sub(r'[<>:"|?*]', "_", name))
    stem, extension = os.path.splitext(name.strip(" ."))
    extension = extension[:12].rstrip(" .")
    stem = stem.strip(" .")[: MAX_NAME_LENGTH - len(extension)].rstrip(" .")
    return (stem or default) + extension


def _extension(name: str) -> str:
    return os.path.splitext(clean_name(name))[1][1:].lower()


def _kind_of(head: bytes) -> Kind | None:
    if _is_heic(head):
        return Kind.HEIC
    return next((kind for kind, magics in _MAGIC.items() if head.startswith(magics)), None)


def _is_text(head: bytes) -> bool:
    """No control signs but those of lines: UTF-8, or the letters of Windows."""
    return not re.search(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]", head)


def _is_heic(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def _best_guess(head: bytes) -> str:
    """Name a type that is not on the list, for the message only: no decision rests on it."""
    try:
        return str(puremagic.from_string(head)).lstrip(".").lower() or "unknown"
    except (puremagic.PureError, ValueError):
        return "unknown"


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
