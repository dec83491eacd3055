"""The pages of a picture of any size, upright, on white. Runs in a process apart (`pictures.pages_of`)."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from portal.apart import told

_FORMATS: Final = ("JPEG", "PNG", "TIFF", "GIF")
_MAX_PAGES: Final = 200
_MAX_PIXELS: Final = 100_000_000
_MAX_WHOLE_PIXELS: Final = 50_000_000  # of a format that can only be decoded whole
_MAX_SIDE: Final = 2480  # an A4 page at 300 dots an inch is so wide


def answer(data: bytes) -> bytes:
    """The sizes of the pages, then their pixels (RGB); no page when it is no picture or too large."""
    pages = pages_of(data)
    return told({"sizes": [page.size for page in pages]}, b"".join(page.tobytes() for page in pages))


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
    limit = _MAX_PIXELS if picture.format == "JPEG" else _MAX_WHOLE_PIXELS
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
