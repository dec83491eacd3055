"""Copies for people to look at: an image upright, light and without metadata; a PDF with pages and nothing that acts.

Pure: bytes in, bytes out. Why these libraries and these choices: docs/decisions/0016-photographs-and-copies.md.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # the library has no types
from pikepdf import Dictionary, Name, Pdf, Stream
from PIL import Image, ImageDraw, ImageFont, ImageOps

from portal import file_sniffing

LONGEST_SIDE: Final = 2400  # pixels: an A4 page at 200 dots per inch
_QUALITY: Final = 85
_SHEET_SIDE: Final = 1800
_PAGE_KEEPS: Final = ("/Type", "/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents", "/Group", "/UserUnit")
_CARRIED: Final = ("/AF", "/Metadata", "/PieceInfo", "/OPI", "/AA")
_FONT: Final = Path(__file__).parent / "static" / "dist"


class CannotCopy(Exception):
    """The file was received, and yet no copy of it can be made."""


@dataclass(frozen=True)
class Copy:
    data: bytes
    media_type: str


def copy_of(data: bytes, media_type: str) -> Copy:
    """The copy of a received PDF, JPEG, PNG or HEIC. Raises CannotCopy."""
    with _refused():
        if media_type == "application/pdf":
            return Copy(_pages_alone(data), media_type)
        return Copy(_upright(data), "image/jpeg")


def emblem(data: bytes, box: tuple[int, int]) -> tuple[bytes, int, int]:
    """A received PNG or JPEG as a small PNG that keeps what is transparent, with its width and height in pixels, both
    within `box`. Raises CannotCopy."""
    with _refused(), Image.open(BytesIO(data), formats=("PNG", "JPEG")) as image:
        file_sniffing.refuse_too_many_pixels(image)
        drawn = ImageOps.exif_transpose(image).convert("RGBA")
        drawn.thumbnail(box)
        out = BytesIO()
        Image.frombytes("RGBA", drawn.size, drawn.tobytes()).save(out, "PNG", optimize=True)
        return out.getvalue(), drawn.width, drawn.height


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (pikepdf.PdfError, Image.DecompressionBombError, file_sniffing.FileRefused) as broken:
        raise CannotCopy from broken
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError, MemoryError, TypeError, KeyError) as broken:
        # What the decoders raise on hostile files; anything else is a fault of ours and must be seen.
        raise CannotCopy from broken


def dressed(data: bytes, media_type: str, *, rotation: int = 0, watermark: str = "") -> bytes:
    """A copy turned clockwise (0, 90, 180, 270 degrees), and for an image with words written across it."""
    if media_type == "application/pdf":
        return _turned_pdf(data, rotation) if rotation else data
    if not rotation and not watermark:
        return data
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        turned = image.rotate(-rotation, expand=True)
    return _jpeg(_marked(turned, watermark) if watermark else turned)


def sheet_image(data: bytes, sheet: int) -> bytes:
    """One sheet of a sanitised PDF, from 1, as a JPEG whose longest side is 1800 pixels."""
    document = pypdfium2.PdfDocument(data)
    try:
        page = document[sheet - 1]
        width, height = page.get_size()
        bitmap = page.render(scale=_SHEET_SIDE / max(width, height, 1))
        return _jpeg(bitmap.to_pil().convert("RGB"))
    finally:
        document.close()


def renamed(name: str, media_type: str) -> str:
    """The name of the copy: the person's own, with the extension of what it is now."""
    stem, extension = os.path.splitext(name)
    return f"{stem}.jpg" if media_type == "image/jpeg" else f"{stem}{extension}"


# -- images --------------------------------------------------------------------------------------------------------


def _upright(data: bytes) -> bytes:
    with Image.open(BytesIO(data), formats=file_sniffing.IMAGE_FORMATS) as image:
        file_sniffing.refuse_too_many_pixels(image)
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded at a half or a quarter when that is enough
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return _jpeg(_flat(ImageOps.exif_transpose(image)))


def _flat(image: Image.Image) -> Image.Image:
    """On white, in red, green and blue, without what the former image carried (place, camera, comments, thumbnail)."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    see_through = image.convert("RGBA") if "A" in image.mode or "transparency" in image.info else image.convert("RGB")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(see_through, mask=see_through if see_through.mode == "RGBA" else None)
    return flat


def _jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _marked(image: Image.Image, words: str) -> Image.Image:
    """The words again and again, slanted, light enough to read what is under them, too many to cut off."""
    width, height = image.size
    font = _font(max(16, max(width, height) // 45))
    across = int((width**2 + height**2) ** 0.5)
    layer = Image.new("L", (across, across), 0)
    draw = ImageDraw.Draw(layer)
    step, row = int(font.getlength(words + "      ")) or 1, font.size * 5
    for rank, top in enumerate(range(0, across, int(row))):
        for left in range(-(rank % 2) * step // 2, across, step):
            draw.text((left, top), words, fill=110, font=font)
    slanted = layer.rotate(30)
    left, top = (across - width) // 2, (across - height) // 2
    mask = slanted.crop((left, top, left + width, top + height))
    marked = image.convert("RGB")
    marked.paste(Image.new("RGB", image.size, "#8c1d1d"), mask=mask)
    return marked


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The portal's own letters, which have the accents of French."""
    return ImageFont.truetype(str(next(_FONT.glob("atkinson-latin.*.woff2"))), size)


# -- PDF -----------------------------------------------------------------------------------------------------------


def _pages_alone(data: bytes) -> bytes:
    """A new PDF that holds the pages' own drawing, and nothing else of the former one.

    An allow-list: scripts, actions, forms, annotations, attachments, media and metadata hang on other entries of the
    document and of its pages (ISO 32000-1, 7.7). What annotations and forms show is drawn on the page first.
    """
    with pikepdf.open(BytesIO(data)) as source, pikepdf.new() as made:
        source.flatten_annotations("screen")
        for page in source.pages:
            made.pages.append(page)
        for page in made.pages:
            for key in [str(key) for key in page.obj if key not in (*_PAGE_KEEPS, "/Parent")]:
                del page.obj[key]
        _drop_what_objects_carry(made)
        out = BytesIO()
        made.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _drop_what_objects_carry(made: Pdf) -> None:
    for each in made.objects:
        if isinstance(each, Stream | Dictionary):
            for key in _CARRIED:
                if Name(key) in each:
                    del each[key]


def _turned_pdf(data: bytes, rotation: int) -> bytes:
    with pikepdf.open(BytesIO(data)) as pdf:
        for page in pdf.pages:
            page.rotate(rotation, relative=True)
        out = BytesIO()
        pdf.save(out)
    return out.getvalue()
