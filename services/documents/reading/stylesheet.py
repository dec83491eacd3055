"""A structured letter as the national stylesheet lays it out, when the operator has installed it.

The stylesheet is a program that runs on what others wrote: in a process of its own, within limits, and what it makes
is cleaned and then shown in a frame where nothing can act. When anything goes wrong the portal's own layout stands in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from lxml import etree

from portal import apart
from portal.config import Settings
from services.documents import cda

log = structlog.get_logger(__name__)

_SECONDS: Final = 4
_READER: Final = Path(__file__).parent / "stylesheet_reader.py"


@dataclass
class _Place:
    path: str = ""


_place = _Place()


def configure(settings: Settings) -> None:
    """Note where the operator put the stylesheet."""
    _place.path = settings.cda_stylesheet


def is_installed() -> bool:
    return bool(_place.path)


def laid_out(data: bytes) -> bytes | None:
    """The page (HTML, UTF-8) that the stylesheet makes of a clinical document; None when it makes none in time."""
    if not is_installed():
        return None
    try:
        normal = etree.tostring(cda.open_document(data), encoding="utf-8")
        return apart.run(_READER, normal, [_place.path], seconds=_SECONDS)
    except (cda.CdaError, apart.GaveUp):
        log.warning("documents.not_laid_out")
        return None
