"""Pictures on a sheet: photographs and scans, turned into what PDF/A-1 holds (RGB, no transparency)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from portal.file_sniffing import MAX_PIXELS, MAX_WHOLE_PIXELS
from portal.pdf import Sheet

_FORMATS: Final = ("JPEG", "PNG", "TIFF", "GIF")
_MAX_PAGES: Final = 200
_MAX_SIDE: Final = 2480  # an A4 page at 300 dots an inch is so wide


def draw(sheet: Sheet, pages: Sequence[Image.Image]) -> None:
    """Print the pages of a picture, each as large as the sheet allows."""
    for page in pages:
        width, height = _fitted(sheet, page)
        if sheet.will_page_break(height):
            sheet.add_page()
        sheet.image(page, w=width, h=height)
        sheet.ln(2)


def pages_of(data: bytes) -> list[Image.Image]:
    """Return the pages of a picture in RGB; none when it is no picture or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                return _pages(picture)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, Warning, Image.DecompressionBombError):
        return []


def _pages(picture: Image.Image) -> list[Image.Image]:
    limit = MAX_PIXELS if picture.format == "JPEG" else MAX_WHOLE_PIXELS
    count = getattr(picture, "n_frames", 1)
    if picture.width * picture.height > limit or count > _MAX_PAGES:
        return []
    pages = []
    for number in range(count):
        picture.seek(number)
        if picture.width * picture.height > limit:
            return []
        pages.append(_flat(picture))
    return pages


def _flat(picture: Image.Image) -> Image.Image:
    """Turn a page upright, on white, in RGB, no larger than paper shows."""
    picture.draft("RGB", (_MAX_SIDE, _MAX_SIDE))
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((_MAX_SIDE, _MAX_SIDE * 2))
    whole = upright.convert("RGBA")
    white = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(white, whole).convert("RGB")


def _fitted(sheet: Sheet, page: Image.Image) -> tuple[float, float]:
    width = sheet.w - sheet.l_margin - sheet.r_margin
    height = sheet.page_break_trigger - sheet.t_margin - 3
    scale = min(width / page.width, height / page.height, 25.4 / 96)  # a small picture is not blown up
    return page.width * scale, page.height * scale
