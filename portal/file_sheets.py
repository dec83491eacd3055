"""Sheets of copies as pictures: drawn, turned, with words written across them.

Runs in a process apart (`files_apart.picture`): a copy was made of a hostile file, and keeps its fonts and images.
"""

from io import BytesIO
from pathlib import Path
from typing import Final

import pypdfium2  # type: ignore[import-untyped]  # the library has no types
from PIL import Image, ImageDraw, ImageFont

_QUALITY: Final = 85
_SHEET_SIDE: Final = 1800
_FONT: Final = Path(__file__).parent / "static" / "dist"


def answer(data: bytes, sheet: str, rotation: str, watermark: str) -> bytes:
    """What `files_apart.picture` asks for."""
    if int(sheet):
        data = sheet_image(data, int(sheet))
    return dressed(data, rotation=int(rotation), watermark=watermark)


def sheet_image(data: bytes, sheet: int) -> bytes:
    """One sheet of a sanitised PDF, from 1, as a JPEG whose longest side is 1800 pixels."""
    document = pypdfium2.PdfDocument(data)
    try:
        page = document[sheet - 1]
        width, height = page.get_size()
        bitmap = page.render(scale=_SHEET_SIDE / max(width, height, 1))
        return jpeg(bitmap.to_pil().convert("RGB"))
    finally:
        document.close()


def dressed(data: bytes, *, rotation: int = 0, watermark: str = "") -> bytes:
    """A JPEG turned clockwise (0, 90, 180, 270 degrees), with words written across it."""
    if not rotation and not watermark:
        return data
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        turned = image.rotate(-rotation, expand=True)
    return jpeg(_marked(turned, watermark) if watermark else turned)


def jpeg(image: Image.Image) -> bytes:
    """The picture as the portal shows pictures."""
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


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The portal's own letters, which have the accents of French."""
    return ImageFont.truetype(str(next(_FONT.glob("atkinson-latin.*.woff2"))), size)
