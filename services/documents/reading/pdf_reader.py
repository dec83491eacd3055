"""A process of its own (`bounded`): the words of the PDF given on its input, page after page, within limits.

Imports nothing of the portal. Arguments: seconds of processor.
"""

import resource
import sys

MEMORY = 1024 * 1024 * 1024
PAGES = 300
CHARACTERS = 1_000_000


def limit(seconds: int) -> None:
    """From here on, more than this much processor or memory ends the process."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def words(data: bytes) -> str:
    """The text of the first pages."""
    import pypdfium2  # type: ignore[import-untyped]  # the library has no types

    found, length = [], 0
    document = pypdfium2.PdfDocument(data)
    for number in range(min(len(document), PAGES)):
        text = document[number].get_textpage().get_text_bounded()
        found.append(text)
        length += len(text)
        if length > CHARACTERS:
            break
    return "\n".join(found)[:CHARACTERS]


if __name__ == "__main__":
    limit(int(sys.argv[1]))
    sys.stdout.buffer.write(words(sys.stdin.buffer.read()).encode("utf-8", "replace"))
