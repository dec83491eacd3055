"""`make bench [NAME=…]`: runs the benchmarks whose name holds the word, or all of them."""

import sys
from importlib import import_module
from pathlib import Path


def main(wanted: str) -> None:
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        module = import_module(f"tests.bench.{path.stem}")
        if wanted in module.NAMES or not wanted or any(name.startswith(wanted) for name in module.NAMES):
            module.run()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
