"""What a received file really is, before anything opens it: an allow-list, by its first bytes and by its name.

`sniff` reads the head while the file arrives and refuses early. `file_opening` opens the whole file with a real parser,
in a process apart, and refuses what a clerk could not open. Neither replaces the antivirus.
"""

from __future__ import annotations

import os
import re
import unicodedata
from enum import StrEnum
from typing import Final

import puremagic

HEAD_SIZE: Final = 4096  # enough for `sniff`
MAX_NAME_LENGTH: Final = 150


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
