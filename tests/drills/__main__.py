"""`make drills [NAME=…] [SEED=…] [ROUNDS=…]`: those whose name begins so, or all; exit 1 when something breaks."""

import os
import secrets
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType

from tests.drills.report import Drill, run


def known() -> dict[str, tuple[Drill, int]]:
    """Name → the drill and its usual number of rounds."""
    found: dict[str, tuple[Drill, int]] = {}
    for path in sorted(Path(__file__).parent.glob("drill_*.py")):
        found |= import_module(f"tests.drills.{path.stem}").DRILLS
    return found


def main(wanted: str, seed: int, rounds: int) -> int:
    """0: everything held. 1: an invariant broke. 2: no drill has this name."""
    chosen = {name: each for name, each in known().items() if name.startswith(wanted)}
    if not chosen:
        sys.stderr.write(f"no drill is called {wanted!r}: {', '.join(known())}\n")
        return 2
    held = [run(name, drill, seed, rounds or usual) for name, (drill, usual) in chosen.items()]
    return 0 if all(held) else 1


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)  # through every `finally`: processes are stopped, folders removed


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(
        main(
            sys.argv[1] if len(sys.argv) > 1 else "",
            int(os.environ.get("SEED") or secrets.randbelow(10**6)),
            int(os.environ.get("ROUNDS") or 0),
        )
    )
