"""Pictures on a sheet: photographs and scans, turned into what PDF/A-1 holds (RGB, no transparency)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from portal import apart
from portal.apart import GaveUp
from portal.pdf import Sheet

_READER: Final = Path(__file__).parent / "picture_reader.py"
_LARGEST: Final = 400 * 1024 * 1024
"""Bytes of all its pages: fifteen in colour at 300 dots an inch."""


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
        facts, pixels = apart.heard(apart.run(_READER, data, most=_LARGEST))
    except GaveUp:
        return []
    pages, start = [], 0
    for width, height in facts["sizes"]:
        end = start + 3 * width * height
        pages.append(Image.frombytes("RGB", (width, height), pixels[start:end]))
        start = end
    return pages


def _fitted(sheet: Sheet, page: Image.Image) -> tuple[float, float]:
    width = sheet.w - sheet.l_margin - sheet.r_margin
    height = sheet.page_break_trigger - sheet.t_margin - 3
    scale = min(width / page.width, height / page.height, 25.4 / 96)  # a small picture is not blown up
    return page.width * scale, page.height * scale
