"""Draws docs/security/asvs.md from docs/security/asvs.csv: `python -m tools.asvs`."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "docs" / "security" / "asvs.csv"
PAGE: Final = ROOT / "docs" / "security" / "asvs.md"
STATES: Final = ("test", "setting", "built", "not applicable", "decided otherwise", "not yet")
CHAPTERS: Final = (
    "Encoding and sanitization", "Validation and business logic", "Web front end", "API and web service",
    "Files", "Authentication", "Sessions", "Authorisation", "Self-contained tokens", "OAuth and OpenID Connect",
    "Cryptography", "Communication", "Configuration", "Data protection", "Secure coding and architecture",
    "Logging and errors", "WebRTC",
)  # fmt: skip

_HEAD: Final = """\
# OWASP ASVS 5.0, line by line

Level 2 whole (253 lines, level 1 included), and level 3 for authentication, sessions, authorisation and data protection
(23 lines). What each line asks is said here in our words: read the standard itself
(<https://github.com/OWASP/ASVS>, 5.0.0) for what it wants to the letter. This page is drawn from
[asvs.csv](asvs.csv) by `python -m tools.asvs`; a test holds that every test and file that is cited exists.

- **test**: a test fails when it is no longer so. **setting**: the operator makes it so; what is cited is our part.
  **built**: by construction, read in the file cited. **not applicable**: there is no such thing here.
  **decided otherwise**: not held to the letter, on purpose; why, and what stands in its place, is said.
  **not yet**: not held, or not to the letter; what is there and what is missing is said.
"""


@dataclass(frozen=True)
class Line:
    """One requirement. evidence: tests (`file::name`), files, sections of a page (`page#section`)."""

    requirement: str
    level: int
    state: str
    asks: str
    evidence: Sequence[str]
    why: str

    @property
    def chapter(self) -> int:
        return int(self.requirement.partition(".")[0])


def lines() -> list[Line]:
    """The table, in its order."""
    with DATA.open(encoding="utf-8", newline="") as file:
        return [
            Line(row["requirement"], int(row["level"]), row["state"], row["asks"], row["evidence"].split(), row["why"])
            for row in csv.DictReader(file)
        ]


def drawn(table: Sequence[Line]) -> str:
    """The page."""
    counts = Counter((line.state, line.level) for line in table)
    parts = [_HEAD, "\n| State | Level 1 | Level 2 | Level 3 | All |\n|---|---|---|---|---|\n"]
    for state in STATES:
        numbers = [counts[state, level] for level in (1, 2, 3)]
        parts.append(f"| {state} | {' | '.join(map(str, numbers))} | {sum(numbers)} |\n")
    for number, title in enumerate(CHAPTERS, 1):
        parts.append(
            f"\n## V{number} {title}\n\n| | Level | Asks | State | Evidence, and why |\n|---|---|---|---|---|\n"
        )
        parts += [_row(line) for line in table if line.chapter == number]
    return "".join(parts)


def _row(line: Line) -> str:
    told = "; ".join(filter(None, [", ".join(map(_shown, line.evidence)), line.why]))
    return f"| {line.requirement} | {line.level} | {line.asks} | {line.state} | {told} |\n"


def _shown(evidence: str) -> str:
    path, _colons, test = evidence.partition("::")
    if test:
        return f"[`{test.replace('::', ' · ')}`](../../{path})"
    page, _hash, section = path.partition("#")
    name = f"{Path(page).name} § {section}" if section else page
    return f"[{name}](../../{path})"


if __name__ == "__main__":
    PAGE.write_text(drawn(lines()), encoding="utf-8")
