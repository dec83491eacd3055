"""Running a reader of hostile bytes in a process of its own: if it eats, hangs or falls, it does so alone.

The reader is a file of this folder that imports nothing of the portal; it is given bytes and answers bytes.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_MOST_ANSWERED: Final = 20 * 1024 * 1024


class GaveUp(Exception):
    """The reader took too long or too much, or fell on what it was given."""


def run(reader: str, data: bytes, arguments: Sequence[str] = (), *, seconds: int) -> bytes:
    """What the reader answers. seconds: of processor, and twice that on the clock. Raises GaveUp."""
    command = [sys.executable, "-I", str(_HERE / reader), str(seconds), *arguments]
    try:
        # No environment: it holds our secrets. Its errors may quote the document, and go nowhere.
        done = subprocess.run(
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * seconds, env={}
        )
    except (subprocess.TimeoutExpired, OSError) as trouble:
        raise GaveUp from trouble
    if done.returncode != 0 or len(done.stdout) > _MOST_ANSWERED:
        raise GaveUp
    return done.stdout
