"""Copies for people to look at: an image upright, light and without metadata; a PDF with pages and nothing that acts.

Runs in a process apart (`files_apart`): bytes in, bytes out. Why these libraries and these choices:
docs/decisions/0016-photographs-and-copies.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, Pdf, Stream
from PIL import Image, ImageOps

from portal import file_opening
from portal.apart import told
from portal.file_sheets import jpeg
from portal.file_sniffing import FileRefused
from portal.files_apart import CannotCopy, Copy

LONGEST_SIDE: Final = 2400  # pixels: an A4 page at 200 dots per inch
_PAGE_KEEPS: Final = ("/Type", "/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents", "/Group", "/UserUnit")
_CARRIED: Final = ("/AF", "/Metadata", "/PieceInfo", "/OPI", "/AA")


def answer(data: bytes, what: str, *arguments: str) -> bytes:
    """What `files_apart` asks for, or that it cannot be made."""
    try:
        return _ASKED[what](data, *arguments)
    except CannotCopy:
        return told({"refused": "CannotCopy"})


def _copy(data: bytes, media_type: str) -> bytes:
    copy = copy_of(data, media_type)
    return told({"type": copy.media_type}, copy.data)


def _emblem(data: bytes, width: str, height: str) -> bytes:
    made, *size = emblem(data, (int(width), int(height)))
    return told(dict(zip(("width", "height"), size, strict=True)), made)


def _turn(data: bytes, rotation: str) -> bytes:
    with _refused():
        return told({}, turned(data, int(rotation)))


_ASKED: Final[dict[str, Callable[..., bytes]]] = {"copy": _copy, "emblem": _emblem, "turn": _turn}


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
        file_opening.refuse_too_many_pixels(image)
        drawn = ImageOps.exif_transpose(image).convert("RGBA")
        drawn.thumbnail(box)
        out = BytesIO()
        Image.frombytes("RGBA", drawn.size, drawn.tobytes()).save(out, "PNG", optimize=True)
        return out.getvalue(), drawn.width, drawn.height


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (pikepdf.PdfError, Image.DecompressionBombError, FileRefused) as broken:
        raise CannotCopy from broken
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError, MemoryError, TypeError, KeyError) as broken:
        # What the decoders raise on hostile files; anything else is a fault of ours and must be seen.
        raise CannotCopy from broken


# -- images --------------------------------------------------------------------------------------------------------


def _upright(data: bytes) -> bytes:
    with Image.open(BytesIO(data), formats=file_opening.IMAGE_FORMATS) as image:
        file_opening.refuse_too_many_pixels(image)
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded at a half or a quarter when that is enough
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return jpeg(_flat(ImageOps.exif_transpose(image)))


def _flat(image: Image.Image) -> Image.Image:
    """On white, in red, green and blue, without what the former image carried (place, camera, comments, thumbnail)."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    see_through = image.convert("RGBA") if "A" in image.mode or "transparency" in image.info else image.convert("RGB")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(see_through, mask=see_through if see_through.mode == "RGBA" else None)
    return flat


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


def turned(data: bytes, rotation: int) -> bytes:
    """A copied PDF turned clockwise (90, 180, 270 degrees)."""
    with pikepdf.open(BytesIO(data)) as pdf:
        for page in pdf.pages:
            page.rotate(rotation, relative=True)
        out = BytesIO()
        pdf.save(out)
    return out.getvalue()
