"""The words of a PDF, page after page. Runs in a process apart (`portal.apart`) and imports nothing of the portal."""

import pypdfium2  # type: ignore[import-untyped]  # the library has no types

PAGES = 300
CHARACTERS = 1_000_000


def answer(data: bytes) -> bytes:
    """The text of the first pages, in UTF-8."""
    found, length = [], 0
    document = pypdfium2.PdfDocument(data)
    for number in range(min(len(document), PAGES)):
        text = document[number].get_textpage().get_text_bounded()
        found.append(text)
        length += len(text)
        if length > CHARACTERS:
            break
    return "\n".join(found)[:CHARACTERS].encode("utf-8", "replace")
