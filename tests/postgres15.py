"""Runs a command against a PostgreSQL server started from other binaries (the oldest version we support).

python -m tests.postgres15 /usr/lib/postgresql/15/bin -- make test
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from portal.embedded.postgres import EmbeddedPostgres


def main(arguments: list[str]) -> int:
    """The command's exit status."""
    binaries, separator, *command = arguments
    if separator != "--" or not command:
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "cluster", durable=False, server=Path(binaries))
        server.start()
        try:
            return subprocess.run(command, env=os.environ | {"TEST_DATABASE_URL": server.url()}, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
