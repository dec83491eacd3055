"""Passwords that thieves know: refused when one is chosen, and a bad file harms nobody."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from auth.local import known_passwords, passwords
from portal import check
from portal.config import Settings

LEAKED = ("password", "azerty", "marguerite des prés", "trois petits chats", "vélo rouge 1987", "la rue du moulin")


def lines(*words: str) -> list[str]:
    return sorted(f"{known_passwords.digest(word)}:{len(word)}" for word in words)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of ranges: those of the words asked about, some without `.txt`."""
    for number, start in enumerate(sorted({known_passwords.digest(word)[:5] for word in (*LEAKED, "un autre mot")})):
        ranges = [line[5:] for line in lines(*LEAKED) if line.startswith(start)]
        (tmp_path / (f"{start}.txt" if number % 2 else start)).write_bytes("\r\n".join(ranges).encode())
    return tmp_path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "pwned.txt"
    made.write_bytes("\r\n".join(lines(*LEAKED, *map(str, range(500)))).encode())
    return made


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    known_passwords.configure("")


class TestTheCommonestOnes:
    def test_come_with_the_portal_more_than_three_thousand_as_long_as_ours(self) -> None:
        kept = known_passwords.COMMON.read_text(encoding="ascii").splitlines()
        assert len(kept) > 3000
        assert kept == sorted(set(kept))
        assert all(re.fullmatch(r"[0-9A-F]{40}", each) for each in kept)

    @pytest.mark.parametrize("word", ["123qweasdzxc", "1q2w3e4r5t6y", "qwertyqwerty", "seniseviyorum", "QwertyQwerty"])
    def test_are_refused(self, word: str) -> None:
        assert known_passwords.known(word) == "common"


class TestALeakedOne:
    @pytest.mark.parametrize("place", ["file", "folder"])
    def test_is_refused(self, place: str, request: pytest.FixtureRequest) -> None:
        known_passwords.configure(str(request.getfixturevalue(place)))
        for word in LEAKED:
            assert known_passwords.known(word) == "leaked"
        assert known_passwords.known("un autre mot") == ""

    def test_is_refused_as_a_password(self, file: Path) -> None:
        assert passwords.weakness("marguerite des prés") == ""
        known_passwords.configure(str(file))
        assert passwords.weakness("marguerite des prés") == "leaked"

    def test_is_found_wherever_it_stands_in_the_file(self, tmp_path: Path) -> None:
        made, words = tmp_path / "pwned.txt", [str(number) for number in range(40)]
        for number in range(len(words)):
            made.write_text("\n".join(lines(*words[: number + 1])) + "\n")
            known_passwords.configure(str(made))
            assert {known_passwords.known(word) for word in words[: number + 1]} == {"leaked"}
            assert known_passwords.known("un autre mot") == ""


class TestABadFile:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n",
            b"not a digest\n",
            b"\x00" * 5000,
            b"\xff\xfe" * 300,
            b"8846F7EAEE8FB117AD06BDD830B7586C:9545824\n",
        ],
    )
    def test_refuses_nobody_and_is_told(self, tmp_path: Path, content: bytes) -> None:
        made = tmp_path / "pwned.txt"
        made.write_bytes(content)
        known_passwords.configure(str(made))
        assert known_passwords.known("marguerite des prés") == ""
        assert known_passwords.trouble(str(made))

    def test_that_is_missing_refuses_nobody_and_is_told(self, tmp_path: Path) -> None:
        nowhere = str(tmp_path / "nowhere")
        known_passwords.configure(nowhere)
        assert known_passwords.known("marguerite des prés") == ""
        assert "No such file" in known_passwords.trouble(nowhere)

    def test_that_is_not_sorted_or_not_whole_is_told(self, tmp_path: Path) -> None:
        made = tmp_path / "pwned.txt"
        made.write_text("\n".join(reversed(lines(*LEAKED))))
        assert "sorted" in known_passwords.trouble(str(made))
        made.write_text("\n".join(lines("azerty", "marguerite des prés")))
        assert "“password” is not in it" in known_passwords.trouble(str(made))

    def test_in_a_folder_is_told(self, folder: Path) -> None:
        assert known_passwords.trouble(str(folder)) == ""
        start = known_passwords.digest("password")[:5]
        next(each for each in folder.iterdir() if each.stem == start).unlink()
        assert "missing" in known_passwords.trouble(str(folder))

    def test_is_seen_by_the_check(self, app: Flask, settings: Settings, file: Path, tmp_path: Path) -> None:
        for place, is_good in ((file, True), (tmp_path / "nowhere", False)):
            asked = settings.model_copy(update={"leaked_passwords": str(place)})
            (found,) = [each for each in check.findings(app, asked) if each.what == "PORTAL_LEAKED_PASSWORDS"]
            assert (found.trouble == "") is is_good
