"""Letters of other rooms, read with the same eyes as the hospital's."""

from typing import Final

from services.documents import cda
from services.documents.cda import CdaError
from services.pieces.letters import Letter, Part

_SHOWN: Final = frozenset({"application/pdf", "image/jpeg", "image/png"})


def read(data: bytes) -> Letter | None:
    """A CDA letter that somebody joined; None when it is not one, or cannot be opened safely."""
    try:
        header = cda.read_header(data)
        inside = cda.embedded(data) if header.level == "N1" else None
        parts = [Part(each.title, each.level, each.html) for each in cda.narrative(data)]
    except CdaError:
        return None
    author = f"{header.author.given} {header.author.family}".strip() or header.author.organization
    letter = Letter(header.title, header.type_label or header.title, header.created_at, author, parts)
    if inside is None or inside[0] not in _SHOWN:
        return letter
    return Letter(letter.title, letter.kind, letter.at, author, parts, inside[0], inside[1])
