"""The list of what a release is made of: everything locked, with its hashes and its licence, the same each time."""

import hashlib
import json
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.deploy.facts import ROOT
from tools import sbom

LOCKED = [pin for lock in sbom.LOCKS for pin in sbom.pins((ROOT / "requirements" / lock).read_text())]


def metadata(**fields: str) -> Message:
    made = Message()
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    return made


def test_a_lock_file_is_read_whole() -> None:
    text = (
        "a.B==1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:"
        + "0" * 64
        + "\nc==2 \\\n    --hash=sha256:"
        + ("1" * 64 + " \\\n    --hash=sha256:" + "2" * 64 + "\n")
    )
    first, second = sbom.pins(text)
    assert (first.ref, first.marker) == ("pkg:pypi/a-b@1.0", "python_full_version < '3.12'")
    assert second.hashes == ("1" * 64, "2" * 64)


@pytest.mark.parametrize("line", ["a>=1", "a==1", "a @ https://exemple.test/a.whl"])
def test_what_is_not_pinned_by_hash_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a pinned package"):
        list(sbom.pins(line))


def test_everything_locked_is_in_it_with_its_hashes() -> None:
    made = sbom.document(LOCKED, {})
    held = {each["purl"]: each for each in made["components"] if "purl" in each}
    assert set(held) == {pin.ref for pin in LOCKED}
    assert all(len(digest["content"]) == 64 for each in held.values() for digest in each["hashes"])


def test_what_others_made_for_our_pages_is_in_it_too() -> None:
    names = {each["name"] for each in sbom.document(LOCKED, {})["components"]}
    assert {"govuk-frontend", "Lucide icons", "Noto Sans Arabic"} <= names


def test_licences_are_what_packages_declare() -> None:
    told = [
        (metadata(License_Expression="MIT OR Apache-2.0"), {"expression": "MIT OR Apache-2.0"}),
        (metadata(License="BSD\n\nRedistribution and use…"), {"license": {"name": "BSD"}}),
        (metadata(License="UNKNOWN", Classifier="License :: OSI Approved :: MIT License"),
         {"license": {"name": "MIT License"}}),
    ]  # fmt: skip
    for known, expected in told:
        (component, *_assets) = sbom.document(LOCKED[:1], {(LOCKED[0].name, LOCKED[0].version): known})["components"]
        assert component["licenses"] == [expected]


def test_almost_everything_has_a_licence() -> None:
    """Of what this Python has installed: the rest is for other Pythons, or not for the tests."""
    facts = sbom.installed()
    made = sbom.document([pin for pin in LOCKED if (sbom._normal(pin.name), pin.version) in facts], facts)
    assert [each["name"] for each in made["components"] if not each.get("licenses")] == []


def test_a_bundle_lists_the_files_it_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a-1.0.dist-info/METADATA", "Name: a\nVersion: 1.0\nLicense-Expression: MIT\n")
    digest = hashlib.sha256((tmp_path / "a-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    locked = [sbom.Pin("a", "1.0", "", (digest, "f" * 64)), sbom.Pin("absent", "2.0", "", ("e" * 64,))]
    (only, *_assets) = sbom.document(locked, *sbom.in_wheels(tmp_path))["components"]
    assert (only["name"], only["hashes"]) == ("a", [{"alg": "SHA-256", "content": digest}])
    assert only["licenses"] == [{"expression": "MIT"}]


def test_it_is_cyclonedx_and_the_same_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    sbom.main([])
    first = capsys.readouterr().out
    sbom.main([])
    assert capsys.readouterr().out == first
    made = json.loads(first)
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    refs = [each["bom-ref"] for each in made["components"]]
    assert len(refs) == len(set(refs))
    assert {each["ref"] for each in made["dependencies"]} <= {"parvis", *refs}
    assert {needed for each in made["dependencies"] for needed in each["dependsOn"]} <= set(refs)
