"""IMAP as it is written (RFC 3501 § 9): a command in words, lists and literals; a set of numbers; a part of a mail."""

import re
from dataclasses import dataclass

from portal.gateways.mssante.twin.line import Gone, Line

Word = str | list["Word"]
_WORD = re.compile(r'\s*(?:(\()|(\))|"((?:\\.|[^"\\])*)"|([^\s()"]+))')
_LITERAL = re.compile(r"\{(\d+)(\+?)\}$")
_PART = re.compile(r"BODY(?:\.PEEK)?\[(HEADER|TEXT)?\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)
_MOST_LITERAL = 65536


def read_command(line: Line) -> tuple[str, list[Word]]:
    """A tag and words. Raises `Gone`, also at what is no command."""
    text = line.read_line().decode("utf-8", "replace")
    while found := _LITERAL.search(text):
        size = int(found[1])
        if size > _MOST_LITERAL:
            raise Gone
        if not found[2]:
            line.say("+ go on")
        literal = line.read(size).decode("utf-8", "replace").replace("\\", "\\\\").replace('"', '\\"')
        text = f'{text[: found.start()]}"{literal}"{line.read_line().decode("utf-8", "replace")}'
    tag, _, rest = text.partition(" ")
    return tag, _words(rest)


def _words(text: str) -> list[Word]:
    stack: list[list[Word]] = [[]]
    position = 0
    while found := _WORD.match(text, position):
        position = found.end()
        if found[1]:
            stack.append([])
        elif found[2]:
            if len(stack) == 1:
                raise Gone
            inner = stack.pop()
            stack[-1].append(inner)
        else:
            stack[-1].append(re.sub(r"\\(.)", r"\1", found[3]) if found[3] is not None else found[4])
    return stack[0]


def flat(words: list[Word]) -> list[str]:
    """The words, lists opened."""
    found: list[str] = []
    for word in words:
        found += [word] if isinstance(word, str) else flat(word)
    return found


def numbers(text: str, last: int) -> list[tuple[int, int]]:
    """`1:5,8,12:*` as (first, last) pairs. last: what `*` stands for. Raises ValueError."""
    found = []
    for piece in text.split(","):
        begins, _, ends = piece.partition(":")
        edges = [last if edge == "*" else int(edge) for edge in (begins, ends or begins)]
        found.append((min(edges), max(edges)))
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a mail, as FETCH names it."""

    name: str
    section: str = ""
    begins: int | None = None
    size: int = 0

    def of(self, raw: bytes, *, whole: bool) -> bytes:
        """whole: give all of it, whatever was asked."""
        head, _, body = raw.partition(b"\r\n\r\n")
        chosen = {"HEADER": head + b"\r\n\r\n", "TEXT": body}.get(self.section, raw)
        return chosen if self.begins is None or whole else chosen[self.begins : self.begins + self.size]


def part(word: str) -> Part | None:
    """What FETCH gives under this word, when it is a piece of the mail."""
    if word.upper() in ("RFC822", "RFC822.HEADER"):
        return Part(word.upper(), "HEADER" if word.upper().endswith("HEADER") else "")
    found = _PART.fullmatch(word)
    if not found:
        return None
    section = (found[1] or "").upper()
    begins = int(found[2]) if found[2] else None
    name = f"BODY[{section}]" + (f"<{begins}>" if begins is not None else "")
    return Part(name, section, begins, int(found[3] or 0))
