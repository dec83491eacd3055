"""What a release is made of, as a CycloneDX 1.6 document: `python tools/sbom.py [--wheels FOLDER] > sbom.cdx.json`.

Read from the lock files, which name every file by its hash, and from the metadata of what they name: the wheels of a
bundle (`--wheels`), or what this Python has installed. The same release gives the same document, to the byte. Standard
library only: deploy/bundle.sh runs it before anything is installed.
"""

import argparse
import json
import re
import sys
import tomllib
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = ("runtime.lock", "redis.lock", "otlp.lock")
_SPACE = uuid.UUID("6f1f9a52-6f0e-5a55-9b0e-3d6a3a7c1b10")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SPDX = re.compile(r"^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$")


@dataclass(frozen=True)
class Pin:
    """One package of a lock file. marker: where it applies, empty for everywhere. hashes: SHA-256 of its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def ref(self) -> str:
        """Its package URL (github.com/package-url/purl-spec)."""
        return f"pkg:pypi/{_normal(self.name)}@{self.version}"


Facts = Mapping[tuple[str, str], Message]


def pins(text: str) -> Iterator[Pin]:
    """Every package of a lock file. Raises ValueError on a line without a version or a package without a hash."""
    for block in re.split(r"\n(?=\S)", text.strip()):
        first, *rest = block.splitlines()
        found = _PIN.match(first.strip())
        hashes = tuple(digest for line in rest for digest in _HASH.findall(line))
        if not found or not hashes:
            raise ValueError(f"not a pinned package with its hashes: {first}")
        yield Pin(found["name"], found["version"], (found["marker"] or "").strip(), hashes)


def document(locked: Sequence[Pin], facts: Facts, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The whole of it. facts: (name, version) → metadata. files: hash → file, to keep only the files a bundle holds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = {"type": "application", "bom-ref": "parvis", "name": "parvis", "version": project["version"],
            "description": project["description"], "licenses": [{"license": {"id": project["license"]}}]}  # fmt: skip
    here = [pin for pin in locked if files is None or any(digest in files for digest in pin.hashes)]
    components = [_component(pin, facts, files) for pin in sorted(here, key=lambda pin: pin.ref)]
    content = {"components": components + list(_assets()), "dependencies": _dependencies(here, facts, project)}
    serial = uuid.uuid5(_SPACE, json.dumps([ours, content], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1,
        "metadata": {"component": ours}, **content,
    }  # fmt: skip


def _component(pin: Pin, facts: Facts, files: Mapping[str, str] | None) -> dict[str, Any]:
    hashes = [digest for digest in sorted(pin.hashes) if files is None or digest in files]
    made: dict[str, Any] = {"type": "library", "bom-ref": pin.ref, "name": _normal(pin.name), "version": pin.version}
    known = facts.get((_normal(pin.name), pin.version))
    if known and (licences := _licences(known)):
        made["licenses"] = licences
    made |= {"purl": pin.ref, "hashes": [{"alg": "SHA-256", "content": digest} for digest in hashes]}
    if pin.marker:
        made["properties"] = [{"name": "parvis:marker", "value": pin.marker}]
    return made


def _licences(known: Message) -> list[dict[str, Any]]:
    """As the package declares it: an SPDX expression, else the first line of its licence, else its classifiers."""
    expression = (known.get("License-Expression") or "").strip()
    if _SPDX.match(expression.replace("(", "").replace(")", "")):
        return [{"expression": expression}]
    said = (known.get("License") or "").strip().splitlines()
    if said and said[0] not in ("", "UNKNOWN"):
        return [{"license": {"name": said[0].strip()[:100]}}]
    classified = [
        each.rpartition(" :: ")[2] for each in known.get_all("Classifier", []) if each.startswith("License ::")
    ]
    return [{"license": {"name": each}} for each in classified]


def _dependencies(here: Sequence[Pin], facts: Facts, project: Mapping[str, Any]) -> list[dict[str, Any]]:
    refs: dict[str, list[str]] = {}
    for pin in here:
        refs.setdefault(_normal(pin.name), []).append(pin.ref)

    def those(requirements: Sequence[str]) -> list[str]:
        needed = (each for each in requirements if "extra ==" not in each)
        names = {_normal(re.split(r"[ ;<>=!~\[(]", each, maxsplit=1)[0]) for each in needed}
        return sorted(ref for name in names for ref in refs.get(name, ()))

    edges = [{"ref": "parvis", "dependsOn": those(project["dependencies"])}]
    for pin in sorted(here, key=lambda pin: pin.ref):
        known = facts.get((_normal(pin.name), pin.version))
        asked = those(known.get_all("Requires-Dist", [])) if known else []
        edges.append({"ref": pin.ref, "dependsOn": [each for each in asked if each != pin.ref]})
    return edges


def _assets() -> Iterator[dict[str, Any]]:
    """Fonts, icons and styles that others made, from the table that goes with them."""
    table = (ROOT / "portal/static/dist/THIRD_PARTY.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\| (.+?) \| .+? \| (.+?) \| (.+?) \|$", table, re.MULTILINE):
        title, maker, licence = row
        if title in ("what", "---"):
            continue
        name, version = re.match(r"([^,\d]+?)(?: (\d[\w.]*))?(?:,|$)", title).groups()  # type: ignore[union-attr]
        made = {"type": "library", "bom-ref": f"asset:{_normal(name.replace(' ', '-'))}", "name": name}
        if version:
            made["version"] = version
        yield made | {"publisher": maker, "licenses": [{"license": {"name": licence.replace("`", "")[:100]}}]}


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> Facts:
    """Metadata of what this Python has."""
    found = (each.metadata for each in metadata.distributions())
    return {(_normal(each["Name"]), each["Version"]): each for each in found if each["Name"]}  # type: ignore[misc]


def in_wheels(folder: Path) -> tuple[Facts, dict[str, str]]:
    """Metadata of a folder's wheels, and their names by SHA-256."""
    import hashlib

    facts: dict[tuple[str, str], Message] = {}
    files: dict[str, str] = {}
    for wheel in sorted(folder.glob("*.whl")):
        files[hashlib.sha256(wheel.read_bytes()).hexdigest()] = wheel.name
        with zipfile.ZipFile(wheel) as opened:
            inside = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
            known = HeaderParser().parsestr(opened.read(inside).decode("utf-8"))
        facts[_normal(known["Name"]), known["Version"]] = known
    return facts, files


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What a release is made of, as CycloneDX 1.6.")
    parser.add_argument("--wheels", type=Path, help="the wheels of a bundle; else what this Python has installed")
    chosen = parser.parse_args(arguments)
    locked = [pin for lock in LOCKS for pin in pins((ROOT / "requirements" / lock).read_text(encoding="utf-8"))]
    facts, files = in_wheels(chosen.wheels) if chosen.wheels else (installed(), None)
    json.dump(document(locked, facts, files), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
