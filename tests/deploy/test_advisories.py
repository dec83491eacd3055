"""A pinned package that an advisory is about is told, without asking anybody outside."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools import advisories
from tools.sbom import ROOT, Pin, pins


def record(*events: dict[str, str], name: str = "Some.Package", versions: list[str] | None = None, **more: Any) -> Any:
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
        "versions": versions or [],
    }
    return {"id": "PYSEC-0000-1", "summary": "it breaks", "aliases": ["CVE-0000-1"], "affected": [affected], **more}


def pin(version: str, name: str = "some-package") -> Pin:
    return Pin(name, version, "", ("0" * 64,))


def said(version: str, *records: Any) -> list[str]:
    return [str(each) for each in advisories.findings([pin(version)], records)]


@pytest.mark.parametrize(("version", "is_told"), [
    ("1.1", False), ("1.2", True), ("1.9.post1", True), ("2.0rc1", True), ("2.0", False), ("10.0", False),
])  # fmt: skip
def test_between_two_versions(version: str, is_told: bool) -> None:
    about = record({"introduced": "1.2"}, {"fixed": "2.0"})
    assert said(version, about) == [
        f"some-package {version}: PYSEC-0000-1 (CVE-0000-1) it breaks; mended in 2.0"
    ] * is_told  # fmt: skip


def test_two_branches_and_a_last_version() -> None:
    about = record({"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.3"})
    told = [version for version in ("1.4", "1.5", "1.9", "2.0", "2.3", "2.3.1") if said(version, about)]
    assert told == ["1.4", "2.0", "2.3"]


def test_listed_versions_count_too() -> None:
    assert said("3.1", record(versions=["3.1"]))
    assert not said("3.2", record(versions=["3.1"]))


def test_what_was_withdrawn_or_is_about_others_says_nothing() -> None:
    everything = {"introduced": "0"}
    assert said("1.0", record(everything))
    assert not said("1.0", record(everything, withdrawn="2026-01-01T00:00:00Z"))
    assert not said("1.0", record(everything, name="another"))
    elsewhere = record(everything)
    elsewhere["affected"][0]["package"]["ecosystem"] = "npm"
    assert not said("1.0", elsewhere)


def test_a_version_that_nobody_can_order_is_looked_at() -> None:
    assert said("not-a-version", record({"introduced": "0"}))


@given(st.lists(st.integers(0, 50), min_size=2, max_size=2, unique=True), st.integers(0, 50))
def test_a_range_holds_its_beginning_and_not_its_end(ends: list[int], version: int) -> None:
    first, last = sorted(ends)
    about = record({"introduced": f"{first}.0"}, {"fixed": f"{last}.0"})["affected"][0]
    assert advisories.is_about(about, f"{version}.0") == (first <= version < last)


class TestTheCommand:
    @pytest.fixture
    def locks(self, tmp_path: Path) -> Path:
        (tmp_path / "runtime.lock").write_text(f"some_package==1.3 \\\n    --hash=sha256:{'0' * 64}\n")
        return tmp_path

    def test_reads_an_archive_and_says_so_by_its_status(self, locks: Path, capsys: pytest.CaptureFixture[str]) -> None:
        archive = locks / "all.zip"
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr("PYSEC-0000-1.json", json.dumps(record({"introduced": "1.2"}, {"fixed": "2.0"})))
        assert advisories.main([str(archive), "--locks", str(locks)]) == 1
        assert "some_package 1.3: PYSEC-0000-1" in capsys.readouterr().out

    def test_reads_a_folder_where_nothing_is_the_matter(self, locks: Path) -> None:
        (locks / "records").mkdir()
        (locks / "records" / "one.json").write_text(json.dumps(record({"introduced": "2.0"})))
        assert advisories.main([str(locks / "records"), "--locks", str(locks)]) == 0

    @pytest.mark.parametrize("content", [None, "", "{"])
    def test_says_that_it_read_nothing(self, locks: Path, content: str | None) -> None:
        (locks / "records").mkdir()
        if content is not None:
            (locks / "records" / "one.json").write_text(content)
        assert advisories.main([str(locks / "records"), "--locks", str(locks)]) == 2
        assert advisories.main([str(locks / "nowhere.zip"), "--locks", str(locks)]) == 2


def test_every_lock_file_of_ours_is_understood() -> None:
    """Nothing pinned is left out because its line was written otherwise."""
    everything = [record({"introduced": "0"}, name=name) for name in ("flask", "sqlalchemy", "pikepdf", "pytest")]
    locks = (ROOT / "requirements").glob("*.lock")
    locked = {pin for file in locks for pin in pins(file.read_text(encoding="utf-8"))}
    assert {each.pin.name.lower() for each in advisories.findings(locked, everything)} == {
        "flask", "sqlalchemy", "pikepdf", "pytest",
    }  # fmt: skip
