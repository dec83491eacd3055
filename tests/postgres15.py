"""Runs tests on servers started from other binaries (the oldest PostgreSQL we support).

python -m tests.postgres15 /usr/lib/postgresql/15/bin -- make test

Each process of the suite starts its own server, as it does with the wheel's: a transaction of one holds back what the
other one seals and counts when they share a server.
"""

import os
import subprocess
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """The command's exit status."""
    binaries, separator, *command = arguments
    if separator != "--" or not command:
        raise SystemExit(__doc__)
    chosen = {"TEST_POSTGRES_BINARIES": str(Path(binaries)), "TEST_CLUSTER": "postgres15"}
    return subprocess.run(command, env=os.environ | chosen, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
