"""Whether a known advisory is about what the lock files pin: `python -m tools.advisories FILE_OR_FOLDER`.

Offline: FILE_OR_FOLDER holds records of the Open Source Vulnerability format (https://ossf.github.io/osv-schema/, 1.x),
as the archive that osv.dev publishes for PyPI does. Says each advisory that is about a pinned version, and the version
that mends it; ends with 1 then, with 2 when there is nothing to read. How old the records are is whoever's who fetched
them.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from tools.sbom import ROOT, Pin, pins

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """An advisory about a pinned package. fixed: the first versions that mend it, as the record says."""

    pin: Pin
    advisory: str
    names: tuple[str, ...]
    summary: str
    fixed: tuple[str, ...]

    def __str__(self) -> str:
        also = f" ({', '.join(self.names)})" if self.names else ""
        mended = f"; mended in {', '.join(self.fixed)}" if self.fixed else "; no release mends it yet"
        return f"{self.pin.name} {self.pin.version}: {self.advisory}{also} {self.summary}{mended}"


def findings(locked: Iterable[Pin], records: Iterable[Record]) -> Iterator[Finding]:
    """What the records say of these packages. Withdrawn ones say nothing."""
    by_name: dict[str, list[Pin]] = {}
    for pin in locked:
        by_name.setdefault(_normal(pin.name), []).append(pin)
    for record in records:
        if record.get("withdrawn"):
            continue
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            if package.get("ecosystem", "").partition(":")[0] != "PyPI":
                continue
            for pin in by_name.get(_normal(package.get("name", "")), ()):
                if is_about(affected, pin.version):
                    yield _finding(pin, record, affected)


def is_about(affected: Record, version: str) -> bool:
    """Whether a version is listed, or lies in a range of the ecosystem's own versions (`affected[].ranges` of the
    schema). A version that cannot be ordered is taken for one: somebody looks."""
    if version in affected.get("versions", ()):
        return True
    ranges = [each.get("events", ()) for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM"]
    try:
        return any(_lies_in(events, Version(version)) for events in ranges)
    except InvalidVersion:
        return True


def _lies_in(events: Sequence[Mapping[str, str]], version: Version) -> bool:
    is_affected = False
    for moment, what in sorted((Version(value), name) for event in events for name, value in event.items()
                               if name in ("introduced", "fixed", "last_affected")):  # fmt: skip
        if what == "introduced" and version >= moment:
            is_affected = True
        elif (what == "fixed" and version >= moment) or (what == "last_affected" and version > moment):
            is_affected = False
    return is_affected


def _finding(pin: Pin, record: Record, affected: Record) -> Finding:
    events = [event for each in affected.get("ranges", ()) if each.get("type") == "ECOSYSTEM"
              for event in each.get("events", ())]  # fmt: skip
    fixed = tuple(event["fixed"] for event in events if "fixed" in event)
    return Finding(pin, record["id"], tuple(record.get("aliases", ())), record.get("summary", ""), fixed)


def records_in(path: Path) -> Iterator[Record]:
    """Every record of an archive or a folder. Raises ValueError for one that is no JSON."""
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield json.loads(file.read_bytes())
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.advisories", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("records", type=Path, help="an archive or a folder of OSV records")
    parser.add_argument("--locks", type=Path, default=ROOT / "requirements", help="the folder of the lock files")
    asked = parser.parse_args(arguments)
    locked = {pin for file in sorted(asked.locks.glob("*.lock")) for pin in pins(file.read_text(encoding="utf-8"))}
    try:
        records = list(records_in(asked.records))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        sys.stderr.write(f"{asked.records}: {error}\n")
        return 2
    if not records:
        sys.stderr.write(f"{asked.records}: no record in it\n")
        return 2
    found = sorted({str(each) for each in findings(locked, records)})
    sys.stdout.writelines(f"{line}\n" for line in found)
    sys.stderr.write(f"{len(records)} records, {len(locked)} pinned packages, {len(found)} advisories\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
